//! Batch normalisation folded into the convolution in front of it, so that a rule sees one linear layer (Guillemot et al., 2020).

use std::collections::BTreeMap;

use tch::Tensor;

use crate::Result;
use crate::network::{Conv, Graph, NodeId, Op};
use crate::pass::Pass;
use crate::walk::{Rule, Visit};

/// A convolution with the batch normalisation behind it.
pub(super) struct Folded {
    op: Op,
    /// The batch normalisation, whose output is the folded convolution's.
    norm: NodeId,
}

/// Every convolution of which a batch normalisation is the only reader. A normalisation in front of its convolution, as DenseNet has it, stays.
///
/// # Errors
/// Where libtorch refuses the shapes.
pub(super) fn fold(graph: &Graph) -> Result<BTreeMap<NodeId, Folded>> {
    let nodes = graph.nodes();
    let readers = |id: NodeId| nodes.iter().filter(|node| node.inputs.contains(&id)).count();
    let mut folded = BTreeMap::new();
    for (norm, node) in nodes.iter().enumerate() {
        let Op::BatchNorm(b) = &node.op else { continue };
        let id = node.inputs[0];
        let Op::Conv(conv) = &nodes[id].op else { continue };
        if readers(id) != 1 {
            continue;
        }
        let scale = b.weight.f_div(&b.var.f_add_scalar(b.eps)?.f_sqrt()?)?;
        let weight = conv.weight.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
        let shift = match &conv.bias {
            Some(bias) => bias.f_sub(&b.mean)?,
            None => b.mean.f_neg()?,
        };
        let bias = Some(shift.f_mul(&scale)?.f_add(&b.bias)?);
        folded.insert(id, Folded { op: Op::Conv(Conv { weight, bias, ..*conv }), norm });
    }
    Ok(folded)
}

/// A rule that sees each convolution with its batch normalisation folded in. Relevance passes the normalisation itself unchanged.
pub(super) struct Canonised<'a, 'n, R> {
    pub(super) rule: R,
    pub(super) pass: &'a Pass<'n>,
    pub(super) folded: BTreeMap<NodeId, Folded>,
}

impl<R: Rule<Carried = Tensor>> Rule for Canonised<'_, '_, R> {
    type Carried = Tensor;

    fn back(&self, visit: &Visit<'_>) -> Result<Vec<Tensor>> {
        if let Some(Folded { op, norm }) = self.folded.get(&visit.id) {
            let output = &self.pass.activation(*norm)?;
            return self.rule.back(&Visit { op, output, folded: true, ..*visit });
        }
        if self.folded.values().any(|folded| folded.norm == visit.id) {
            return Ok(vec![visit.arriving.shallow_clone()]);
        }
        self.rule.back(visit)
    }

    fn join(&self, output: &Tensor, first: Tensor, rest: Vec<Tensor>) -> Result<Tensor> {
        self.rule.join(output, first, rest)
    }
}
