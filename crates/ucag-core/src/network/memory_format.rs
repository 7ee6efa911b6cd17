//! The memory format in which convolutions are fastest, for layers in front of the first requested
//! activation.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, TchError, Tensor};

use super::op::{Conv, Layouts, Operation};
use super::weight_cache::Weights;
use crate::{Error, Result};

/// Precision of the layers before the first requested activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Precision {
    /// 24 bits of significand.
    #[default]
    #[serde(rename = "f32")]
    Float32,
    /// 8 bits of significand: twice as fast or more where the processor has instructions for it,
    /// and rounded to about three decimal digits.
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

/// The layout of a tensor in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layout {
    /// As libtorch has it unless told otherwise: one channel after the other.
    Usual,
    /// oneDNN's own: blocks of channels next to each other, which saves each convolution the way
    /// there and back. Autograd doesn't follow there, and neither do concatenation and others.
    Blocked,
    /// All channels of a pixel next to each other.
    ChannelsLast,
}

/// The memory format of convolutions: conversion into it and back. On processors it has a layout of
/// its own; on other devices only the precision may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemoryFormat {
    layout: Layout,
    precision: Precision,
}

impl MemoryFormat {
    /// The lane for a network on `device`, where there is a faster one than the usual.
    pub(super) fn new(device: Device, precision: Precision, channels_last: bool) -> Option<Self> {
        let layout = match device == Device::Cpu && tch::utils::has_mkldnn() {
            true if channels_last => Layout::ChannelsLast,
            true => Layout::Blocked,
            false => Layout::Usual,
        };
        (layout != Layout::Usual || precision != Precision::default()).then_some(Self { layout, precision })
    }

    /// Returns whether this processor or device can do it.
    ///
    /// # Errors
    /// Where it can't; the message says so.
    pub(super) fn check(self, device: Device) -> Result<()> {
        let one = Tensor::f_ones([1, 1, 1, 1], (Kind::Float, device))?;
        let refused = |error: TchError| Error::Precision { cause: Box::new(error.into()) };
        let _ = self
            .to_format(&one)?
            .f_conv2d(&self.to_format(&one)?, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1)
            .map_err(refused)?;
        Ok(())
    }

    /// Returns whether a tensor is in this lane.
    pub(crate) fn holds(self, x: &Tensor) -> bool {
        x.kind() == self.precision.kind()
            && match self.layout {
                Layout::Usual => !x.is_mkldnn(),
                Layout::Blocked => x.is_mkldnn(),
                Layout::ChannelsLast => !x.is_mkldnn() && (x.dim() != 4 || x.stride()[1] == 1),
            }
    }

    /// Returns whether a tensor may go into it.
    pub(crate) fn admits(self, x: &Tensor) -> bool {
        self.holds(x) || (x.kind() == Kind::Float && !x.requires_grad())
    }

    /// Returns whether a convolution of `x` is right there. On processors with AMX, oneDNN's
    /// strided convolutions in bfloat16 return memory that nobody wrote where the output is one
    /// column of several rows (libtorch 2.11).
    pub(crate) fn convolves(self, conv: &Conv, x: &Tensor) -> Result<bool> {
        if self.precision == Precision::Float32 || conv.stride[1] == 1 {
            return Ok(true);
        }
        Ok(conv.shape(&[&x.size()])?[3] > 1)
    }

    /// Into the lane.
    pub(crate) fn to_format(self, x: &Tensor) -> Result<Tensor> {
        let kind = self.precision.kind();
        Ok(match self.layout {
            _ if self.holds(x) => x.shallow_clone(),
            Layout::Usual => x.f_to_kind(kind)?,
            Layout::Blocked => x.f_to_mkldnn(kind)?,
            Layout::ChannelsLast if x.dim() != 4 => x.f_to_kind(kind)?,
            Layout::ChannelsLast => {
                x.f_to_kind(kind)?.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?
            }
        })
    }

    /// Returns whether an operation without weights can be done in the lane.
    pub(crate) fn does(self, op: &dyn Operation) -> bool {
        let layout = match self.layout {
            Layout::Usual => Layouts::Usual,
            Layout::ChannelsLast => Layouts::ChannelsLast,
            Layout::Blocked => Layouts::Blocked,
        };
        op.layouts() >= layout
    }

    /// Out of any lane: one channel after the other, and in float32.
    pub(crate) fn to_plain(x: &Tensor) -> Result<Tensor> {
        Ok(match x.kind() {
            _ if x.is_mkldnn() => x.f_to_dense(Kind::Float, false)?,
            Kind::BFloat16 => x.f_to_kind(Kind::Float)?.f_contiguous()?,
            _ => x.f_contiguous()?,
        })
    }

    /// A convolution's weights for the lane. oneDNN puts them in its own order at every call, and
    /// what libtorch could pack beforehand too: that is for inference, and its convolutions of
    /// tensors are for training, which take another order.
    pub(crate) fn weights(self, (weight, bias): &Weights) -> Result<Weights> {
        Ok((self.to_format(weight)?, bias.as_ref().map(|bias| self.to_format(bias)).transpose()?))
    }
}
