//! The soft sign.

use super::super::import::{Import, activation};
use super::Function;

/// `x / (1 + |x|)`.
pub(super) static SOFTSIGN: Function = Function {
    name: "softsign",
    apply: |x, _| Ok(x.f_div(&x.f_abs()?.f_add_scalar_(1.0)?)?),
    derivative: None,
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Softsign", |_| Ok(activation(&SOFTSIGN, vec![])));
