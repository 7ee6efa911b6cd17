//! Reductions of tensors in short, so that formulas read as in papers.

use tch::Tensor;

use crate::Result;

/// Reductions over some dimensions, which stay as dimensions of length one: `[B, K, u, v]` over
/// `[1]` is `[B, 1, u, v]`.
pub trait TensorExt {
    /// Sum over `dims`, in the tensor's own precision.
    fn sum_over(&self, dims: impl AsRef<[i64]>) -> Result<Tensor>;

    /// Mean over `dims`, in the tensor's own precision.
    fn mean_over(&self, dims: impl AsRef<[i64]>) -> Result<Tensor>;

    /// Maximum over `dims`.
    fn max_over(&self, dims: impl AsRef<[i64]>) -> Result<Tensor>;

    /// Minimum over `dims`.
    fn min_over(&self, dims: impl AsRef<[i64]>) -> Result<Tensor>;
}

impl TensorExt for Tensor {
    fn sum_over(&self, dims: impl AsRef<[i64]>) -> Result<Tensor> {
        Ok(self.f_sum_dim_intlist(dims.as_ref(), true, self.kind())?)
    }

    fn mean_over(&self, dims: impl AsRef<[i64]>) -> Result<Tensor> {
        Ok(self.f_mean_dim(dims.as_ref(), true, self.kind())?)
    }

    fn max_over(&self, dims: impl AsRef<[i64]>) -> Result<Tensor> {
        Ok(self.f_amax(dims.as_ref(), true)?)
    }

    fn min_over(&self, dims: impl AsRef<[i64]>) -> Result<Tensor> {
        Ok(self.f_amin(dims.as_ref(), true)?)
    }
}
