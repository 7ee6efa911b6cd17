//! The concatenation of inputs.

use tch::Tensor;

use super::shapes::{axis_of, refuse};
use super::{Change, Layouts, Op, OpKind, Operation};
use crate::Result;

/// Concatenation of the inputs along an axis.
#[derive(Debug, Clone, Copy)]
pub struct Concat {
    /// 1 for channels; negative numbers count from the last axis.
    pub axis: i64,
}

impl Concat {
    /// Along channels.
    pub const CHANNELS: Self = Self { axis: 1 };
}

impl Operation for Concat {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Concat
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(Tensor::f_cat(inputs, self.axis)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let axis = axis_of(self.axis, inputs[0].dim())?;
        let widths: Vec<i64> = inputs.iter().map(|input| input.size()[axis]).collect();
        Ok(cotangent.f_split_with_sizes(&widths, axis as i64)?)
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let mut shape = inputs[0].to_vec();
        let axis = axis_of(self.axis, shape.len())?;
        for other in &inputs[1..] {
            if other.len() != shape.len() || (0..shape.len()).any(|at| at != axis && other[at] != shape[at]) {
                return refuse(format!("{other:?} and {:?} can't be concatenated along axis {axis}", inputs[0]));
            }
            shape[axis] += other[axis];
        }
        Ok(shape)
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
