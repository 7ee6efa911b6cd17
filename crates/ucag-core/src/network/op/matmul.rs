//! The matrix product of two inputs.

use tch::Tensor;

use super::import::{Built, Import, Term};
use super::shapes::{broadcast, refuse};
use super::{Change, Linear, Op, OpKind, Operation};
use crate::Result;

/// Product of two inputs' last two axes as matrices.
#[derive(Debug, Clone, Copy)]
pub struct MatMul;

impl Operation for MatMul {
    fn kind(&self) -> OpKind<'_> {
        OpKind::MatMul
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_matmul(inputs[1])?)
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        match [inputs[0], inputs[1]] {
            [[more_a @ .., rows, a], [more_b @ .., b, columns]] if a == b => {
                let mut shape = broadcast(more_a, more_b)?;
                shape.extend([*rows, *columns]);
                Ok(shape)
            }
            [a, b] => refuse(format!("matrices of shapes {a:?} and {b:?} have no product")),
        }
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }
}

/// ONNX entry: a fully connected layer where the second operand is a weight.
pub(super) static ONNX: Import = Import::new("MatMul", |call| {
    if !call.is_constant(1) && !call.is_constant(0) {
        return Ok(Term::Apply(MatMul.into(), vec![Term::Operand(0), Term::Operand(1)]).into());
    }
    if call.is_constant(0) {
        return refuse(
            "a weight times an activation is no layer that is known here; an activation times a weight is".into(),
        );
    }
    let weight = call.constant(1)?;
    match weight.dim() {
        2 => Ok(Built::one(Linear { weight: weight.f_transpose(0, 1)?.f_contiguous()?, bias: None })),
        _ => refuse(format!("its weight has the shape {:?}, expected a matrix", weight.size())),
    }
});
