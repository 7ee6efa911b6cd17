//! Scales and shifts that don't depend on the image.

use tch::Tensor;

use super::shapes::{broadcast, summed_to};
use super::{Change, Layouts, Op, OpKind, Operation};
use crate::Result;

/// `x · scale + shift`, with tensors that broadcast: Inception's `transform_input`, a layer scale,
/// position embeddings.
#[derive(Debug)]
pub struct Affine {
    /// Factor.
    pub scale: Option<Tensor>,
    /// Summand.
    pub shift: Option<Tensor>,
}

impl Operation for Affine {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Affine
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let scaled = match &self.scale {
            Some(scale) => inputs[0].f_mul(scale)?,
            None => inputs[0].shallow_clone(),
        };
        Ok(match &self.shift {
            Some(shift) => scaled.f_add(shift)?,
            None => scaled,
        })
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let scaled = match &self.scale {
            Some(scale) => cotangent.f_mul(scale)?,
            None => cotangent.shallow_clone(),
        };
        Ok(vec![summed_to(&scaled, &inputs[0].size())?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let weights = [&self.scale, &self.shift].into_iter().flatten();
        weights.map(Tensor::size).try_fold(inputs[0].to_vec(), |shape, weight| broadcast(&shape, &weight))
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        let optional = |weight: &Option<Tensor>| weight.as_ref().map(change).transpose();
        Ok(Affine { scale: optional(&self.scale)?, shift: optional(&self.shift)? }.into())
    }

    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(self.shift.as_ref().map(Tensor::shallow_clone))
    }

    fn layouts(&self) -> Layouts {
        Layouts::ChannelsLast
    }
}
