//! Flattening.

use tch::Tensor;

use super::import::{Built, Import};
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// `[B, C, h, w]` to `[B, C·h·w]`.
#[derive(Debug, Clone, Copy)]
pub struct Flatten;

impl Operation for Flatten {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Reshape
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_flatten(1, -1)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![cotangent.f_reshape(inputs[0].size())?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        match inputs[0] {
            [batch, rest @ ..] => Ok(vec![*batch, rest.iter().product()]),
            [] => super::shapes::refuse("a number can't be flattened".into()),
        }
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn is_view(&self) -> bool {
        true
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Flatten", |call| match call.int("axis", 1)? {
    1 => Ok(Built::one(Flatten)),
    axis => super::shapes::refuse(format!("axis is {axis}, expected 1, behind the batch")),
});
