//! The common part of the families' builders: nodes made from a checkpoint's tensors, with channels
//! kept track of.

use tch::Tensor;

use super::checkpoint::Checkpoint;
use super::graph::{Graph, Node, NodeId};
use super::op;
use super::op::{
    AdaptiveAvgPool, Add, Affine, AvgPool, BatchNorm, Concat, Conv, ConvPadding, Dropout, Flatten, Input, Linear,
    MaxPool, Op, Pool, Relu,
};
use super::stated::REMEDY;
use crate::Result;

/// Zero padding of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Half the kernel on each side, rounded down: a stride-1 convolution keeps its size.
    Same,
    /// None.
    Valid,
    /// As much as gives one output for every `stride` pixels of the input at hand, TensorFlow's
    /// 'same'.
    Tensorflow,
}

/// Builds a [`Graph`] from a checkpoint's tensors. Channel counts follow from the tensors' shapes
/// and are checked as they meet.
pub struct Builder<'c> {
    /// The tensors.
    pub checkpoint: &'c Checkpoint,
    nodes: Vec<Node>,
    /// Channels (features, after flattening) that each node gives.
    channels: Vec<i64>,
    /// Spatial positions, known only behind an adaptive pool: what flattening multiplies channels
    /// by.
    positions: Vec<i64>,
}

impl<'c> Builder<'c> {
    /// A graph with only its input, of so many channels.
    pub fn new(checkpoint: &'c Checkpoint, channels: i64) -> (Self, NodeId) {
        let input = Node { name: "input".into(), op: Input { channels }.into(), inputs: vec![] };
        (Self { checkpoint, nodes: vec![input], channels: vec![channels], positions: vec![1] }, 0)
    }

    /// The graph, once every tensor of the checkpoint has found its place.
    ///
    /// # Errors
    /// Where the checkpoint holds more than the network has.
    pub fn finish(self) -> Result<Graph> {
        self.checkpoint.finish()?;
        Ok(Graph::new(self.nodes))
    }

    /// Name of `node`.
    pub fn name(&self, node: NodeId) -> &str {
        &self.nodes[node].name
    }

    /// Channels that `node` gives.
    pub fn channels(&self, node: NodeId) -> i64 {
        self.channels[node]
    }

    fn push(&mut self, name: &str, op: impl Into<Op>, inputs: Vec<NodeId>, channels: i64) -> NodeId {
        let op = op.into();
        let positions = match op.downcast_ref() {
            Some(AdaptiveAvgPool { size }) => size * size,
            None if op.is::<Flatten>() || op.is::<Linear>() => 1,
            None => inputs.first().map_or(1, |&x| self.positions[x]),
        };
        self.nodes.push(Node { name: name.to_owned(), op, inputs });
        self.channels.push(channels);
        self.positions.push(positions);
        self.nodes.len() - 1
    }

    fn unary(&mut self, name: &str, op: impl Into<Op>, x: NodeId) -> NodeId {
        self.push(name, op, vec![x], self.channels[x])
    }

    /// Convolution `name.weight` with that kernel, with `name.bias` where the checkpoint has one.
    ///
    /// # Errors
    /// Where a tensor is missing or misshapen.
    pub fn conv(&mut self, name: &str, x: NodeId, kernel: [i64; 2], stride: i64, padding: Padding) -> Result<NodeId> {
        self.convolution(name, x, kernel, (stride, padding, false))
    }

    /// As [`Builder::conv`], of which the checkpoint may have one in groups of channels; their
    /// number follows from the input's.
    ///
    /// # Errors
    /// As [`Builder::conv`].
    pub fn grouped_conv(
        &mut self,
        name: &str,
        x: NodeId,
        kernel: [i64; 2],
        stride: i64,
        padding: Padding,
    ) -> Result<NodeId> {
        self.convolution(name, x, kernel, (stride, padding, true))
    }

    fn convolution(
        &mut self,
        name: &str,
        x: NodeId,
        kernel: [i64; 2],
        (stride, padding, grouped): (i64, Padding, bool),
    ) -> Result<NodeId> {
        let tensor = format!("{name}.weight");
        let weight = self.checkpoint.take(&tensor, &[-1, -1, -1, -1])?;
        let shape = weight.size();
        let (out, per_group, input) = (shape[0], shape[1], self.channels[x]);
        let groups = input / per_group;
        if input % per_group != 0 || out % groups != 0 || (groups > 1 && !grouped) {
            let divisor = if grouped { " (or a divisor of it, for groups)" } else { "" };
            let problem = format!("has shape {shape:?}, expected {input} input channels{divisor}");
            return Err(self.checkpoint.wrong(&tensor, problem));
        }
        if shape[2..] != kernel {
            let problem = format!(
                "has a kernel of {} × {}, where torchvision's has {} × {}, so its stride and padding can't be told; {REMEDY}",
                shape[2], shape[3], kernel[0], kernel[1]
            );
            return Err(self.checkpoint.wrong(&tensor, problem));
        }
        let bias_name = format!("{name}.bias");
        let bias = match self.checkpoint.has(&bias_name) {
            true => Some(self.checkpoint.take(&bias_name, &[out])?),
            false => None,
        };
        let padding = match padding {
            Padding::Same => ConvPadding::Even([(shape[2] - 1) / 2, (shape[3] - 1) / 2]),
            Padding::Valid => ConvPadding::Even([0, 0]),
            Padding::Tensorflow => ConvPadding::Same,
        };
        let op = Conv { weight, bias, stride: [stride; 2], padding, dilation: [1, 1], groups };
        Ok(self.push(name, op, vec![x], out))
    }

    /// Batch normalisation `name.{weight,bias,running_mean,running_var}`.
    ///
    /// # Errors
    /// Where a tensor is missing or misshapen, or a variance negative.
    pub fn batch_norm(&mut self, name: &str, x: NodeId, eps: f64) -> Result<NodeId> {
        let channels = [self.channels[x]];
        let take = |part: &str| self.checkpoint.take(&format!("{name}.{part}"), &channels);
        let op = BatchNorm {
            weight: take("weight")?,
            bias: take("bias")?,
            mean: take("running_mean")?,
            var: take("running_var")?,
            eps,
        };
        if op.var.f_min()?.f_double_value(&[])? < 0.0 {
            let problem = "holds a negative variance; is the file damaged?".into();
            return Err(self.checkpoint.wrong(&format!("{name}.running_var"), problem));
        }
        Ok(self.unary(name, op, x))
    }

    /// Fully connected layer `name.{weight,bias}`.
    ///
    /// # Errors
    /// Where a tensor is missing or misshapen.
    pub fn linear(&mut self, name: &str, x: NodeId) -> Result<NodeId> {
        let weight = self.checkpoint.take(&format!("{name}.weight"), &[-1, self.channels[x]])?;
        let out = weight.size()[0];
        let bias = Some(self.checkpoint.take(&format!("{name}.bias"), &[out])?);
        Ok(self.push(name, Linear { weight, bias }, vec![x], out))
    }

    /// `max(x, 0)`.
    pub fn relu(&mut self, name: &str, x: NodeId) -> NodeId {
        self.unary(name, Relu, x)
    }

    /// `min(max(x, 0), 6)`.
    pub fn relu6(&mut self, name: &str, x: NodeId) -> NodeId {
        self.unary(name, op::activation::relu6(), x)
    }

    /// A dropout layer's place.
    pub fn dropout(&mut self, name: &str, x: NodeId) -> NodeId {
        self.unary(name, Dropout, x)
    }

    /// Max pooling.
    pub fn max_pool(&mut self, name: &str, x: NodeId, kernel: i64, stride: i64, padding: i64, ceil: bool) -> NodeId {
        self.unary(name, MaxPool::from(Pool::square(kernel, stride, padding, ceil)), x)
    }

    /// Average pooling.
    pub fn avg_pool(&mut self, name: &str, x: NodeId, kernel: i64, stride: i64, padding: i64) -> NodeId {
        self.unary(name, AvgPool::from(Pool::square(kernel, stride, padding, false)), x)
    }

    /// Adaptive average pooling to `size` × `size`.
    pub fn adaptive_avg_pool(&mut self, name: &str, x: NodeId, size: i64) -> NodeId {
        self.unary(name, AdaptiveAvgPool { size }, x)
    }

    /// Flattening behind an adaptive pool.
    pub fn flatten(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Flatten, vec![x], self.channels[x] * self.positions[x])
    }

    /// `a + b`, whose channels must agree.
    ///
    /// # Errors
    /// Where they don't; the message names the last tensor that led there.
    pub fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (left, right) = (self.channels[a], self.channels[b]);
        if left != right {
            return Err(self.checkpoint.wrong(name, format!("adds {left} channels to {right}")));
        }
        Ok(self.push(name, Add, vec![a, b], left))
    }

    /// Concatenation along channels.
    pub fn concat(&mut self, name: &str, inputs: Vec<NodeId>) -> NodeId {
        let channels = inputs.iter().map(|&x| self.channels[x]).sum();
        self.push(name, Concat::CHANNELS, inputs, channels)
    }

    /// A scale and a shift per channel.
    pub fn channel_affine(&mut self, name: &str, x: NodeId, scale: &[f32], shift: &[f32]) -> NodeId {
        let per_channel = |values: &[f32]| Tensor::from_slice(values).view([1, -1, 1, 1]);
        let op = Affine { scale: Some(per_channel(scale)), shift: Some(per_channel(shift)) };
        self.unary(name, op, x)
    }
}
