//! Repetition along axes of size 1.

use tch::Tensor;

use super::import::{Built, Import, Term};
use super::shapes::{broadcast, summed_to};
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// The input, repeated along axes of size 1 to a shape.
#[derive(Debug, Clone)]
pub struct Expand {
    /// Sizes; 1 where the input's is kept.
    pub sizes: Vec<i64>,
}

impl Operation for Expand {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Reshape
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_expand(broadcast(&inputs[0].size(), &self.sizes)?, false)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![summed_to(cotangent, &inputs[0].size())?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        broadcast(inputs[0], &self.sizes)
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok(self.clone().into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn is_view(&self) -> bool {
        true
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Expand", |call| {
    let sizes = call.integers(1)?;
    match broadcast(call.shape(0)?, &sizes)? == call.shape(0)? {
        true => Ok(Term::Operand(0).into()),
        false => Ok(Built::one(Expand { sizes })),
    }
});
