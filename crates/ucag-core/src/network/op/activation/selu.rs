//! The scaled exponential linear unit.

use super::super::import::{Import, activation};
use super::Function;

/// `γ x` above zero, `γ α (exp(x) − 1)` below, of α and γ.
pub(super) static SELU: Function = Function {
    name: "selu",
    apply: |x, p| {
        let below = x.f_clamp_max(0.0)?.f_expm1()?.f_mul_scalar(p[0])?;
        Ok(x.f_clamp_min(0.0)?.f_add(&below)?.f_mul_scalar_(p[1])?)
    },
    derivative: None,
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Selu", |call| {
    let number = |name, default| call.float(name, default).map(f64::from);
    Ok(activation(&SELU, vec![number("alpha", 1.673_263_2)?, number("gamma", 1.050_701)?]))
});
