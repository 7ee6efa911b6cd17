//! The identity.

use tch::Tensor;

use super::{Change, Layouts, Op, OpKind, Operation};
use crate::Result;

/// The identity in evaluation; kept so that layers have the numbers their owners gave them.
#[derive(Debug, Clone, Copy)]
pub struct Dropout;

impl Operation for Dropout {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Identity
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

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn layouts(&self) -> Layouts {
        Layouts::Blocked
    }

    fn is_view(&self) -> bool {
        true
    }
}
