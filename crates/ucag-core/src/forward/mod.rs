//! The forward pass. Requested activations are computed as the network has them, all else in the
//! fastest way that returns the same.
//!
//! Batch normalisation is folded into the convolution in front of it, ReLUs and sums write where
//! they read, and up to the first requested node, tensors stay in the memory format in which
//! convolutions are fastest.

mod needs;

use std::collections::BTreeMap;

use tch::Tensor;

use crate::network::batchnorm_folding::fold;
use crate::network::memory_format::MemoryFormat;
use crate::network::weight_cache::WeightForm;
use crate::network::{Add, BatchNorm, Conv, Dropout, MaxPool, Network, Node, NodeId, Op};
pub use needs::Needs;

use crate::{Error, Result};

/// The fused operations of a pass. They change its numbers by rounding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fusions {
    /// The number of convolutions in the fast memory format.
    fast: usize,
    /// Convolutions that batch normalisation isn't folded into, because they are requested.
    unfolded: Vec<NodeId>,
}

impl Fusions {
    /// Those of a pass with these needs.
    pub(crate) fn of(network: &Network, needs: &Needs) -> Self {
        let nodes = network.graph.nodes();
        let convolutions = |nodes: &[Node]| nodes.iter().filter(|node| node.op.is::<Conv>()).count();
        let wanted = |id: &NodeId| needs.activations.contains(id) || needs.gradients.contains(id);
        Self {
            fast: convolutions(&nodes[..first(network, needs)]),
            unfolded: (0..nodes.len()).filter(|&id| network.graph.norm_behind(id).is_some()).filter(wanted).collect(),
        }
    }
}

/// The first requested node, or one behind the last.
fn first(network: &Network, needs: &Needs) -> NodeId {
    let asked = needs.activations.iter().chain(&needs.gradients);
    asked.copied().min().unwrap_or(network.graph.nodes().len())
}

/// The outputs of a forward pass.
pub(crate) struct Outputs {
    /// `[B, N]`, or `[B, N, h, w]` from a network in convolutional form.
    pub(crate) scores: Tensor,
    /// Outputs of the requested nodes.
    pub(crate) kept: BTreeMap<NodeId, Tensor>,
}

/// Runs a network over `views` `[B, 3, H, W]`.
///
/// Autograd records nothing in front of the first node of [`Needs::gradients`]: weights never
/// require gradients, and the activation there is made a leaf. Outputs that nobody keeps are freed
/// as soon as their last reader has run.
///
/// # Errors
/// Where the network can't take the views; the message names the layer.
pub(crate) fn forward(network: &Network, views: &Tensor, needs: &Needs) -> Result<Outputs> {
    network.count(views);
    let nodes = network.graph.nodes();
    let fast = first(network, needs);
    let mut run = Run {
        network,
        sized: network.sized(&views.size())?,
        format: network.format(),
        needs,
        fast,
        values: nodes.iter().map(|_| None).collect(),
    };
    let mut kept = BTreeMap::new();
    for (id, node) in nodes.iter().enumerate() {
        let value = match id {
            0 => Ok(Value { tensor: views.shallow_clone(), own: false }),
            _ => run.compute(id),
        };
        let mut value = value.map_err(|error| at_node(&node.name, views, error))?;
        if run.wanted(id) {
            value = Value { tensor: MemoryFormat::to_plain(&value.tensor)?, own: false };
            if needs.gradients.contains(&id) && !value.tensor.requires_grad() {
                // A leaf: what lies in front of it is not recorded.
                value.tensor = value.tensor.detach().set_requires_grad(true);
            }
            kept.insert(id, value.tensor.shallow_clone());
        }
        run.values[id] = Some(value);
    }
    let scores = run.values[network.graph.output()].take().ok_or(Error::Internal("an empty network"))?;
    Ok(Outputs { scores: MemoryFormat::to_plain(&scores.tensor)?, kept })
}

/// Says in which layer libtorch gave up, and on what input: nearly always a view that is too small.
fn at_node(name: &str, views: &Tensor, error: Error) -> Error {
    Error::Layer { name: name.to_owned(), views: Some(views.size()), cause: Box::new(error) }
}

/// A node's output.
struct Value {
    tensor: Tensor,
    /// True if nothing else holds its memory, so that its last reader may write there.
    own: bool,
}

struct Run<'a> {
    network: &'a Network,
    /// Operations that are others for views of this size.
    sized: BTreeMap<NodeId, Op>,
    format: Option<MemoryFormat>,
    needs: &'a Needs,
    /// The first requested node. The fast memory format ends there.
    fast: NodeId,
    values: Vec<Option<Value>>,
}

impl Run<'_> {
    fn wanted(&self, id: NodeId) -> bool {
        self.needs.activations.contains(&id) || self.needs.gradients.contains(&id)
    }

    /// Output of node `id`; inputs that it is the last to read are taken out of `values`.
    fn compute(&mut self, id: NodeId) -> Result<Value> {
        let graph = &self.network.graph;
        let node = &graph.nodes()[id];
        let format = self.format.filter(|_| id < self.fast);
        let mut inputs = node.inputs.iter().map(|&input| self.take(input, id)).collect::<Result<Vec<_>>>()?;
        let op = self.sized.get(&id).unwrap_or(&node.op);
        if let Some(conv) = op.downcast_ref() {
            return Ok(Value { tensor: self.convolve(id, conv, format, &inputs[0].tensor)?, own: true });
        }
        // The same bits, many times as fast, both conversions included.
        if op.is::<MaxPool>() && format.is_none_or(|format| !format.holds(&inputs[0].tensor)) {
            let pooled = op.apply(&[&self.network.pools_in(&inputs[0].tensor)?])?;
            return Ok(Value { tensor: MemoryFormat::to_plain(&pooled)?, own: true });
        }
        // Where it was folded into the convolution, its work is done.
        if op.is::<Dropout>() || (op.is::<BatchNorm>() && self.folds(node.inputs[0])) {
            return Ok(inputs.swap_remove(0));
        }
        if inputs[0].writable()
            && let Some(tensor) = op.apply_in_place(&inputs[0].tensor)?
        {
            return Ok(Value { tensor, own: true });
        }
        if op.is::<Add>() && inputs[0].takes(&inputs[1]) {
            let other = inputs.swap_remove(1);
            return Ok(Value { tensor: inputs[0].tensor.f_add_(&other.tensor)?, own: true });
        }
        if !format.is_some_and(|format| format.does(&**op)) {
            for input in &mut inputs {
                input.tensor = MemoryFormat::to_plain(&input.tensor)?;
            }
        }
        let tensors: Vec<&Tensor> = inputs.iter().map(|input| &input.tensor).collect();
        Ok(Value { tensor: op.apply(&tensors)?, own: !op.is_view() })
    }

    /// The value of `input` for its reader `id`.
    fn take(&mut self, input: NodeId, id: NodeId) -> Result<Value> {
        let last = self.network.graph.last_use(input) == id;
        if last && let Some(value) = self.values[input].take() {
            return Ok(value);
        }
        let value = self.values[input].as_ref().ok_or(Error::Internal("a node ran before its input"))?;
        Ok(Value { tensor: value.tensor.shallow_clone(), own: false })
    }

    /// Returns whether the batch normalisation behind a convolution is folded into it: where nobody
    /// asks for what is in between.
    fn folds(&self, conv: NodeId) -> bool {
        self.network.graph.norm_behind(conv).is_some() && !self.wanted(conv)
    }

    /// A convolution, in the lane where there is one.
    fn convolve(&self, id: NodeId, conv: &Conv, format: Option<MemoryFormat>, x: &Tensor) -> Result<Tensor> {
        let norm = self.network.graph.norm_behind(id).filter(|_| !self.wanted(id));
        let format = match format {
            Some(format) if format.admits(x) && format.convolves(conv, x)? => Some(format),
            _ => None,
        };
        let (x, padding) = match conv.pads_before(x) {
            true => conv.padded(&MemoryFormat::to_plain(x)?)?,
            false => conv.padded(x)?,
        };
        let x = format.map_or_else(|| MemoryFormat::to_plain(&x), |format| format.to_format(&x))?;
        let (weight, bias) = match (format, norm) {
            (Some(format), _) => {
                let form = WeightForm::Fast { folded: norm.is_some(), format };
                self.network.weights_in((id, form), || {
                    format.weights(&norm.map_or_else(|| Ok(conv.own()), |(_, norm)| fold(conv, norm))?)
                })?
            }
            (None, Some((_, norm))) => self.network.folded(id, conv, norm)?,
            (None, None) => conv.own(),
        };
        conv.unpadded(&weight, bias.as_ref(), &x, padding)
    }
}

impl Value {
    fn writable(&self) -> bool {
        self.own && !self.tensor.requires_grad()
    }

    /// Returns whether another value may be added where this one is.
    fn takes(&self, other: &Value) -> bool {
        let form = |value: &Value| (value.tensor.is_mkldnn(), value.tensor.kind(), value.tensor.size());
        self.writable() && !other.tensor.requires_grad() && form(self) == form(other)
    }
}
