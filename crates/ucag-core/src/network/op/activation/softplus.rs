//! The soft rectifier.

use super::super::import::{Import, activation};
use super::Function;

/// `log(1 + exp(x))`.
pub(super) static SOFTPLUS: Function = Function {
    name: "softplus",
    apply: |x, _| Ok(x.f_softplus()?),
    derivative: Some(|x, _, _| Ok(x.f_sigmoid()?)),
    is_positive: |_, _| true,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Softplus", |_| Ok(activation(&SOFTPLUS, vec![])));
