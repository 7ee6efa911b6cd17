//! FullGrad (Srinivas & Fleuret, NeurIPS 2019; see docs/protocol.md#fullgrad): the input times its
//! gradient, and every bias times its own.
//!
//! For a network that is linear piece by piece these full gradients add up to the logit.

use std::sync::Arc;

use tch::Tensor;

use super::path_gradient::less_mean;
use crate::Result;
use crate::explain::{Entry, Explainer, ExtraPasses, Method};
use crate::network::op::LayerNorm;
use crate::network::{Layers, Linear, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::propagate::{gradients, needs};
use crate::tensor_ext::TensorExt;

/// Registry entry. The released code takes minimum, maximum and mean over the whole batch, and
/// multiplies the input gradient of a batch's first image with every image; both are as here for
/// one image at a time.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "fullgrad",
    name: "FullGrad",
    summary: "magnitudes of input and biases, each times its gradient, scaled to [0, 1] a layer, summed over channels and layers; less the mean; as UCAG's code has it, but each view by itself",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |_| Arc::new(FullGrad(Form::Released)),
});

/// Registry entry.
pub(crate) static IDIAP: Method = Method::new(Entry {
    id: "fullgrad-idiap",
    name: "FullGrad (authors' code)",
    summary: "as FullGrad, but layers are enlarged from corner to corner, and the mean isn't subtracted",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(FullGrad(Form::Idiap)),
});

const SOURCE: &str = "Srinivas & Fleuret, NeurIPS 2019";

/// The implementation that a FullGrad follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// UCAG's, which is AGF's.
    Released,
    /// That of the method's authors.
    Idiap,
}

impl Form {
    /// `Σ_c ψ(x)_c` for each view of `[B, C, h, w]`: magnitudes from 0 to 1 over channels and
    /// space, `[B, 1, h, w]`.
    ///
    /// Where all magnitudes are the same, as in a layer without biases, the released code divides 0
    /// by 0. Here such a layer adds nothing.
    fn scaled(self, x: &Tensor) -> Result<Tensor> {
        let all = [1i64, 2, 3];
        let magnitude = x.f_abs()?;
        let above = magnitude.f_sub(&magnitude.min_over(all)?)?;
        let top = above.max_over(all)?;
        let divisor = match self {
            Form::Released => top.f_masked_fill(&top.f_eq(0.0)?, 1.0)?,
            Form::Idiap => top.f_add_scalar(1e-6)?,
        };
        above.f_div(&divisor)?.sum_over([1])
    }
}

/// The result of [`full_gradients`].
#[derive(Debug)]
pub struct FullGradients {
    /// `[B, 1, H, W]`, not negative, before any mean is subtracted.
    pub map: Tensor,
    /// The sum of all full gradients, those of fully connected layers included, `[B]`: the class's
    /// logit.
    pub total: Tensor,
}

/// Returns the full gradients of one propagation to the input. Layers without height and width have
/// no place on the map.
///
/// # Errors
/// Where the pass doesn't keep every node's output.
pub fn full_gradients(pass: &Pass<'_>, form: Form) -> Result<FullGradients> {
    let size = pass.views().size();
    let (mut map, mut total) = (None, None);
    let mut take = |full: &Tensor| -> Result<()> {
        add(&mut total, full.f_flatten(1, -1)?.f_sum_dim_intlist([1i64].as_slice(), false, full.kind())?)?;
        if full.dim() == 4 {
            // Enlarging is linear: channels may be summed first.
            let scaled = form.scaled(full)?;
            let large = scaled.f_upsample_bilinear2d([size[2], size[3]], form == Form::Idiap, None, None)?;
            add(&mut map, large)?;
        }
        Ok(())
    };
    let at_input = gradients(pass, 0, |visit| match visit.op.bias()? {
        Some(bias) => {
            let full = visit.upstream.f_mul(&bias)?;
            // Layers on the last axis of a map have their channels there.
            let channels_last = full.dim() == 4 && (visit.op.is::<Linear>() || visit.op.is::<LayerNorm>());
            take(&if channels_last { full.f_permute([0, 3, 1, 2])? } else { full })
        }
        None => Ok(()),
    })?;
    take(&at_input.f_mul(pass.views())?)?;
    let zeros = |shape: &[i64]| Tensor::f_zeros(shape, (at_input.kind(), at_input.device()));
    Ok(FullGradients {
        map: map.map_or_else(|| zeros(&[size[0], 1, size[2], size[3]]), Ok)?,
        total: total.map_or_else(|| zeros(&size[..1]), Ok)?,
    })
}

fn add(sum: &mut Option<Tensor>, part: Tensor) -> Result<()> {
    *sum = Some(match sum.take() {
        Some(before) => before.f_add(&part)?,
        None => part,
    });
    Ok(())
}

#[derive(Debug)]
struct FullGrad(Form);

impl Explainer for FullGrad {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        let activations = needs(&network.graph, network.graph.output(), 0);
        Ok(Needs { activations, ..Needs::default() })
    }

    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let map = full_gradients(pass, self.0)?.map;
        match self.0 {
            Form::Released => less_mean(&map),
            Form::Idiap => Ok(map),
        }
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 1 }
    }
}
