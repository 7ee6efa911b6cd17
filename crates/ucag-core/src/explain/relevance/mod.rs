//! Relevance propagation: the methods of Table 4 that send a score back to the input, layer by
//! layer. See docs/protocol.md#relevance.
//!
//! Each method is a [`Rule`](crate::propagate::Rule), and one walker runs them all. What several of
//! them do at an operation is here.

pub mod agf;
mod canonizer;
pub mod composite;
pub mod contrast;
mod factored;
mod linear_layer;
pub mod lrp;
mod lrp_rule;
pub mod rap;
pub mod rsp;
#[cfg(test)]
mod tests;

use tch::Tensor;

pub use self::factored::Relevance;
use self::factored::output;
pub use self::linear_layer::LinearLayer;
pub use self::lrp_rule::Share;
use crate::Result;
use crate::network::Op;
use crate::propagate::LayerVisit;

/// Added to a denominator that isn't zero.
const EPS: f64 = 1e-9;

/// `a / (b + 1e-9)` where b isn't zero, and zero where it is: `sd` of
/// docs/protocol.md#safe-division.
pub fn divide(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    Ok(over(a, b.f_add_scalar(EPS)?)?.f_mul_(&present(b)?)?)
}

/// `a / b`, in b's place unless b is broadcast.
fn over(a: &Tensor, b: Tensor) -> Result<Tensor> {
    Ok(if a.size() == b.size() { a.f_div_out(&b, &b)? } else { a.f_div(&b)? })
}

/// `a / b` where b isn't zero, and zero where it is: `sd0` of docs/protocol.md#safe-division.
pub fn divide_exactly(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let present = present(b)?;
    // One where b is zero.
    let denominator = present.f_neg()?.f_add_scalar_(1.0)?.f_add_(b)?;
    Ok(over(a, denominator)?.f_mul_(&present)?)
}

/// `a / (b ± ε)`, with b's sign, plus where b is zero: the ε-rule's division.
pub fn divide_away_from_zero(a: &Tensor, b: &Tensor, epsilon: f64) -> Result<Tensor> {
    let sign = b.f_ge(0.0)?.f_to_kind(b.kind())?.f_mul_scalar_(2.0)?.f_sub_scalar_(1.0)?;
    over(a, sign.f_mul_scalar(epsilon)?.f_add_(b)?)
}

/// The z-rule, for operations that are linear where they are (pools, sums, concatenation): each
/// input's share in the output, `X · VJP(f; R / f(X))`.
pub fn z_rule<C>(visit: &LayerVisit<'_, C>, relevance: &Relevance) -> Result<Vec<Relevance>> {
    if let Op::MaxPool(_) | Op::Concat = visit.op {
        // Each output is one input.
        let back = visit.vjp_of(&relevance.where_present(visit)?)?;
        return Ok(back.into_iter().map(Relevance::from).collect());
    }
    let shares = match relevance.share_in_output(visit)? {
        Some(shares) => shares,
        None => divide(&relevance.whole()?, &output(visit)?)?,
    };
    shared(visit, &shares)
}

/// `X · VJP(f; S)`, for each input X.
fn shared<C>(visit: &LayerVisit<'_, C>, shares: &Tensor) -> Result<Vec<Relevance>> {
    let back = visit.vjp_of(shares)?;
    Ok(back.into_iter().enumerate().map(|(index, back)| Relevance::of_input(visit, index, back)).collect())
}

/// The zᴮ-rule, for the convolution that reads pixels (Montavon et al., Pattern Recognition 2017):
/// shares of what an input adds to the least, l, or takes from the most, h, that a pixel may be.
/// Here those are the extrema of a view over all its channels, as in the released code.
///
/// `R' = (X − l) · VJP(W⁺; S) + (X − h) · VJP(W⁻; S)`, `S = R / (W⁺(X − l) + W⁻(X − h))`.
pub fn z_bounded(layer: &LinearLayer<'_>, x: &Tensor, relevance: &Tensor) -> Result<Tensor> {
    let axes = [1i64, 2, 3];
    let above = x.f_sub(&x.f_amin(axes.as_slice(), true)?)?;
    let below = x.f_sub(&x.f_amax(axes.as_slice(), true)?)?;
    let (positive, negative) = (layer.weight().f_clamp_min(0.0)?, layer.weight().f_clamp_max(0.0)?);
    // Both at once: as twice as many channels they cost what one does.
    let channels = x.size()[1];
    let (weight, x) = (Tensor::f_cat(&[positive, negative], 1)?, Tensor::f_cat(&[above, below], 1)?);
    let shares = over(relevance, layer.sums(&weight, &x)?)?;
    let back = layer.back(&weight, &x, &shares)?.f_mul_(&x)?;
    Ok(back.f_view([x.size()[0], 2, channels, x.size()[2], x.size()[3]])?.f_sum_dim_intlist(
        [1i64].as_slice(),
        false,
        x.kind(),
    )?)
}

/// Shares by magnitude, `|x| · VJP(|W|; R / |W||x|)`.
pub fn absolute(layer: &LinearLayer<'_>, x: &Tensor, relevance: &Tensor) -> Result<Tensor> {
    let (weight, x) = (layer.weight().f_abs()?, x.f_abs()?);
    let shares = over(relevance, layer.sums(&weight, &x)?)?;
    Ok(layer.back(&weight, &x, &shares)?.f_mul_(&x)?)
}

/// Sum of each sample over all else, of a shape that broadcasts: `[B, 1, …]`.
pub fn total(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_sum_dim_intlist(behind_batch(x).as_slice(), true, x.kind())?)
}

/// Adds the same to all of a sample's entries that aren't zero, so that they sum up to `wanted`,
/// `[B, 1, …]`.
pub fn shifted(x: &Tensor, wanted: &Tensor) -> Result<Tensor> {
    let mut present = present(x)?;
    let shift = divide(&wanted.f_sub(&total(x)?)?, &total(&present)?)?;
    Ok(present.f_mul_(&shift)?.f_add_(x)?)
}

/// Each sample's maximum over all else, `[B, 1, …]`.
pub fn maximum(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_amax(behind_batch(x).as_slice(), true)?)
}

/// 1 where `x` isn't zero, and 0 where it is. By way of the sign: libtorch's comparisons and masks
/// cost several times as much as arithmetic.
pub fn present(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_sign()?.f_abs_()?)
}

fn behind_batch(x: &Tensor) -> Vec<i64> {
    (1..x.dim() as i64).collect()
}
