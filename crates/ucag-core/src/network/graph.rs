//! A network as data: named nodes, each with an operation and its inputs.

use tch::Tensor;

use super::Scripted;
use crate::suggest::nearest;
use crate::{Error, Result};

/// Index of a node in its graph. Inputs of a node always have smaller indices: the list is in
/// topological order.
pub type NodeId = usize;

/// The operation of a node. Weights are float tensors that never require gradients.
#[derive(Debug)]
pub enum Op {
    /// The batch of views, `[B, channels, H, W]`, normalised.
    Input {
        /// 3, or 1 for grey images.
        channels: i64,
    },
    /// 2-D convolution.
    Conv(Conv),
    /// Batch normalisation with running statistics.
    BatchNorm(BatchNorm),
    /// `max(x, 0)`.
    Relu,
    /// The identity in evaluation; kept so that layers have the numbers their owners gave them.
    Dropout,
    /// Maximum over windows.
    MaxPool(Pool),
    /// Mean over windows; padding counts as zeros, as torch's default has it.
    AvgPool(Pool),
    /// Mean over a grid of (possibly uneven) bins, `[B, C, h, w]` to `[B, C, size, size]`.
    AdaptiveAvgPool {
        /// Bins per axis.
        size: i64,
    },
    /// `[B, C, h, w]` to `[B, C·h·w]`.
    Flatten,
    /// `x Wᵀ + b`.
    Linear {
        /// `[out, in]`.
        weight: Tensor,
        /// `[out]`.
        bias: Option<Tensor>,
    },
    /// Elementwise sum of two inputs.
    Add,
    /// Concatenation of the inputs along channels.
    Concat,
    /// A scale and a shift per channel, `[1, C, 1, 1]` each (Inception's `transform_input`).
    ChannelAffine {
        /// Factor.
        scale: Tensor,
        /// Summand.
        shift: Tensor,
    },
    /// A whole classifier that came as TorchScript.
    Scripted(Scripted),
}

/// A 2-D convolution.
#[derive(Debug)]
pub struct Conv {
    /// `[out, in/groups, kh, kw]`.
    pub weight: Tensor,
    /// `[out]`.
    pub bias: Option<Tensor>,
    /// Step per axis.
    pub stride: i64,
    /// Zeros added on each side, vertical and horizontal.
    pub padding: [i64; 2],
    /// Channel groups.
    pub groups: i64,
}

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

/// A square pooling window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Side of the window.
    pub kernel: i64,
    /// Step.
    pub stride: i64,
    /// Padding on each side.
    pub padding: i64,
    /// True if a last, partial window counts.
    pub ceil: bool,
}

impl Op {
    /// Applies the operation to its inputs.
    ///
    /// # Errors
    /// Where libtorch refuses the shapes, for instance where a view is too small for the network.
    pub fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let x = inputs[0];
        let y = match self {
            Op::Input { .. } | Op::Dropout => x.shallow_clone(),
            Op::Conv(c) => {
                let stride = [c.stride, c.stride];
                x.f_conv2d(&c.weight, c.bias.as_ref(), stride, c.padding, [1, 1], c.groups)?
            }
            Op::BatchNorm(b) => {
                x.f_batch_norm(Some(&b.weight), Some(&b.bias), Some(&b.mean), Some(&b.var), false, 0.0, b.eps, false)?
            }
            Op::Relu => x.f_relu()?,
            Op::MaxPool(p) => {
                let Pool { kernel, stride, padding, ceil } = *p;
                x.f_max_pool2d([kernel, kernel], [stride, stride], [padding, padding], [1, 1], ceil)?
            }
            Op::AvgPool(p) => {
                let Pool { kernel, stride, padding, ceil } = *p;
                x.f_avg_pool2d([kernel, kernel], [stride, stride], [padding, padding], ceil, true, None)?
            }
            Op::AdaptiveAvgPool { size } => x.f_adaptive_avg_pool2d([*size, *size])?,
            Op::Flatten => x.f_flatten(1, -1)?,
            Op::Linear { weight, bias } => x.f_linear(weight, bias.as_ref())?,
            Op::Add => x.f_add(inputs[1])?,
            Op::Concat => Tensor::f_cat(inputs, 1)?,
            Op::ChannelAffine { scale, shift } => x.f_mul(scale)?.f_add(shift)?,
            Op::Scripted(scripted) => scripted.forward(x)?,
        };
        Ok(y)
    }

    /// The same operation on other tensors: each weight as `change` gives it.
    pub(crate) fn with_weights(&self, change: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Op> {
        let optional = |x: &Option<Tensor>| x.as_ref().map(change).transpose();
        Ok(match self {
            Op::Conv(c) => Op::Conv(Conv { weight: change(&c.weight)?, bias: optional(&c.bias)?, ..*c }),
            Op::BatchNorm(b) => Op::BatchNorm(BatchNorm {
                weight: change(&b.weight)?,
                bias: change(&b.bias)?,
                mean: change(&b.mean)?,
                var: change(&b.var)?,
                eps: b.eps,
            }),
            Op::Linear { weight, bias } => Op::Linear { weight: change(weight)?, bias: optional(bias)? },
            Op::ChannelAffine { scale, shift } => Op::ChannelAffine { scale: change(scale)?, shift: change(shift)? },
            Op::Input { channels } => Op::Input { channels: *channels },
            Op::Relu => Op::Relu,
            Op::Dropout => Op::Dropout,
            Op::MaxPool(p) => Op::MaxPool(*p),
            Op::AvgPool(p) => Op::AvgPool(*p),
            Op::AdaptiveAvgPool { size } => Op::AdaptiveAvgPool { size: *size },
            Op::Flatten => Op::Flatten,
            Op::Add => Op::Add,
            Op::Concat => Op::Concat,
            Op::Scripted(scripted) => Op::Scripted(scripted.clone()),
        })
    }
}

/// One operation of a network.
#[derive(Debug)]
pub struct Node {
    /// The name torchvision's feature extraction gives it: the module's path, with `_1`, `_2` where
    /// a module is used again.
    pub name: String,
    /// The operation.
    pub op: Op,
    /// The nodes it computes it from.
    pub inputs: Vec<NodeId>,
}

/// A network as a list of nodes in topological order; node 0 is the input, the last one gives the
/// logits.
#[derive(Debug)]
pub struct Graph {
    nodes: Vec<Node>,
    last_use: Vec<NodeId>,
    norms: Vec<Option<NodeId>>,
}

impl Graph {
    /// A graph of these nodes, which must be in topological order with the input first.
    pub(crate) fn new(nodes: Vec<Node>) -> Self {
        let mut last_use: Vec<NodeId> = (0..nodes.len()).collect();
        for (id, node) in nodes.iter().enumerate() {
            for &input in &node.inputs {
                debug_assert!(input < id, "{} comes before its input", node.name);
                last_use[input] = id;
            }
        }
        let norms = Self::norms(&nodes);
        Self { nodes, last_use, norms }
    }

    /// All nodes, in topological order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node whose output is the logits `[B, N]`.
    pub fn output(&self) -> NodeId {
        self.nodes.len() - 1
    }

    /// The last node that reads `node`'s output (itself where none does): after it the output may
    /// be dropped.
    pub fn last_use(&self, node: NodeId) -> NodeId {
        self.last_use[node]
    }

    /// The batch normalisation that can be folded into the convolution `node`: its only reader.
    pub fn norm_behind(&self, node: NodeId) -> Option<(NodeId, &BatchNorm)> {
        let norm = self.norms[node]?;
        match &self.nodes[norm].op {
            Op::BatchNorm(op) => Some((norm, op)),
            _ => None,
        }
    }

    /// The node that `name` means: the node of that name, or the output of the module of that name,
    /// which is the last node below it (`layer4` is `layer4.2.relu_2` in a ResNet-50).
    ///
    /// # Errors
    /// [`Error::Unknown`] with the nearest name.
    pub fn resolve(&self, name: &str) -> Result<NodeId> {
        let below = |node: &Node| node.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.nodes
            .iter()
            .position(|node| node.name == name)
            .or_else(|| self.nodes.iter().rposition(below))
            .filter(|&id| id > 0)
            .ok_or_else(|| Error::Unknown {
                what: "layer",
                name: name.to_owned(),
                suggestion: nearest(name, self.layer_names().iter().map(String::as_str)),
            })
    }

    /// Returns the input of the last layer with weights, behind any dropout and flattening.
    pub fn before_classifier(&self) -> NodeId {
        let weighted = |node: &Node| matches!(node.op, Op::Conv(_) | Op::Linear { .. });
        let mut id = self.nodes.iter().rposition(weighted).unwrap_or(0);
        loop {
            let Some(&input) = self.nodes[id].inputs.first() else { return id };
            id = input;
            if !matches!(self.nodes[id].op, Op::Dropout | Op::Flatten) {
                return id;
            }
        }
    }

    /// Returns whether `node`'s output can't be negative, whatever the input: it is behind a ReLU,
    /// with nothing but pools, sums and the like in between.
    pub fn is_positive(&self, node: NodeId) -> bool {
        let Node { op, inputs, .. } = &self.nodes[node];
        match op {
            Op::Relu => true,
            Op::Dropout | Op::MaxPool(_) | Op::AvgPool(_) | Op::AdaptiveAvgPool { .. } | Op::Flatten => {
                self.is_positive(inputs[0])
            }
            Op::Add | Op::Concat => inputs.iter().all(|&input| self.is_positive(input)),
            Op::Input { .. }
            | Op::Conv(_)
            | Op::BatchNorm(_)
            | Op::Linear { .. }
            | Op::ChannelAffine { .. }
            | Op::Scripted(_) => false,
        }
    }

    /// Channels of `node`'s output, which must be in front of any flattening.
    pub fn channels(&self, node: NodeId) -> i64 {
        let Node { op, inputs, .. } = &self.nodes[node];
        match op {
            Op::Input { channels } => *channels,
            Op::Conv(Conv { weight, .. }) | Op::Linear { weight, .. } => weight.size()[0],
            Op::Concat => inputs.iter().map(|&input| self.channels(input)).sum(),
            _ => self.channels(inputs[0]),
        }
    }

    /// Every name that [`Graph::resolve`] knows, nodes and modules, in order of first appearance.
    pub fn layer_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for node in &self.nodes[1..] {
            let ends = node.name.match_indices('.').map(|(end, _)| end).chain([node.name.len()]);
            for end in ends {
                let name = &node.name[..end];
                if !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            }
        }
        names
    }

    /// The same graph with its modules, whose weights aren't its own, on `device`.
    pub(crate) fn loaded_on(mut self, device: tch::Device) -> Result<Graph> {
        for node in &mut self.nodes {
            if let Op::Scripted(scripted) = &node.op {
                node.op = Op::Scripted(scripted.on_device(device)?);
            }
        }
        Ok(self)
    }

    /// The same graph with each weight as `change` gives it.
    pub(crate) fn with_weights(&self, change: &dyn Fn(&Tensor) -> Result<Tensor>) -> Result<Graph> {
        let node = |node: &Node| -> Result<Node> {
            Ok(Node { name: node.name.clone(), op: node.op.with_weights(change)?, inputs: node.inputs.clone() })
        };
        Ok(Graph::new(self.nodes.iter().map(node).collect::<Result<_>>()?))
    }
}
