//! Integrated gradients (Sundararajan et al., ICML 2017; see docs/protocol.md#integrated-gradients)
//! from a baseline of zeros, which is the mean color.
//!
//! A network in convolutional form has gradients that start from the softmax over positions, here
//! as everywhere: its maps don't add up to a difference of logits.

use std::ops::Range;
use std::sync::Arc;

use tch::Tensor;

use super::path_gradient::{Inputs, extra_passes, gradient_sum, less_mean, magnitude};
use crate::Result;
use crate::explain::{Entry, Explainer, ExtraPasses, Method, Setting, Settings};
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass, Seed};
use crate::postprocess::MapKind;
use crate::tensor_ext::TensorExt;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "integrated-gradients",
    name: "IntegratedGradients",
    summary: "input times the mean gradient on the straight way to it from zeros, summed over colours: maps add up to the logit less that of zeros",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |settings| Arc::new(Way::new(Form::Sundararajan, settings)),
})
.settings(&[STEPS])
.black_box();

/// Registry entry. The released code always explains the class that the network predicts; here it
/// is the requested class. And this is what it means to compute: its hook, on a VGG,
/// catches the gradient in front of the last pool, which doesn't have the image's shape.
pub(crate) static RELEASED: Method = Method::new(Entry {
    id: "integrated-gradients-released",
    name: "IntegratedGradients (UCAG's code)",
    summary: "as UCAG's code has it: gradients at both ends of the way and between, not multiplied by the input; magnitudes summed over colours, less their mean",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |settings| Arc::new(Way::new(Form::Released, settings)),
})
.settings(&[STEPS])
.black_box();

const SOURCE: &str = "Sundararajan et al., ICML 2017";

const STEPS: Setting = Setting::int("steps", "equal parts of the way from zeros to the input", 100, (1, 100_000));

/// The definition that an integrated gradient follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Sundararajan,
    Released,
}

/// The straight path from zeros to a view.
#[derive(Debug)]
struct Way {
    form: Form,
    steps: usize,
}

impl Way {
    fn new(form: Form, settings: &Settings) -> Self {
        Self { form, steps: settings.count(STEPS.key) }
    }
}

impl Inputs for Way {
    fn count(&self) -> usize {
        match self.form {
            Form::Sundararajan => self.steps,
            Form::Released => self.steps + 1,
        }
    }

    /// The integral takes the middle of each part, and so never the zeros themselves: without
    /// biases every ReLU has its kink there, where a gradient is a convention.
    fn of(&self, view: &Tensor, _: Seed, range: Range<usize>) -> Result<Tensor> {
        let offset = match self.form {
            Form::Sundararajan => 0.5,
            Form::Released => 0.0,
        };
        let shares: Vec<f64> = range.map(|number| (number as f64 + offset) / self.steps as f64).collect();
        let shares = Tensor::f_from_slice(&shares)?.f_view([-1, 1, 1, 1])?;
        Ok(view.f_mul(&shares.f_to_kind(view.kind())?.f_to_device(view.device())?)?)
    }
}

impl Explainer for Way {
    fn needs(&self, _: &Network, _: &Layers) -> Result<Needs> {
        Ok(Needs::default())
    }

    /// Signed, at the resolution of the input.
    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let gradient = gradient_sum(pass, self)?.f_div_scalar(self.steps as f64)?;
        match self.form {
            Form::Sundararajan => gradient.f_mul(pass.views())?.sum_over([1]),
            Form::Released => less_mean(&magnitude(&gradient)?),
        }
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        extra_passes(self)
    }
}
