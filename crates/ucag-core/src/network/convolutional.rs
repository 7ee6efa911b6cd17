//! The fully convolutional form of a network: the same weights, applied at every position of a
//! larger input. See docs/protocol.md#convolutional-form.

use super::graph::{Graph, Node, NodeId};
use super::op::{AdaptiveAvgPool, AvgPool, Conv, ConvPadding, Flatten, Linear, Op, Pool};
use super::{Network, resnet, vgg};
use crate::{Error, Result};

impl Network {
    /// This network in the form in which TorchRay runs it, on the same weights: it gives a map of
    /// logits, `[B, N, h, w]`, of one position for an input of the training size.
    ///
    /// A VGG loses its adaptive pooling, and its first fully connected layer becomes a convolution
    /// as large as the pooled map was; a ResNet's global pooling becomes a window as large as the
    /// last map is at the training size. Nodes keep their names. TorchRay's script gives its ResNet
    /// that window for gradient, DeConvNet, guided backprop, (contrastive) excitation backprop and
    /// GradCAM; for RISE and extremal perturbation it keeps the global pooling, which differs for
    /// inputs beyond the training size only.
    ///
    /// # Errors
    /// Where the network is of another family, which has no such form.
    pub fn convolutional(&self) -> Result<Self> {
        if ![vgg::FAMILY.id, resnet::FAMILY.id].contains(&self.family.id) {
            let known = format!("{} and {}", vgg::FAMILY.id, resnet::FAMILY.id);
            let problem = format!("{} has no convolutional form; there is one for {known}", self.architecture);
            return Err(Error::Invalid(problem));
        }
        let mut nodes: Vec<Node> = Vec::new();
        // Where each node's output is found in the new graph.
        let mut places: Vec<NodeId> = Vec::new();
        // Side of the map that was flattened.
        let mut side = 1;
        for node in self.graph.nodes() {
            let inputs: Vec<NodeId> = node.inputs.iter().map(|&input| places[input]).collect();
            let op: Op = if let Some(&AdaptiveAvgPool { size }) = node.op.downcast_ref() {
                if size != 1 {
                    side = size;
                    places.push(inputs[0]);
                    continue;
                }
                let [stride, _] = self.graph.stride(node.inputs[0]);
                let kernel = (self.input_size as i64 + stride - 1) / stride;
                AvgPool::from(Pool::square(kernel, 1, 0, false)).into()
            } else if node.op.is::<Flatten>() {
                places.push(inputs[0]);
                continue;
            } else if let Some(Linear { weight, bias }) = node.op.downcast_ref() {
                let weight = weight.f_view([weight.size()[0], -1, side, side])?;
                side = 1;
                let bias = bias.as_ref().map(tch::Tensor::shallow_clone);
                let padding = ConvPadding::Even([0, 0]);
                Conv { weight, bias, stride: [1, 1], padding, dilation: [1, 1], groups: 1 }.into()
            } else {
                node.op.with_weights(&|weight| Ok(weight.shallow_clone()))?
            };
            places.push(nodes.len());
            nodes.push(Node { name: node.name.clone(), op, inputs });
        }
        self.with_graph(Graph::new(nodes), self.device)
    }
}

impl Graph {
    /// Input pixels for each position of a node's map, vertically and horizontally: 32 in front of
    /// the pooling of a ResNet with torchvision's stem, 8 or 16 with one for small images.
    fn stride(&self, node: NodeId) -> [i64; 2] {
        let Node { op, inputs, .. } = &self.nodes()[node];
        let own = op.stride();
        inputs.first().map_or(own, |&input| {
            let before = self.stride(input);
            [0, 1].map(|axis| own[axis] * before[axis])
        })
    }
}
