//! The swish.

use super::super::import::{Import, activation};
use super::Function;

/// `x σ(x)`. ONNX has no operation for it before opset 24: files have `x` times `Sigmoid(x)`.
pub static SILU: Function = Function {
    name: "silu",
    apply: |x, _| Ok(x.f_silu()?),
    derivative: Some(|x, y, _| {
        let sigmoid = x.f_sigmoid()?;
        // σ + y (1 − σ)
        Ok(sigmoid.f_neg()?.f_add_scalar_(1.0)?.f_mul_(y)?.f_add_(&sigmoid)?)
    }),
    is_positive: |positive, _| positive,
};

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Swish", |call| match call.float("alpha", 1.0)? {
    1.0 => Ok(activation(&SILU, vec![])),
    alpha => Err(crate::Error::Invalid(format!("alpha is {alpha}; only 1 is known here"))),
});
