//! Activations that files write as a product.

use super::super::affine::{Scaled, scaled_root};
use super::super::import::Draft;
use super::{Activation, clip, gelu, hard_sigmoid, hard_swish, mish, sigmoid, silu, softplus, tanh};
use crate::Result;

/// Returns the activation that the product of two nodes is, its input and a factor: `x σ(x)`,
/// `x (1 + erf(x/√2)) / 2`, `x tanh(softplus x)` and the hard swish in its forms.
pub(in super::super) fn as_product(drafts: &[Draft], a: usize, b: usize) -> Result<Option<(Activation, usize, f64)>> {
    Ok(match gated(drafts, a, b)? {
        Some(found) => Some(found),
        None => gated(drafts, b, a)?,
    })
}

/// [`as_product`] of x, scaled, and a function of x, scaled and shifted.
fn gated(drafts: &[Draft], x: usize, gate: usize) -> Result<Option<(Activation, usize, f64)>> {
    let (x, gate) = (scaled_root(drafts, x)?, scaled_root(drafts, gate)?);
    let Some(function) = drafts[gate.root].op.downcast_ref::<Activation>() else { return Ok(None) };
    let inner = scaled_root(drafts, drafts[gate.root].inputs[0])?;
    if x.shift != 0.0 {
        return Ok(None);
    }
    let near = |a: f64, b: f64| (a - b).abs() < 1e-5;
    let of_x = |scaled: &Scaled, scale: f64, shift: f64| {
        scaled.root == x.root && near(scaled.scale, scale) && near(scaled.shift, shift)
    };
    let unshifted = near(gate.shift, 0.0);
    let is_of_softplus = || -> Result<bool> {
        let softplus = &drafts[inner.root];
        let is = softplus.op.downcast_ref().is_some_and(|op: &Activation| op.is(&softplus::SOFTPLUS));
        Ok(is && inner.scale == 1.0 && inner.shift == 0.0 && softplus.inputs[0] == x.root)
    };
    let found = if function.is(&sigmoid::SIGMOID) && of_x(&inner, 1.0, 0.0) && unshifted {
        Some((&silu::SILU, 1.0))
    } else if function.is(&super::erf::ERF)
        && of_x(&inner, std::f64::consts::FRAC_1_SQRT_2, 0.0)
        && near(gate.shift, gate.scale)
    {
        Some((&gelu::GELU, 2.0))
    } else if function.is(&hard_sigmoid::HARD_SIGMOID)
        && function.parameters == [1.0 / 6.0, 0.5]
        && of_x(&inner, 1.0, 0.0)
        && unshifted
    {
        Some((&hard_swish::HARD_SWISH, 1.0))
    } else if function.is(&clip::CLIP) && function.parameters == [0.0, 6.0] && of_x(&inner, 1.0, 3.0) && unshifted {
        Some((&hard_swish::HARD_SWISH, 6.0))
    } else if function.is(&tanh::TANH) && is_of_softplus()? && unshifted {
        Some((&mish::MISH, 1.0))
    } else {
        None
    };
    Ok(found
        .map(|(function, factor)| (Activation { function, parameters: vec![] }, x.root, factor * x.scale * gate.scale)))
}
