//! The input of a network.

use tch::Tensor;

use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// The batch of views, `[B, channels, H, W]`, normalised.
#[derive(Debug, Clone, Copy)]
pub struct Input {
    /// 3, or 1 for grey images.
    pub channels: i64,
}

impl Operation for Input {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Input
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].shallow_clone())
    }

    fn vjp(&self, _: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![cotangent.shallow_clone()])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        Ok(inputs[0].to_vec())
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }
}
