//! Values that methods ask of a pass.

use crate::network::NodeId;

/// The outputs that a pass must keep, and the gradients that it must be able to return.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Nodes whose outputs are kept.
    pub activations: Vec<NodeId>,
    /// Nodes at which the gradient of a target's logit can be computed.
    pub gradients: Vec<NodeId>,
    /// Walks back from the output, for each class, that differ only in their start. What several of
    /// them share is kept.
    pub propagations: usize,
}

impl Needs {
    /// Returns the needs of CAM methods: activation and gradient of one layer.
    pub fn layer(node: NodeId) -> Self {
        Self { activations: vec![node], gradients: vec![node], ..Self::default() }
    }

    /// Returns what either needs.
    pub fn union(mut self, other: &Needs) -> Self {
        let extend = |into: &mut Vec<NodeId>, from: &[NodeId]| {
            into.extend_from_slice(from);
            into.sort_unstable();
            into.dedup();
        };
        extend(&mut self.activations, &other.activations);
        extend(&mut self.gradients, &other.gradients);
        self.propagations += other.propagations;
        self
    }
}
