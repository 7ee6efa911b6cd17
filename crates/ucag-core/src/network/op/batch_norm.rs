//! Batch normalization.

use tch::Tensor;

use super::import::{Built, Import};
use super::shapes::refuse;
use super::{Affine, Change, Layouts, Op, OpKind, Operation};
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
        let channels = self.weight.size();
        match inputs[0].get(1) {
            Some(given) if channels == [*given] => Ok(inputs[0].to_vec()),
            _ => refuse(format!("it normalizes {channels:?} channels, not {:?}", inputs[0])),
        }
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

/// ONNX entry. On anything but feature maps, it is a scale and a shift.
pub(super) static ONNX: Import = Import::new("BatchNormalization", |call| {
    if call.int("training_mode", 0)? != 0 {
        return refuse("it is in training mode; export the network after model.eval()".into());
    }
    let weights = [1, 2, 3, 4].map(|index| call.constant(index));
    let [weight, bias, mean, var] = weights;
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    // A decimal number that was written in single precision.
    let eps = format!("{:e}", eps as f32).parse().unwrap_or(eps);
    let norm = BatchNorm { weight: weight?, bias: bias?, mean: mean?, var: var?, eps };
    if call.shape(0)?.len() == 4 {
        return Ok(Built::one(norm));
    }
    let mut shape = vec![1; call.shape(0)?.len()];
    if let Some(channels) = shape.get_mut(1) {
        *channels = -1;
    }
    let scale = norm.scale()?;
    let shift = norm.bias.f_sub(&norm.mean.f_mul(&scale)?)?.f_reshape(shape.as_slice())?;
    Ok(Built::one(Affine { scale: Some(scale.f_reshape(shape.as_slice())?), shift: Some(shift) }))
});
