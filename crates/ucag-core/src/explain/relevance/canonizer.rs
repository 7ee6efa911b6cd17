//! Batch normalisation folded into the convolution in front of it, so that a rule sees one linear
//! layer (Guillemot et al., 2020).

use std::collections::BTreeMap;

use tch::Tensor;

use super::Relevance;
use crate::Result;
use crate::network::{Conv, Network, NodeId, Op};
use crate::pass::Pass;
use crate::propagate::{LayerVisit, Rule};

/// A convolution with the batch normalisation behind it.
pub(super) struct Folded {
    op: Op,
    /// The batch normalisation, whose output is the folded convolution's.
    norm: NodeId,
}

/// Every convolution with a batch normalisation that can be folded in.
pub(super) fn fold(network: &Network) -> Result<BTreeMap<NodeId, Folded>> {
    let mut folded = BTreeMap::new();
    for (id, node) in network.graph.nodes().iter().enumerate() {
        if let (Some(conv), Some((norm, op))) = (node.op.downcast_ref::<Conv>(), network.graph.norm_behind(id)) {
            let (weight, bias) = network.folded(id, conv, op)?;
            folded.insert(id, Folded { op: Conv { weight, bias, ..*conv }.into(), norm });
        }
    }
    Ok(folded)
}

/// A rule that sees each convolution with its batch normalisation folded in. Relevance passes the
/// normalisation itself unchanged.
pub(super) struct MergedBatchNorm<'a, 'n, R> {
    pub(super) rule: R,
    pub(super) pass: &'a Pass<'n>,
    pub(super) folded: BTreeMap<NodeId, Folded>,
}

impl<R: Rule<Signal = Relevance>> Rule for MergedBatchNorm<'_, '_, R> {
    type Signal = Relevance;

    fn back(&self, visit: &LayerVisit<'_, Relevance>) -> Result<Vec<Relevance>> {
        if let Some(Folded { op, norm }) = self.folded.get(&visit.id) {
            let output = &self.pass.activation(*norm)?;
            return self.rule.back(&LayerVisit { op, output, folded: true, ..*visit });
        }
        if self.folded.values().any(|folded| folded.norm == visit.id) {
            return Ok(vec![visit.upstream.shallow_clone()]);
        }
        self.rule.back(visit)
    }

    fn join(&self, output: &Tensor, first: Relevance, rest: Vec<Relevance>) -> Result<Relevance> {
        self.rule.join(output, first, rest)
    }
}
