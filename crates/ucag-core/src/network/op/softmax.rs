//! The softmax.

use tch::Tensor;

use super::import::{Built, Import};
use super::shapes::{axis_of, refuse};
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// Exponentials over their sum along an axis.
#[derive(Debug, Clone, Copy)]
pub struct Softmax {
    /// The axis.
    pub axis: usize,
}

impl Operation for Softmax {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Softmax
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_softmax(self.axis as i64, inputs[0].kind())?)
    }

    fn vjp(&self, _: &[&Tensor], output: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![Tensor::f_internal_softmax_backward_data(cotangent, output, self.axis as i64, output.kind())?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        Ok(inputs[0].to_vec())
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, _: &[bool]) -> bool {
        true
    }
}

/// ONNX entry. Before operator set 13 all axes from the given one on were one.
pub(super) static ONNX: Import = Import::new("Softmax", |call| {
    let rank = call.shape(0)?.len();
    let axis = axis_of(call.int("axis", if call.opset < 13 { 1 } else { -1 })?, rank)?;
    match call.opset < 13 && axis + 1 != rank {
        true => refuse(format!("axis {axis} of {rank} in operator set {}: export with 13 or later", call.opset)),
        false => Ok(Built::one(Softmax { axis })),
    }
});
