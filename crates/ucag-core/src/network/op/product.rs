//! The product of two inputs.

use tch::Tensor;

use super::activation::{self, Activation};
use super::affine::{self, Affine, scaled};
use super::import::{Built, Call, Draft, Import, Term};
use super::shapes::{broadcast, summed_to};
use super::{Change, Layouts, Op, OpKind, Operation};
use crate::Result;

/// Elementwise product of two inputs, one of which may be a gate on the other.
#[derive(Debug, Clone, Copy)]
pub struct Product {
    /// True if the second input weights the first: it is smaller, as in squeeze and excitation, or
    /// between 0 and 1. Else nothing tells the two apart.
    pub is_gated: bool,
}

impl Operation for Product {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Product(self)
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_mul(inputs[1])?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let back = |own: usize, other: usize| summed_to(&cotangent.f_mul(inputs[other])?, &inputs[own].size());
        Ok(vec![back(0, 1)?, back(1, 0)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        broadcast(inputs[0], inputs[1])
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs.iter().all(|&positive| positive)
    }

    fn layouts(&self) -> Layouts {
        Layouts::ChannelsLast
    }
}

/// The product of two operands that depend on the image, or the activation that it is.
fn product(call: &Call<'_>) -> Result<Term> {
    let (a, b) = (call.source(0)?, call.source(1)?);
    if let Some((op, input, factor)) = activation::as_product(call.drafts, a, b)? {
        let term = Term::Draft(input).then(op);
        let is_one = (factor - 1.0).abs() < 1e-6;
        return Ok(if is_one { term } else { term.then(Affine::scaling(affine::number(factor))) });
    }
    Ok(match gate(call.drafts, [a, b]) {
        Some(gate) => {
            Term::Apply(Product { is_gated: true }.into(), vec![Term::Operand(1 - gate), Term::Operand(gate)])
        }
        None => Term::Apply(Product { is_gated: false }.into(), vec![Term::Operand(0), Term::Operand(1)]),
    })
}

/// The input that weights the other.
fn gate(drafts: &[Draft], inputs: [usize; 2]) -> Option<usize> {
    let size = |id: usize| drafts[id].shape.iter().product::<i64>();
    let is_fraction = |id: usize| {
        let op = &drafts[id].op;
        op.downcast_ref().is_some_and(Activation::is_fraction) || matches!(op.kind(), OpKind::Softmax)
    };
    let [a, b] = inputs;
    match size(a).cmp(&size(b)) {
        std::cmp::Ordering::Less => Some(0),
        std::cmp::Ordering::Greater => Some(1),
        std::cmp::Ordering::Equal => match (is_fraction(a), is_fraction(b)) {
            (true, false) => Some(0),
            (false, true) => Some(1),
            _ => None,
        },
    }
}

/// ONNX entry.
pub(super) static MUL: Import = Import::new("Mul", |call| {
    Ok(Built::from(match (call.is_constant(0), call.is_constant(1)) {
        (_, true) => scaled(call, 0, &call.constant(1)?)?,
        (true, _) => scaled(call, 1, &call.constant(0)?)?,
        _ => product(call)?,
    }))
});

/// ONNX entry.
pub(super) static DIV: Import = Import::new("Div", |call| {
    let inverse = |index| Term::Apply(activation::reciprocal().into(), vec![Term::Operand(index)]);
    Ok(Built::from(match (call.is_constant(0), call.is_constant(1)) {
        (_, true) => scaled(call, 0, &call.constant(1)?.f_to_kind(tch::Kind::Float)?.f_reciprocal()?)?,
        (true, _) => inverse(1).then(Affine::scaling(call.constant(0)?.f_to_kind(tch::Kind::Float)?)),
        _ => match super::layer_norm::as_quotient(call.drafts, call.source(0)?, call.source(1)?)? {
            Some((norm, input)) => Term::Draft(input).then(norm),
            None => Term::Apply(Product { is_gated: true }.into(), vec![Term::Operand(0), inverse(1)]),
        },
    }))
});
