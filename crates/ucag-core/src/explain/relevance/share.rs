//! How a layer with weights shares its relevance among its inputs: the rules that layer-wise relevance propagation is composed of.

use tch::Tensor;

use super::{Weighted, divide_by_sum, is_positive, z_bounded};
use crate::Result;

/// A rule for convolutions and fully connected layers. W⁺, W⁻, x⁺, x⁻ are the parts that are positive and negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Share {
    /// α times the shares in what excites, less α − 1 times the shares in what inhibits, without bias. As in the released code, what positive and
    /// what negative inputs add is shared out apart: each gets the whole relevance (protocol section 2.3). Inputs behind a ReLU have one part only.
    AlphaBeta(f64),
    /// Shares in what excites, `x⁺W⁺ + x⁻W⁻`, together: deep Taylor's z⁺ (Montavon et al., Pattern Recognition 2017). For inputs that aren't negative the
    /// same as α = 1.
    ZPlus,
    /// Shares in the output, bias included, which ε · sign keeps from zero (Bach et al., PLOS ONE 2015). The bias's share and ε's are lost.
    Epsilon(f64),
    /// Shares within the pixels' range.
    ZBounded,
}

impl Share {
    /// What goes back to the input `x` of a layer whose output is `output` (bias included).
    ///
    /// # Errors
    /// Where libtorch refuses the shapes.
    pub fn back(self, layer: &Weighted<'_>, x: &Tensor, output: &Tensor, relevance: &Tensor) -> Result<Tensor> {
        match self {
            Share::AlphaBeta(alpha) => alpha_beta(layer, x, relevance, alpha),
            Share::ZPlus => z_plus(layer, x, relevance),
            Share::Epsilon(epsilon) => {
                let sign = output.f_ge(0.0)?.f_to_kind(output.kind())?.f_mul_scalar(2.0)?.f_sub_scalar(1.0)?;
                let shares = relevance.f_div(&sign.f_mul_scalar(epsilon)?.f_add_(output)?)?;
                Ok(layer.back(layer.weight(), x, &shares)?.f_mul_(x)?)
            }
            Share::ZBounded => z_bounded(layer, x, relevance),
        }
    }
}

fn alpha_beta(layer: &Weighted<'_>, x: &Tensor, relevance: &Tensor, alpha: f64) -> Result<Tensor> {
    let weight = layer.weight();
    let mut exciting = parts(layer, x, &weight.f_clamp_min(0.0)?, &|| Ok(weight.f_clamp_max(0.0)?), relevance)?;
    if alpha == 1.0 {
        return Ok(exciting);
    }
    let inhibiting = parts(layer, x, &weight.f_clamp_max(0.0)?, &|| Ok(weight.f_clamp_min(0.0)?), relevance)?;
    Ok(exciting.f_mul_scalar_(alpha)?.f_sub_(&inhibiting.f_mul_scalar(alpha - 1.0)?)?)
}

/// `x⁺ · VJP(w₁; R / w₁x⁺) + x⁻ · VJP(w₂; R / w₂x⁻)`. Where no input is negative, the second summand is zero and `w₂` isn't asked for.
fn parts(
    layer: &Weighted<'_>,
    x: &Tensor,
    first: &Tensor,
    second: &dyn Fn() -> Result<Tensor>,
    relevance: &Tensor,
) -> Result<Tensor> {
    let part = |weight: &Tensor, x: &Tensor| -> Result<Tensor> {
        let shares = divide_by_sum(relevance, layer.forth(weight, x)?)?;
        Ok(layer.back(weight, x, &shares)?.f_mul_(x)?)
    };
    if is_positive(x)? {
        return part(first, x);
    }
    Ok(part(first, &x.f_clamp_min(0.0)?)?.f_add_(&part(&second()?, &x.f_clamp_max(0.0)?)?)?)
}

fn z_plus(layer: &Weighted<'_>, x: &Tensor, relevance: &Tensor) -> Result<Tensor> {
    if is_positive(x)? {
        return alpha_beta(layer, x, relevance, 1.0);
    }
    let weight = layer.weight();
    let (above, below) = (x.f_clamp_min(0.0)?, x.f_clamp_max(0.0)?);
    let (positive, negative) = (weight.f_clamp_min(0.0)?, weight.f_clamp_max(0.0)?);
    let z = layer.forth(&positive, &above)?.f_add_(&layer.forth(&negative, &below)?)?;
    let shares = divide_by_sum(relevance, z)?;
    let back = |weight: &Tensor, x: &Tensor| -> Result<Tensor> { Ok(layer.back(weight, x, &shares)?.f_mul_(x)?) };
    Ok(back(&positive, &above)?.f_add_(&back(&negative, &below)?)?)
}
