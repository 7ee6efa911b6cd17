//! The Gaussian error linear unit, exact and by tanh.

use super::super::import::{Import, activation};
use super::Function;
use crate::Error;

/// `x Φ(x)`, with the Gaussian's distribution function Φ.
pub(super) static GELU: Function = Function {
    name: "gelu",
    apply: |x, _| Ok(x.f_gelu("none")?),
    derivative: Some(|x, _, _| {
        // Φ(x) + x φ(x)
        let phi = x.f_square()?.f_mul_scalar_(-0.5)?.f_exp_()?.f_mul_scalar_(INVERSE_ROOT_OF_TAU)?;
        let distribution =
            x.f_mul_scalar(std::f64::consts::FRAC_1_SQRT_2)?.f_erf_()?.f_add_scalar_(1.0)?.f_mul_scalar_(0.5)?;
        Ok(phi.f_mul(x)?.f_add_(&distribution)?)
    }),
    is_positive: |positive, _| positive,
};

/// `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
pub(super) static GELU_TANH: Function = Function {
    name: "gelu-tanh",
    apply: |x, _| Ok(x.f_gelu("tanh")?),
    derivative: None,
    is_positive: |positive, _| positive,
};

/// 1/√(2π)
const INVERSE_ROOT_OF_TAU: f64 = 0.398_942_280_401_432_7;

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Gelu", |call| match call.text("approximate", "none")?.as_str() {
    "none" => Ok(activation(&GELU, vec![])),
    "tanh" => Ok(activation(&GELU_TANH, vec![])),
    other => Err(Error::Invalid(format!("approximate is '{other}', expected 'none' or 'tanh'"))),
});
