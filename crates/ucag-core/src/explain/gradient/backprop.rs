//! Gradient, DeConvNet and guided backprop: one propagation to the input, three rules for ReLU. See
//! docs/protocol.md#backprop.

use std::sync::Arc;

use tch::Tensor;

use crate::explain::{Entry, Explainer, ExtraPasses, Method};
use crate::network::{Layers, Network, NodeId, OpKind};
use crate::pass::{Needs, Pass};
use crate::postprocess::{MapKind, MethodBlur};
use crate::propagate::{LayerVisit, Rule, needs, propagate};
use crate::tensor_ext::TensorExt;
use crate::{Error, Result};

/// Registry entry.
pub(crate) static GRADIENT: Method = Method::new(Entry {
    id: "gradient",
    name: "Gradient",
    summary: "largest magnitude, over colours, of the gradient of the class's logit at the input",
    source: "Simonyan et al., ICLR workshop 2014",
    map_kind: MapKind::NonNegative(Some(MethodBlur::OfLonger(0.02))),
    make: |_| Arc::new(Backprop(Relu::Gradient)),
})
.black_box();

/// Registry entry.
pub(crate) static DECONVNET: Method = Method::new(Entry {
    id: "deconvnet",
    name: "DeConvNet",
    summary: "as Gradient, but a ReLU sends back what is positive, whatever its input was",
    source: "Zeiler & Fergus, ECCV 2014",
    map_kind: MapKind::NonNegative(Some(MethodBlur::OfLonger(0.02))),
    make: |_| Arc::new(Backprop(Relu::Deconvnet)),
});

/// Registry entry.
pub(crate) static GUIDED: Method = Method::new(Entry {
    id: "guided-backprop",
    name: "GuidedBackprop",
    summary: "as Gradient, but a ReLU sends back what is positive where its input was, too",
    source: "Springenberg et al., ICLR workshop 2015",
    map_kind: MapKind::NonNegative(Some(MethodBlur::OfLonger(0.02))),
    make: |_| Arc::new(Backprop(Relu::Guided)),
});

/// The rule of a ReLU for an upstream p, for an input x.
#[derive(Debug, Clone, Copy)]
pub enum Relu {
    /// p where x > 0.
    Gradient,
    /// max(p, 0).
    Deconvnet,
    /// max(p, 0) where x ≥ 0.
    Guided,
}

impl Rule for Relu {
    type Signal = Tensor;

    fn back(&self, visit: &LayerVisit<'_>) -> Result<Vec<Tensor>> {
        let is_clipped = matches!(visit.op.kind(), OpKind::Activation(activation) if activation.rectifies());
        match (self, visit.op.kind()) {
            (Relu::Deconvnet, _) if is_clipped => Ok(vec![visit.upstream.f_relu()?]),
            (Relu::Guided, _) if is_clipped => visit.vjp_of(&visit.upstream.f_relu()?),
            (Relu::Deconvnet, OpKind::Relu) => Ok(vec![visit.upstream.f_relu()?]),
            (Relu::Guided, OpKind::Relu) => {
                let open = visit.inputs[0].f_ge(0.0)?.f_to_kind(visit.upstream.kind())?;
                Ok(vec![visit.upstream.f_relu()?.f_mul(&open)?])
            }
            _ => visit.vjp(),
        }
    }
}

impl Relu {
    /// Id of the method.
    fn method(self) -> &'static str {
        match self {
            Relu::Gradient => GRADIENT.id,
            Relu::Deconvnet => DECONVNET.id,
            Relu::Guided => GUIDED.id,
        }
    }
}

/// Refuses networks with activations that a method's definition doesn't speak of: all but ReLU,
/// ReLU6, and the sigmoids of gates, which have their gradients.
pub(super) fn refuse_other_activations(method: &'static str, network: &Network, nodes: &[NodeId]) -> Result<()> {
    for node in nodes.iter().map(|&id| &network.graph.nodes()[id]) {
        if let OpKind::Activation(activation) = node.op.kind()
            && !activation.rectifies()
            && !activation.is_fraction()
        {
            let name = activation.function.name;
            let problem = format!("{method} is defined for ReLU; {} is {name}", node.name);
            return Err(Error::unsupported(method, problem));
        }
    }
    Ok(())
}

/// The pseudo-gradient at the input, `[B, 3, H, W]`, signed.
///
/// # Errors
/// Where the pass doesn't keep every node's output.
pub fn at_input(pass: &Pass<'_>, rule: Relu) -> Result<Tensor> {
    propagate(pass, &rule, pass.network().graph.output(), pass.cotangent()?, 0)
}

#[derive(Debug)]
struct Backprop(Relu);

impl Explainer for Backprop {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        let activations = needs(&network.graph, network.graph.output(), 0);
        if !matches!(self.0, Relu::Gradient) {
            refuse_other_activations(self.0.method(), network, &activations)?;
        }
        Ok(Needs { activations, ..Needs::default() })
    }

    /// `max_c |g_c|`, not negative.
    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        at_input(pass, self.0)?.f_abs()?.max_over([1])
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 1 }
    }
}
