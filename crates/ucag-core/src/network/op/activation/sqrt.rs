//! The square root.

use super::super::import::{Import, activation};
use super::Function;

/// `√x`.
pub(crate) static SQRT: Function = Function {
    name: "sqrt",
    apply: |x, _| Ok(x.f_sqrt()?),
    derivative: Some(|_, y, _| Ok(y.f_reciprocal()?.f_mul_scalar_(0.5)?)),
    is_positive: |_, _| true,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Sqrt", |_| Ok(activation(&SQRT, vec![])));
