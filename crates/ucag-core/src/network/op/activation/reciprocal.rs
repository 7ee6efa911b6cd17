//! The reciprocal.

use super::super::import::{Import, activation};
use super::Function;

/// `1/x`.
pub(super) static RECIPROCAL: Function = Function {
    name: "reciprocal",
    apply: |x, _| Ok(x.f_reciprocal()?),
    derivative: Some(|_, y, _| Ok(y.f_square()?.f_neg()?)),
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Reciprocal", |_| Ok(activation(&RECIPROCAL, vec![])));
