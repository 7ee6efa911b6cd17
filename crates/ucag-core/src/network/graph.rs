//! A network as data: named nodes, each with an operation and its inputs.

use tch::Tensor;

use super::{BatchNorm, Input, Op, OpKind};
use crate::suggest::nearest;
use crate::{Error, Result};

/// Index of a node in its graph. Inputs of a node always have smaller indices: the list is in
/// topological order.
pub type NodeId = usize;

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
    positive: Vec<bool>,
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
        let mut positive: Vec<bool> = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let inputs: Vec<bool> = node.inputs.iter().map(|&input| positive[input]).collect();
            positive.push(node.op.is_positive(&inputs));
        }
        Self { nodes, last_use, norms, positive }
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
        match self.nodes[norm].op.kind() {
            OpKind::BatchNorm(op) => Some((norm, op)),
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
        let mut id = self.classifier().unwrap_or(0);
        loop {
            let Some(&input) = self.nodes[id].inputs.first() else { return id };
            id = input;
            if !matches!(self.nodes[id].op.kind(), OpKind::Identity | OpKind::Reshape) {
                return id;
            }
        }
    }

    /// Returns the last layer with weights.
    pub fn classifier(&self) -> Option<NodeId> {
        self.nodes.iter().rposition(|node| matches!(node.op.kind(), OpKind::Conv(_) | OpKind::Linear(_)))
    }

    /// Returns whether `node`'s output can't be negative, whatever the input: it is behind a ReLU,
    /// with nothing but pools, sums and the like in between.
    pub fn is_positive(&self, node: NodeId) -> bool {
        self.positive[node]
    }

    /// Returns the shapes of all nodes' outputs for views of this shape.
    ///
    /// # Errors
    /// [`Error::Layer`] where the network doesn't take such views.
    pub fn shapes(&self, views: &[i64]) -> Result<Vec<Vec<i64>>> {
        let mut shapes: Vec<Vec<i64>> = vec![views.to_vec()];
        for node in &self.nodes[1..] {
            let inputs: Vec<&[i64]> = node.inputs.iter().map(|&input| &shapes[input][..]).collect();
            let shape = node.op.shape(&inputs).map_err(|error| Error::Layer {
                name: node.name.clone(),
                views: Some(views.to_vec()),
                cause: Box::new(error),
            })?;
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// Channels of the input: 3, or 1 for grey images.
    pub fn input_channels(&self) -> i64 {
        self.nodes[0].op.downcast_ref::<Input>().map_or(3, |input| input.channels)
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
            if let OpKind::Scripted(scripted) = node.op.kind() {
                node.op = scripted.on_device(device)?.into();
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
