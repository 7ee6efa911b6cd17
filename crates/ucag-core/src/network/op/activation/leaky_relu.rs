//! The leaky rectifier.

use super::super::import::{Import, activation};
use super::{Function, indicator};

/// `x` above zero, `α x` below, of α.
pub(super) static LEAKY_RELU: Function = Function {
    name: "leaky-relu",
    apply: |x, p| Ok(x.f_clamp_min(0.0)?.f_add(&x.f_clamp_max(0.0)?.f_mul_scalar(p[0])?)?),
    derivative: Some(|x, _, p| Ok(indicator(&x.f_gt(0.0)?, x)?.f_mul_scalar_(1.0 - p[0])?.f_add_scalar_(p[0])?)),
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import =
    Import::new("LeakyRelu", |call| Ok(activation(&LEAKY_RELU, vec![f64::from(call.float("alpha", 0.01)?)])));
