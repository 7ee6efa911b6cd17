//! Convolutions and fully connected layers as one: a linear map whose weights a rule may replace.

use tch::Tensor;

use super::EPS;
use crate::Result;
use crate::network::{Conv, Linear, Network, Op, OpKind};

/// A layer with weights.
#[derive(Debug, Clone, Copy)]
pub enum LinearLayer<'a> {
    /// A convolution.
    Conv(&'a Conv),
    /// A fully connected layer: its weight `[out, in]` and its bias `[out]`.
    Linear(&'a Tensor, Option<&'a Tensor>),
}

impl<'a> LinearLayer<'a> {
    /// The operation as a layer with weights, if it is one. Batch normalisation isn't: each of its
    /// outputs has one input.
    pub fn of(op: &'a Op) -> Option<Self> {
        match op.kind() {
            OpKind::Conv(conv) => Some(LinearLayer::Conv(conv)),
            OpKind::Linear(Linear { weight, bias }) => Some(LinearLayer::Linear(weight, bias.as_ref())),
            _ => None,
        }
    }

    /// Its weight.
    pub fn weight(&self) -> &'a Tensor {
        match self {
            LinearLayer::Conv(conv) => &conv.weight,
            LinearLayer::Linear(weight, _) => weight,
        }
    }

    /// Its bias.
    pub fn bias(&self) -> Option<&'a Tensor> {
        match self {
            LinearLayer::Conv(conv) => conv.bias.as_ref(),
            LinearLayer::Linear(_, bias) => *bias,
        }
    }

    /// One number for each of its outputs, in a shape that broadcasts to theirs.
    pub fn per_output(&self, numbers: &Tensor) -> Result<Tensor> {
        Ok(match self {
            LinearLayer::Conv(_) => numbers.f_view([1, -1, 1, 1])?,
            LinearLayer::Linear(..) => numbers.shallow_clone(),
        })
    }

    /// Returns whether it is the convolution that reads pixels: that of as many channels as an
    /// image of the network has, as in the released code, whose images have three.
    pub fn reads_pixels(&self, network: &Network) -> bool {
        let channels = network.preprocessing.channels() as i64;
        matches!(self, LinearLayer::Conv(conv) if conv.weight.size()[1] == channels && conv.groups == 1)
    }

    /// Returns whether it is a convolution with a window of one pixel.
    pub fn is_pointwise(&self) -> bool {
        matches!(self, LinearLayer::Conv(conv) if conv.weight.size()[2..] == [1, 1])
    }

    /// The layer with another weight of the same shape, without bias.
    pub fn forward(&self, weight: &Tensor, x: &Tensor) -> Result<Tensor> {
        self.forward_with_bias(weight, None, x)
    }

    fn forward_with_bias(&self, weight: &Tensor, bias: Option<&Tensor>, x: &Tensor) -> Result<Tensor> {
        match self {
            LinearLayer::Conv(conv) => conv.with_bias(weight, bias, x),
            LinearLayer::Linear(..) => Ok(x.f_linear(weight, bias)?),
        }
    }

    /// `Wx + 1e-9`, a denominator for sums of contributions that don't differ in sign. Where such a
    /// sum is zero, each contribution is, and so is the relevance of each input: nothing needs to
    /// be masked. These are the largest tensors there are, so the layer itself adds the 1e-9, as
    /// its bias.
    pub fn forward_stabilized(&self, weight: &Tensor, x: &Tensor) -> Result<Tensor> {
        let bias = Tensor::f_full([weight.size()[0]], EPS, (weight.kind(), weight.device()))?;
        self.forward_with_bias(weight, Some(&bias), x)
    }

    /// The transpose of [`LinearLayer::forward`], applied to a tensor of the output's shape. The
    /// result has the shape of the input `x`.
    pub fn transpose(&self, weight: &Tensor, x: &Tensor, s: &Tensor) -> Result<Tensor> {
        match self {
            LinearLayer::Conv(conv) => conv.transposed(weight, x, s),
            LinearLayer::Linear(..) => Ok(s.f_matmul(weight)?),
        }
    }
}
