//! The sum of two inputs.

use tch::Tensor;

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
