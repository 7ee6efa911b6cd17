//! The piecewise quadratic swish.

use super::super::import::{Import, activation};
use super::{Function, indicator};

/// `x clamp(x/6 + 1/2, 0, 1)`.
pub(super) static HARD_SWISH: Function = Function {
    name: "hard-swish",
    apply: |x, _| Ok(x.f_hardswish()?),
    derivative: Some(|x, _, _| {
        let middle = x.f_div_scalar(3.0)?.f_add_scalar_(0.5)?;
        let inside = indicator(&x.f_gt(-3.0)?.f_logical_and(&x.f_lt(3.0)?)?, x)?;
        Ok(middle.f_mul(&inside)?.f_add_(&indicator(&x.f_ge(3.0)?, x)?)?)
    }),
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("HardSwish", |_| Ok(activation(&HARD_SWISH, vec![])));
