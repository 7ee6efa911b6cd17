//! The continuously differentiable ELU.

use super::super::import::{Import, activation};
use super::Function;

/// `max(x, 0) + min(α (exp(x/α) − 1), 0)`, of α.
pub(super) static CELU: Function = Function {
    name: "celu",
    apply: |x, p| {
        Ok(x.f_maximum(&x.f_zeros_like()?)?
            .f_add(&x.f_div_scalar(p[0])?.f_expm1()?.f_mul_scalar(p[0])?.f_clamp_max(0.0)?)?)
    },
    derivative: None,
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import =
    Import::new("Celu", |call| Ok(activation(&CELU, vec![f64::from(call.float("alpha", 1.0)?)])));
