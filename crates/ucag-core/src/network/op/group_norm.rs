//! Group and instance normalization.

use tch::Tensor;

use super::import::{Built, Import};
use super::shapes::refuse;
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// `(x − mean) / sqrt(var + eps) · weight + bias` over all positions and a group of channels (Wu &
/// He, ECCV 2018). With a group for each channel it is instance normalization.
#[derive(Debug)]
pub struct GroupNorm {
    /// Number of groups.
    pub groups: i64,
    /// Scale γ, `[C]`.
    pub weight: Tensor,
    /// Shift β, `[C]`.
    pub bias: Tensor,
    /// Added to the variance.
    pub eps: f64,
}

impl Operation for GroupNorm {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Normalization
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_group_norm(self.groups, Some(&self.weight), Some(&self.bias), self.eps, false)?)
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let channels = self.weight.size()[0];
        match inputs[0].get(1) {
            Some(&given) if given == channels && given % self.groups == 0 => Ok(inputs[0].to_vec()),
            _ => refuse(format!("it normalizes {channels} channels in {} groups, not {:?}", self.groups, inputs[0])),
        }
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        let (weight, bias) = (change(&self.weight)?, change(&self.bias)?);
        Ok(GroupNorm { groups: self.groups, weight, bias, eps: self.eps }.into())
    }

    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(Some(self.bias.f_view([1, -1, 1, 1])?))
    }
}

/// ONNX entry. Before operator set 21 a scale was of a group.
pub(super) static GROUP: Import = Import::new("GroupNormalization", |call| {
    let groups = call.int("num_groups", 0)?;
    let channels = call.shape(0)?.get(1).copied().unwrap_or(0);
    if groups < 1 || channels % groups != 0 {
        return refuse(format!("{groups} groups of {channels} channels"));
    }
    let weight = |index: usize| -> Result<Tensor> {
        let weight = call.constant(index)?;
        if weight.dim() != 1 || ![groups, channels].contains(&(weight.numel() as i64)) {
            return refuse(format!("its input {} has the shape {:?}", index + 1, weight.size()));
        }
        Ok(match weight.numel() as i64 == groups && groups != channels {
            true => weight.f_repeat_interleave_self_int(channels / groups, 0, None)?,
            false => weight,
        })
    };
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    Ok(Built::one(GroupNorm { groups, weight: weight(1)?, bias: weight(2)?, eps }))
});

/// ONNX entry.
pub(super) static INSTANCE: Import = Import::new("InstanceNormalization", |call| {
    let (weight, bias) = (call.constant(1)?, call.constant(2)?);
    if weight.dim() != 1 || weight.numel() == 0 || bias.size() != weight.size() {
        return refuse(format!("its scale has the shape {:?} and its shift {:?}", weight.size(), bias.size()));
    }
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    Ok(Built::one(GroupNorm { groups: weight.numel() as i64, weight, bias, eps }))
});
