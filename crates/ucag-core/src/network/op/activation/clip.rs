//! Clipping to a range; ReLU6.

use super::super::Relu;
use super::super::import::{Built, Import, activation};
use super::{Activation, Function, indicator};

/// `min(max(x, low), high)`, of low and high.
pub static CLIP: Function = Function {
    name: "clip",
    apply: |x, p| Ok(x.f_clamp(p[0], p[1])?),
    // Zero at both ends, as torch has it of ReLU6.
    derivative: Some(|x, _, p| indicator(&x.f_gt(p[0])?.f_logical_and(&x.f_lt(p[1])?)?, x)),
    is_positive: |_, p| p[0] >= 0.0,
};

/// `min(max(x, 0), 6)`.
pub fn relu6() -> Activation {
    Activation { function: &CLIP, parameters: vec![0.0, 6.0] }
}

/// ONNX entry. The bounds were attributes before opset 11, and are inputs now.
pub(super) static ONNX: Import = Import::new("Clip", |call| {
    let bound = |input: usize, attribute: &str, open: f32| match call.opset < 11 {
        true => call.float(attribute, open).map(f64::from),
        false => Ok(call.optional_number(input)?.unwrap_or(f64::from(open))),
    };
    let (low, high) = (bound(1, "min", f32::NEG_INFINITY)?, bound(2, "max", f32::INFINITY)?);
    if low == 0.0 && high == f64::INFINITY {
        return Ok(Built::one(Relu));
    }
    Ok(activation(&CLIP, vec![low, high]))
});
