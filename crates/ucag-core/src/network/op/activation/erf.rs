//! The error function.

use super::super::import::{Import, activation};
use super::Function;

/// `erf(x)`.
pub(super) static ERF: Function =
    Function { name: "erf", apply: |x, _| Ok(x.f_erf()?), derivative: None, is_positive: |positive, _| positive };

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Erf", |_| Ok(activation(&ERF, vec![])));
