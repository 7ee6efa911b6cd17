//! Local response normalization.

use tch::Tensor;

use super::import::{Built, Import};
use super::shapes::refuse;
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// `x / (bias + alpha · mean of x² over neighboring channels)^beta` (Krizhevsky et al., 2012).
#[derive(Debug, Clone, Copy)]
pub struct LocalResponseNorm {
    /// Number of channels in a neighborhood.
    pub size: i64,
    /// Factor of the mean square.
    pub alpha: f64,
    /// Exponent.
    pub beta: f64,
    /// Added to the mean square.
    pub bias: f64,
}

impl Operation for LocalResponseNorm {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Normalization
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let before = (self.size - 1) / 2;
        let squares = inputs[0].f_square()?.f_unsqueeze(1)?;
        let padded = squares.f_constant_pad_nd([0, 0, 0, 0, before, self.size - 1 - before])?;
        let means =
            padded.f_avg_pool3d([self.size, 1, 1], [1, 1, 1], [0, 0, 0], false, true, None)?.f_squeeze_dim(1)?;
        let scale = means.f_mul_scalar(self.alpha)?.f_add_scalar(self.bias)?.f_pow_tensor_scalar(-self.beta)?;
        Ok(inputs[0].f_mul(&scale)?)
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        Ok(inputs[0].to_vec())
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("LRN", |call| {
    let number = |name, default| call.float(name, default).map(f64::from);
    let size = call.int("size", 0)?;
    if size < 1 || call.shape(0)?.len() != 4 {
        return refuse(format!("{size} neighboring channels of {:?}", call.shape(0)?));
    }
    let (alpha, beta, bias) = (number("alpha", 1e-4)?, number("beta", 0.75)?, number("bias", 1.0)?);
    Ok(Built::one(LocalResponseNorm { size, alpha, beta, bias }))
});
