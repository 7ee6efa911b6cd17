//! Walking a graph backwards: a propagation method is a [`Rule`] for what goes back through each operation.

use std::collections::BTreeMap;

use tch::Tensor;

use crate::network::{Graph, NodeId, Op};
use crate::pass::Pass;
use crate::{Error, Result};

/// An operation on the way back, with what it saw on the way forth.
#[derive(Debug)]
pub struct Visit<'a> {
    /// The node.
    pub id: NodeId,
    /// Its operation.
    pub op: &'a Op,
    /// What went in.
    pub inputs: &'a [&'a Tensor],
    /// What came out.
    pub output: &'a Tensor,
    /// What comes back to it, of the output's shape: the sum over all its readers.
    pub arriving: &'a Tensor,
}

impl Visit<'_> {
    /// What ordinary differentiation sends back to each input.
    ///
    /// # Errors
    /// Where libtorch refuses.
    pub fn vjp(&self) -> Result<Vec<Tensor>> {
        self.op.vjp(self.inputs, self.output, self.arriving)
    }
}

/// What a propagation method sends back through an operation.
pub trait Rule {
    /// What goes back to each input, of the inputs' shapes.
    ///
    /// # Errors
    /// Where the method has no rule for the operation, or libtorch refuses.
    fn back(&self, visit: &Visit<'_>) -> Result<Vec<Tensor>>;
}

/// The nodes whose outputs a walk from `from` back to `to` looks at: they must be among the pass's activations.
pub fn needs(graph: &Graph, from: NodeId, to: NodeId) -> Vec<NodeId> {
    let path = path(graph, from, to);
    let mut nodes: Vec<NodeId> =
        path.iter().flat_map(|&id| graph.nodes()[id].inputs.iter().copied().chain([id])).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// Sends `seed`, of the shape of `from`'s output, back to `to` under a rule: what arrives there, of the shape of its output.
///
/// # Errors
/// Where the rule has nothing for an operation on the way, an output wasn't kept, or no way leads from `from` to `to`.
pub fn walk(pass: &Pass<'_>, rule: &dyn Rule, from: NodeId, seed: Tensor, to: NodeId) -> Result<Tensor> {
    let graph = &pass.network().graph;
    let mut arriving: BTreeMap<NodeId, Tensor> = BTreeMap::from([(from, seed)]);
    for id in path(graph, from, to).into_iter().rev() {
        let Some(sum) = arriving.remove(&id) else { continue };
        let node = &graph.nodes()[id];
        let inputs = node.inputs.iter().map(|&input| pass.activation(input)).collect::<Result<Vec<_>>>()?;
        let visit = Visit {
            id,
            op: &node.op,
            inputs: &inputs.iter().collect::<Vec<_>>(),
            output: &pass.activation(id)?,
            arriving: &sum,
        };
        let back = rule.back(&visit).map_err(|error| Error::Invalid(format!("layer {}: {error}", node.name)))?;
        for (&input, back) in node.inputs.iter().zip(back) {
            let sum = match arriving.remove(&input) {
                Some(before) => before.f_add(&back)?,
                None => back,
            };
            arriving.insert(input, sum);
        }
    }
    arriving.remove(&to).ok_or_else(|| {
        let name = |id: NodeId| &graph.nodes()[id].name;
        Error::Invalid(format!("no way leads back from {} to {}", name(from), name(to)))
    })
}

/// The nodes that lie behind `to`, and on a way from there to `from`, `from` included, in topological order.
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
