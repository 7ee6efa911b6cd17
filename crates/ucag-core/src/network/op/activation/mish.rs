//! The mish.

use super::super::import::{Import, activation};
use super::Function;

/// `x tanh(log(1 + exp(x)))`.
pub(super) static MISH: Function =
    Function { name: "mish", apply: |x, _| Ok(x.f_mish()?), derivative: None, is_positive: |positive, _| positive };

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Mish", |_| Ok(activation(&MISH, vec![])));
