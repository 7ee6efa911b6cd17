//! The sum of two inputs.

use tch::Tensor;

use super::affine::{Affine, number, scaled, shifted};
use super::import::{Built, Call, Import, Term};
use super::shapes::{broadcast, summed_to};
use super::{Change, Layouts, Op, OpKind, Operation};
use crate::Result;

/// Elementwise sum of two inputs.
#[derive(Debug, Clone, Copy)]
pub struct Add;

impl Operation for Add {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Sum
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_add(inputs[1])?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        inputs.iter().map(|input| summed_to(cotangent, &input.size())).collect()
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

/// Two operands, of which one doesn't depend on the image, or none.
fn sum(call: &Call<'_>) -> Result<Built> {
    let term = match (call.is_constant(0), call.is_constant(1)) {
        (_, true) => shifted(call, 0, &call.constant(1)?)?,
        (true, _) => shifted(call, 1, &call.constant(0)?)?,
        _ => Term::Apply(Add.into(), vec![Term::Operand(0), Term::Operand(1)]),
    };
    Ok(term.into())
}

/// ONNX entry.
pub(super) static ADD: Import = Import::new("Add", sum);

/// ONNX entry.
pub(super) static SUM: Import = Import::new("Sum", |call| match call.operands.len() {
    1 => Ok(Term::Operand(0).into()),
    2 => sum(call),
    count => {
        let add = |sum, index| Term::Apply(Add.into(), vec![sum, Term::Operand(index)]);
        Ok((1..count).fold(Term::Operand(0), add).into())
    }
});

/// ONNX entry.
pub(super) static SUB: Import = Import::new("Sub", |call| {
    Ok(match (call.is_constant(0), call.is_constant(1)) {
        (_, true) => shifted(call, 0, &call.constant(1)?.f_neg()?)?,
        (true, _) => {
            let op = Affine { scale: Some(number(-1.0)), shift: Some(call.constant(0)?.f_to_kind(tch::Kind::Float)?) };
            Term::Apply(op.into(), vec![Term::Operand(1)])
        }
        _ => Term::Apply(Add.into(), vec![Term::Operand(0), scaled(call, 1, &number(-1.0))?]),
    }
    .into())
});
