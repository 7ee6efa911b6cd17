//! The logistic function.

use super::super::import::{Import, activation};
use super::Function;

/// `σ(x) = 1 / (1 + exp(−x))`.
pub(super) static SIGMOID: Function = Function {
    name: "sigmoid",
    apply: |x, _| Ok(x.f_sigmoid()?),
    derivative: Some(|_, y, _| Ok(y.f_neg()?.f_add_scalar_(1.0)?.f_mul_(y)?)),
    is_positive: |_, _| true,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Sigmoid", |_| Ok(activation(&SIGMOID, vec![])));
