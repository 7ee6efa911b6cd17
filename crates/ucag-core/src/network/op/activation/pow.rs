//! Powers with an exponent that doesn't depend on the image.

use super::super::import::{Import, activation};
use super::Function;

/// `xᵖ`, of p.
pub(crate) static POW: Function = Function {
    name: "pow",
    apply: |x, p| Ok(x.f_pow_tensor_scalar(p[0])?),
    derivative: Some(|x, _, p| Ok(x.f_pow_tensor_scalar(p[0] - 1.0)?.f_mul_scalar_(p[0])?)),
    is_positive: |positive, p| positive || p[0] % 2.0 == 0.0,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Pow", |call| Ok(activation(&POW, vec![call.number(1)?])));
