//! The natural logarithm.

use super::super::import::{Import, activation};
use super::Function;

/// `log x`.
pub(super) static LOG: Function = Function {
    name: "log",
    apply: |x, _| Ok(x.f_log()?),
    derivative: Some(|x, _, _| Ok(x.f_reciprocal()?)),
    is_positive: |_, _| false,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Log", |_| Ok(activation(&LOG, vec![])));
