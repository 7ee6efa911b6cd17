//! The fast lane: the form in which convolutions cost least, for as long as nobody asks what they gave.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::Conv;
use super::derived::Weights;
use crate::{Error, Result};

/// The arithmetic of layers that nothing is asked of but the network's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Precision {
    /// 24 bits of significand.
    #[default]
    #[serde(rename = "f32")]
    Float32,
    /// 8 bits of significand: twice as fast or more where the processor has instructions for it, and rounded to about three decimal digits.
    #[serde(rename = "bf16")]
    Bfloat16,
}

impl Precision {
    fn kind(self) -> Kind {
        match self {
            Precision::Float32 => Kind::Float,
            Precision::Bfloat16 => Kind::BFloat16,
        }
    }
}

/// How a tensor goes into the fast lane, and out of it.
///
/// On a processor its tensors are in oneDNN's own layout, blocks of channels next to each other in memory, which saves each convolution the way there and
/// back. Autograd doesn't follow there. On other devices only the precision may differ.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane {
    blocked: bool,
    precision: Precision,
}

impl Lane {
    /// The lane for a network on `device`, where there is a faster one than the usual.
    pub(super) fn new(device: Device, precision: Precision) -> Option<Self> {
        let blocked = device == Device::Cpu && tch::utils::has_mkldnn();
        (blocked || precision != Precision::default()).then_some(Self { blocked, precision })
    }

    /// Its precision.
    pub(crate) fn precision(self) -> Precision {
        self.precision
    }

    /// Whether this processor or device can do it.
    ///
    /// # Errors
    /// Where it can't; the message says so.
    pub(super) fn check(self, device: Device) -> Result<()> {
        let one = Tensor::f_ones([1, 1, 1, 1], (Kind::Float, device))?;
        let conv = Conv { weight: one.shallow_clone(), bias: None, stride: 1, padding: [0, 0], groups: 1 };
        let (weight, _) = self.weights(&conv, None, &[1, 1, 1, 1])?;
        let refused = |error| Error::Invalid(format!("precision \"bf16\" needs a processor that can do it: {error}"));
        let _ = self.enter(&one)?.f_conv2d(&weight, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1).map_err(refused)?;
        Ok(())
    }

    /// Whether a tensor is in this lane.
    pub(crate) fn holds(self, x: &Tensor) -> bool {
        x.is_mkldnn() == self.blocked && x.kind() == self.precision.kind()
    }

    /// Whether a tensor may go into it.
    pub(crate) fn admits(self, x: &Tensor) -> bool {
        self.holds(x) || (x.kind() == Kind::Float && !x.requires_grad())
    }

    /// Into the lane.
    pub(crate) fn enter(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            _ if self.holds(x) => x.shallow_clone(),
            Lane { blocked: true, precision } => x.f_to_mkldnn(precision.kind())?,
            Lane { precision, .. } => x.f_to_kind(precision.kind())?,
        })
    }

    /// Out of any lane: dense, and in float32 if it came from there.
    pub(crate) fn leave(x: &Tensor) -> Result<Tensor> {
        Ok(match x.kind() {
            _ if x.is_mkldnn() => x.f_to_dense(Kind::Float, false)?,
            Kind::BFloat16 => x.f_to_kind(Kind::Float)?,
            _ => x.shallow_clone(),
        })
    }

    /// A convolution's weights for the lane, best for inputs of the size `input`.
    pub(crate) fn weights(self, conv: &Conv, bias: Option<&Tensor>, input: &[i64]) -> Result<Weights> {
        let weight = self.enter(&conv.weight)?;
        let weight = match self.blocked {
            true => weight.f_mkldnn_reorder_conv2d_weight(
                conv.padding,
                [conv.stride; 2],
                [1i64, 1],
                conv.groups,
                Some(input),
            )?,
            false => weight,
        };
        Ok((weight, bias.map(|bias| self.enter(bias)).transpose()?))
    }
}
