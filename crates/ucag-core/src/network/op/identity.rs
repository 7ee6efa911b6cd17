//! Operations that change nothing.

use tch::Tensor;

use super::import::{Built, Import, Term};
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

/// ONNX entry.
pub(super) static DROPOUT: Import = Import::new("Dropout", |_| Ok(Built::one(Dropout)));

/// ONNX entry.
pub(super) static IDENTITY: Import = Import::new("Identity", |_| Ok(Term::Operand(0).into()));

/// ONNX entry. Activations are in single precision, whatever a file says.
pub(super) static CAST: Import = Import::new("Cast", |call| match call.int("to", 1)? {
    // FLOAT, FLOAT16, DOUBLE and BFLOAT16.
    1 | 10 | 11 | 16 => Ok(Term::Operand(0).into()),
    _ => super::shapes::refuse("it turns an activation into integers".into()),
});

/// ONNX entry.
pub(super) static CAST_LIKE: Import = Import::new("CastLike", |_| Ok(Term::Operand(0).into()));
