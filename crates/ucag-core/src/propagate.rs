//! Walking a graph backwards: a propagation method is a [`Rule`] for what goes back through each
//! operation.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tch::Tensor;

use crate::network::{Graph, Network, Node, NodeId, Op};
use crate::pass::{Cache, Pass};
use crate::{Error, Result};

/// The signal that a propagation carries from an operation to its inputs.
pub trait Signal: Sized {
    /// Returns the signal at a node that several others read, where the method doesn't say
    /// otherwise.
    fn sum(self, other: Self) -> Result<Self>;
}

impl Signal for Tensor {
    fn sum(self, other: Self) -> Result<Self> {
        Ok(self.f_add(&other)?)
    }
}

/// An operation on the way back, with its inputs and output of the forward pass.
#[derive(Debug)]
pub struct LayerVisit<'a, C = Tensor> {
    /// The network.
    pub network: &'a Network,
    /// The node.
    pub id: NodeId,
    /// Its operation.
    pub op: &'a Op,
    /// True if the operation is a convolution with the batch normalisation behind it.
    pub folded: bool,
    /// The inputs.
    pub inputs: &'a [&'a Tensor],
    /// The output.
    pub output: &'a Tensor,
    /// The signal at its output, of the output's shape.
    pub upstream: &'a C,
    /// The cache of what all propagations over these views share, if there are several.
    pub cache: Option<&'a Cache>,
}

impl<C> LayerVisit<'_, C> {
    /// Returns whether no entry of the first input is negative.
    pub fn reads_positive(&self) -> Result<bool> {
        let graph = &self.network.graph;
        if graph.is_positive(graph.nodes()[self.id].inputs[0]) {
            return Ok(true);
        }
        Ok(self.inputs[0].f_min()?.f_double_value(&[])? >= 0.0)
    }

    /// The positive part of the operation's weight, which all propagations share.
    pub fn positive_weight(&self, weight: &Tensor) -> Result<Tensor> {
        self.network.positive_weight(self.id, self.folded, weight)
    }

    /// Returns what ordinary differentiation sends back to each input for a cotangent of the
    /// output's shape.
    pub fn vjp_of(&self, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        self.op.vjp(self.inputs, self.output, cotangent)
    }
}

impl LayerVisit<'_> {
    /// Returns what ordinary differentiation sends back to each input.
    pub fn vjp(&self) -> Result<Vec<Tensor>> {
        self.vjp_of(self.upstream)
    }
}

/// A propagation method: its rule for each operation.
pub trait Rule {
    /// The signal: relevance, a cotangent, or several such things, of the shape of a node's output.
    type Signal: Signal;

    /// Returns the signal at each input, of the inputs' shapes. Fewer than there are inputs mean
    /// that the rest gets none.
    ///
    /// # Errors
    /// Where the method has no rule for the operation, or libtorch refuses.
    fn back(&self, visit: &LayerVisit<'_, Self::Signal>) -> Result<Vec<Self::Signal>>;

    /// Returns the signal at a node of output `output` that several others read: the sum, unless
    /// the method says otherwise.
    fn join(&self, _output: &Tensor, first: Self::Signal, rest: Vec<Self::Signal>) -> Result<Self::Signal> {
        rest.into_iter().try_fold(first, Signal::sum)
    }
}

/// The tensors that a rule reads when it visits an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    /// The inputs.
    pub inputs: bool,
    /// The output.
    pub output: bool,
}

impl Reads {
    /// Both.
    pub const ALL: Reads = Reads { inputs: true, output: true };
    /// Neither.
    pub const NOTHING: Reads = Reads { inputs: false, output: false };
}

/// The nodes whose outputs a propagation from `from` back to `to` may read: they must be among the
/// pass's activations.
pub fn needs(graph: &Graph, from: NodeId, to: NodeId) -> Vec<NodeId> {
    needs_of(graph, from, to, |_| Reads::ALL)
}

/// As [`needs`], for a rule that doesn't read everything: the rest needn't be kept. A visit has an
/// undefined tensor in its place, which libtorch refuses to work with.
pub fn needs_of(graph: &Graph, from: NodeId, to: NodeId, reads: impl Fn(&Op) -> Reads) -> Vec<NodeId> {
    let looked_at = |id: NodeId| {
        let Node { op, inputs, .. } = &graph.nodes()[id];
        let Reads { inputs: read, output } = reads(op);
        let inputs = inputs.iter().copied().filter(move |_| read);
        inputs.chain(output.then_some(id))
    };
    let mut nodes: Vec<NodeId> = path(graph, from, to).into_iter().flat_map(looked_at).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// Propagates `seed`, of the shape of `from`'s output, back to `to` under a rule, and returns the
/// signal there, of the shape of `to`'s output.
///
/// # Errors
/// [`Error::Layer`] where the rule fails; also where no path leads from `from` to `to`.
pub fn propagate<R: Rule>(pass: &Pass<'_>, rule: &R, from: NodeId, seed: R::Signal, to: NodeId) -> Result<R::Signal> {
    let graph = &pass.network().graph;
    let sized = pass.network().sized(&pass.views().size())?;
    let mut upstream: BTreeMap<NodeId, Vec<R::Signal>> = BTreeMap::from([(from, vec![seed])]);
    let joined = |id: NodeId, upstream: &mut BTreeMap<NodeId, Vec<R::Signal>>| -> Result<Option<R::Signal>> {
        let mut parts = upstream.remove(&id).unwrap_or_default().into_iter();
        let Some(first) = parts.next() else { return Ok(None) };
        let rest: Vec<_> = parts.collect();
        Ok(Some(if rest.is_empty() {
            first
        } else {
            rule.join(&pass.activation_if_kept(id)?.unwrap_or_else(Tensor::new), first, rest)?
        }))
    };
    for id in path(graph, from, to).into_iter().rev() {
        let Some(sum) = joined(id, &mut upstream)? else { continue };
        let node = &graph.nodes()[id];
        let activation = |id| Ok(pass.activation_if_kept(id)?.unwrap_or_else(Tensor::new));
        let inputs = node.inputs.iter().map(|&input| activation(input)).collect::<Result<Vec<_>>>()?;
        let visit = LayerVisit {
            network: pass.network(),
            id,
            op: sized.get(&id).unwrap_or(&node.op),
            folded: false,
            inputs: &inputs.iter().collect::<Vec<_>>(),
            output: &activation(id)?,
            upstream: &sum,
            cache: pass.forward_pass().propagations(),
        };
        let back = rule.back(&visit).map_err(|error| Error::Layer {
            name: node.name.clone(),
            views: None,
            cause: Box::new(error),
        })?;
        for (&input, back) in node.inputs.iter().zip(back) {
            upstream.entry(input).or_default().push(back);
        }
    }
    joined(to, &mut upstream)?.ok_or_else(|| {
        let name = |id: NodeId| &graph.nodes()[id].name;
        Error::Invalid(format!("no path leads back from {} to {}", name(from), name(to)))
    })
}

/// Ordinary differentiation as a propagation: returns the gradient at `to` of [`Pass::cotangent`]
/// times the output. `see` is shown each operation with the gradient at its output, which is
/// dropped before the next one: all of them together needn't fit in memory.
///
/// # Errors
/// As [`propagate`], or as `see`.
pub fn gradients(pass: &Pass<'_>, to: NodeId, see: impl FnMut(&LayerVisit<'_>) -> Result<()>) -> Result<Tensor> {
    propagate(pass, &Watched(RefCell::new(see)), pass.network().graph.output(), pass.cotangent()?, to)
}

struct Watched<F>(RefCell<F>);

impl<F: FnMut(&LayerVisit<'_>) -> Result<()>> Rule for Watched<F> {
    type Signal = Tensor;

    fn back(&self, visit: &LayerVisit<'_>) -> Result<Vec<Tensor>> {
        (*self.0.borrow_mut())(visit)?;
        visit.vjp()
    }
}

/// The nodes on paths from `to` to `from`, `from` included and `to` not, in topological order.
fn path(graph: &Graph, from: NodeId, to: NodeId) -> Vec<NodeId> {
    let nodes = graph.nodes();
    let mut behind = vec![false; nodes.len()];
    behind[to] = true;
    for id in to + 1..=from {
        behind[id] = nodes[id].inputs.iter().any(|&input| behind[input]);
    }
    let mut wanted = vec![false; nodes.len()];
    wanted[from] = true;
    for id in (to..=from).rev() {
        if wanted[id] {
            nodes[id].inputs.iter().for_each(|&input| wanted[input] = true);
        }
    }
    (to + 1..=from).filter(|&id| behind[id] && wanted[id]).collect()
}
