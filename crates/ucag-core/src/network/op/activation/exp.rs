//! The exponential function.

use super::super::import::{Import, activation};
use super::Function;

/// `exp(x)`.
pub(super) static EXP: Function = Function {
    name: "exp",
    apply: |x, _| Ok(x.f_exp()?),
    derivative: Some(|_, y, _| Ok(y.copy())),
    is_positive: |_, _| true,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Exp", |_| Ok(activation(&EXP, vec![])));
