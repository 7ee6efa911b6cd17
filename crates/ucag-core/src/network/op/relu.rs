//! The rectifier.

use tch::Tensor;

use super::import::{Built, Import};
use super::{Change, Layouts, Op, OpKind, Operation};
use crate::Result;

/// `max(x, 0)`.
#[derive(Debug, Clone, Copy)]
pub struct Relu;

impl Operation for Relu {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Relu
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_relu()?)
    }

    fn vjp(&self, _: &[&Tensor], output: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![output.f_threshold_backward(cotangent, 0.0)?])
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

    fn apply_in_place(&self, input: &Tensor) -> Result<Option<Tensor>> {
        Ok(Some(input.shallow_clone().f_relu_()?))
    }

    fn layouts(&self) -> Layouts {
        Layouts::Blocked
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Relu", |_| Ok(Built::one(Relu)));
