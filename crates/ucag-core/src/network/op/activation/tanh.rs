//! The hyperbolic tangent.

use super::super::import::{Import, activation};
use super::Function;

/// `tanh x`.
pub(super) static TANH: Function = Function {
    name: "tanh",
    apply: |x, _| Ok(x.f_tanh()?),
    derivative: Some(|_, y, _| Ok(y.f_square()?.f_neg()?.f_add_scalar_(1.0)?)),
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Tanh", |_| Ok(activation(&TANH, vec![])));
