//! Batch normalisation folded into the convolution in front of it: one linear layer with the same
//! output.

use super::weight_cache::{WeightForm, Weights};
use super::{BatchNorm, Conv, Graph, Network, NodeId};
use crate::Result;

impl Graph {
    /// For every convolution of which a batch normalisation is the only reader, that normalisation.
    /// One in front of its convolution, as DenseNet has it, can't be folded.
    pub(super) fn norms(nodes: &[super::Node]) -> Vec<Option<NodeId>> {
        let mut readers = vec![0; nodes.len()];
        nodes.iter().flat_map(|node| &node.inputs).for_each(|&input| readers[input] += 1);
        let mut norms = vec![None; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            if let &[input] = &node.inputs[..]
                && node.op.is::<BatchNorm>()
                && readers[input] == 1
                && nodes[input].op.is::<Conv>()
            {
                norms[input] = Some(id);
            }
        }
        norms
    }
}

/// Weight and bias of a convolution with the batch normalisation behind it folded in.
pub(crate) fn fold(conv: &Conv, norm: &BatchNorm) -> Result<Weights> {
    let scale = norm.scale()?;
    let weight = conv.weight.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
    let shift = match &conv.bias {
        Some(bias) => bias.f_sub(&norm.mean)?,
        None => norm.mean.f_neg()?,
    };
    Ok((weight, Some(shift.f_mul(&scale)?.f_add(&norm.bias)?)))
}

impl Network {
    /// [`fold`] for the convolution `node`: once, and kept for all that share the weights.
    ///
    /// # Errors
    /// As [`fold`].
    pub(crate) fn folded(&self, node: NodeId, conv: &Conv, norm: &BatchNorm) -> Result<Weights> {
        self.weight_cache.of((node, WeightForm::Folded), || fold(conv, norm))
    }
}
