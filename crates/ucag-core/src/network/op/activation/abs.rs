//! The magnitude.

use super::super::import::{Import, activation};
use super::Function;

/// `|x|`.
pub(super) static ABS: Function = Function {
    name: "abs",
    apply: |x, _| Ok(x.f_abs()?),
    derivative: Some(|x, _, _| Ok(x.f_sign()?)),
    is_positive: |_, _| true,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Abs", |_| Ok(activation(&ABS, vec![])));
