//! The input times the gradient of the class's logit (Shrikumar et al., arXiv:1605.01713).

use std::sync::Arc;

use tch::Tensor;

use crate::Result;
use crate::explain::{Entry, Explainer, ExtraPasses, Method};
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::propagate::{gradients, needs};
use crate::tensor_ext::TensorExt;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "gradient-x-input",
    name: "Gradient × Input",
    summary: "the normalised input times the gradient of the class's logit, summed over colours",
    source: "Shrikumar et al., arXiv:1605.01713",
    map_kind: MapKind::Signed,
    make: |_| Arc::new(GradientInput),
})
.black_box();

#[derive(Debug)]
struct GradientInput;

impl Explainer for GradientInput {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        let activations = needs(&network.graph, network.graph.output(), 0);
        Ok(Needs { activations, ..Needs::default() })
    }

    /// Signed, at the resolution of the input.
    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let gradient = gradients(pass, 0, |_| Ok(()))?;
        gradient.f_mul(pass.views())?.sum_over([1])
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 1 }
    }
}
