//! Batch normalization.

use tch::Tensor;

use super::{Change, Layouts, Op, OpKind, Operation};
use crate::Result;

/// Batch normalisation with running statistics: `(x - mean) / sqrt(var + eps) * weight + bias`,
/// each `[C]`.
#[derive(Debug)]
pub struct BatchNorm {
    /// Scale γ.
    pub weight: Tensor,
    /// Shift β.
    pub bias: Tensor,
    /// Running mean.
    pub mean: Tensor,
    /// Running variance.
    pub var: Tensor,
    /// Added to the variance.
    pub eps: f64,
}

impl BatchNorm {
    /// Returns the factor of each channel, `[C]`.
    pub(crate) fn scale(&self) -> Result<Tensor> {
        Ok(self.weight.f_div(&self.var.f_add_scalar(self.eps)?.f_sqrt()?)?)
    }
}

impl Operation for BatchNorm {
    fn kind(&self) -> OpKind<'_> {
        OpKind::BatchNorm(self)
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let Self { weight, bias, mean, var, eps } = self;
        Ok(inputs[0].f_batch_norm(Some(weight), Some(bias), Some(mean), Some(var), false, 0.0, *eps, false)?)
    }

    fn vjp(&self, _: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![cotangent.f_mul(&self.scale()?.f_view([1, -1, 1, 1])?)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        Ok(inputs[0].to_vec())
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        Ok(BatchNorm {
            weight: change(&self.weight)?,
            bias: change(&self.bias)?,
            mean: change(&self.mean)?,
            var: change(&self.var)?,
            eps: self.eps,
        }
        .into())
    }

    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(Some(self.bias.f_sub(&self.mean.f_mul(&self.scale()?)?)?.f_view([1, -1, 1, 1])?))
    }

    fn layouts(&self) -> Layouts {
        Layouts::ChannelsLast
    }
}
