//! The exponential linear unit.

use super::super::import::{Import, activation};
use super::Function;

/// `x` above zero, `α (exp(x) − 1)` below, of α.
pub(super) static ELU: Function = Function {
    name: "elu",
    apply: |x, p| Ok(x.f_clamp_min(0.0)?.f_add(&x.f_clamp_max(0.0)?.f_expm1()?.f_mul_scalar(p[0])?)?),
    derivative: None,
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import =
    Import::new("Elu", |call| Ok(activation(&ELU, vec![f64::from(call.float("alpha", 1.0)?)])));
