//! Fully connected layers.

use tch::Tensor;

use super::shapes::refuse;
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// `x Wᵀ + b`, on the last axis.
#[derive(Debug)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: Tensor,
    /// `[out]`.
    pub bias: Option<Tensor>,
}

impl Operation for Linear {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Linear(self)
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_linear(&self.weight, self.bias.as_ref())?)
    }

    fn vjp(&self, _: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![cotangent.f_matmul(&self.weight)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let (weight, mut shape) = (self.weight.size(), inputs[0].to_vec());
        match shape.last_mut() {
            Some(last) if *last == weight[1] => *last = weight[0],
            _ => return refuse(format!("a fully connected layer reads {} features, not {:?}", weight[1], inputs[0])),
        }
        Ok(shape)
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        Ok(Linear { weight: change(&self.weight)?, bias: self.bias.as_ref().map(change).transpose()? }.into())
    }

    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(self.bias.as_ref().map(Tensor::shallow_clone))
    }
}
