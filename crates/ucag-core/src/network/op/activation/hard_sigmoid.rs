//! The piecewise linear sigmoid.

use super::super::import::{Import, activation};
use super::{Function, indicator};

/// `clamp(α x + β, 0, 1)`, of α and β.
pub(super) static HARD_SIGMOID: Function = Function {
    name: "hard-sigmoid",
    apply: |x, p| Ok(x.f_mul_scalar(p[0])?.f_add_scalar_(p[1])?.f_clamp_(0.0, 1.0)?),
    derivative: Some(|_, y, p| Ok(indicator(&y.f_gt(0.0)?.f_logical_and(&y.f_lt(1.0)?)?, y)?.f_mul_scalar_(p[0])?)),
    is_positive: |_, _| true,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("HardSigmoid", |call| {
    let number = |name, default| call.float(name, default).map(f64::from);
    // PyTorch writes a sixth in single precision.
    let alpha = match number("alpha", 0.2)? {
        alpha if (alpha - 1.0 / 6.0).abs() < 1e-7 => 1.0 / 6.0,
        alpha => alpha,
    };
    Ok(activation(&HARD_SIGMOID, vec![alpha, number("beta", 0.5)?]))
});
