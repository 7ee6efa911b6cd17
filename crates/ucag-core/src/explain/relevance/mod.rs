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
pub use self::lrp_rule::{Inputs, LrpRule, z_box_rule};
use crate::Result;
use crate::network::OpKind;
use crate::propagate::LayerVisit;
use crate::tensor_ext::TensorExt;

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

/// The z-rule, for operations that are linear where they are (pools, sums, concatenation):
/// `R' = x ⊙ fᵀ(R / f(x))`.
pub fn z_rule<C>(visit: &LayerVisit<'_, C>, relevance: &Relevance) -> Result<Vec<Relevance>> {
    if let OpKind::MaxPool | OpKind::Concat = visit.op.kind() {
        // Each output is one input.
        let relevance = visit.vjp_of(&relevance.masked(visit)?)?;
        return Ok(relevance.into_iter().map(Relevance::from).collect());
    }
    let s = match relevance.factor_of_output(visit)? {
        Some(s) => s,
        None => divide(&relevance.to_tensor()?, &output(visit)?)?,
    };
    transpose_and_multiply(visit, &s)
}

/// Steps 3 and 4 of a rule for an operation without weights: `x ⊙ fᵀs`, for each input x.
fn transpose_and_multiply<C>(visit: &LayerVisit<'_, C>, s: &Tensor) -> Result<Vec<Relevance>> {
    let c = visit.vjp_of(s)?;
    Ok(c.into_iter().enumerate().map(|(index, c)| Relevance::of_input(visit, index, c)).collect())
}

/// The |z|-rule, in proportion to the size of contributions:
/// `R' = |x| ⊙ |W|ᵀ(R / (|W||x| + 1e-9))`.
pub fn absolute_rule(layer: &LinearLayer<'_>, x: &Tensor, relevance: &Tensor) -> Result<Tensor> {
    let (weight, x) = (layer.weight().f_abs()?, x.f_abs()?);
    let s = over(relevance, layer.forward_stabilized(&weight, &x)?)?;
    let mut c = layer.transpose(&weight, &x, &s)?;
    Ok(c.f_mul_(&x)?)
}

/// Sum of each sample over all else, of a shape that broadcasts: `[B, 1, …]`.
pub fn total(x: &Tensor) -> Result<Tensor> {
    x.sum_over(behind_batch(x))
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
    x.max_over(behind_batch(x))
}

/// 1 where `x` isn't zero, and 0 where it is. By way of the sign: libtorch's comparisons and masks
/// cost several times as much as arithmetic.
pub fn present(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_sign()?.f_abs_()?)
}

fn behind_batch(x: &Tensor) -> Vec<i64> {
    (1..x.dim() as i64).collect()
}
