//! The leaky rectifier with a learned slope for each channel.

use tch::Tensor;

use super::super::import::{Built, Import};
use super::super::shapes::broadcast;
use super::super::{Change, Layouts, Op, OpKind, Operation};
use super::{Activation, indicator, leaky_relu};
use crate::Result;

/// `x` above zero, `slope · x` below.
#[derive(Debug)]
pub struct Prelu {
    /// Of a shape that broadcasts to the input's.
    pub slope: Tensor,
    /// Stands for it where rules look at the kind.
    like: Activation,
}

impl Prelu {
    /// With this slope.
    pub fn new(slope: Tensor) -> Self {
        Self { slope, like: Activation { function: &leaky_relu::LEAKY_RELU, parameters: vec![0.25] } }
    }
}

impl Operation for Prelu {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Activation(&self.like)
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_clamp_min(0.0)?.f_add(&inputs[0].f_clamp_max(0.0)?.f_mul(&self.slope)?)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let above = indicator(&inputs[0].f_gt(0.0)?, inputs[0])?;
        let below = above.f_neg()?.f_add_scalar_(1.0)?.f_mul_(&self.slope)?;
        Ok(vec![above.f_add(&below)?.f_mul_(cotangent)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        broadcast(inputs[0], &self.slope.size())
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        Ok(Prelu::new(change(&self.slope)?).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn layouts(&self) -> Layouts {
        Layouts::ChannelsLast
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("PRelu", |call| Ok(Built::one(Prelu::new(call.constant(1)?))));
