//! The layers that methods are defined at, in a network that no family describes.

use crate::network::op::Permute;
use crate::network::{Graph, NodeId, OpKind};

/// Returns the layers that CAM methods explain and at which excitation backprop stops: the last
/// feature map that everything goes through, before it is pooled or classified; and the last one
/// with twice its sides.
///
/// `shapes` are those of the nodes' outputs. Where there is no feature map, both are the output.
pub(super) fn defaults(graph: &Graph, shapes: &[Vec<i64>], classes: i64) -> [NodeId; 2] {
    let nodes = graph.nodes();
    // The last node that reads anything made before a node: all goes through those that come after
    // it, until the next branch.
    let mut last_reader = 0;
    let mut narrow = vec![false; nodes.len()];
    for (id, is_narrow) in narrow.iter_mut().enumerate() {
        *is_narrow = last_reader <= id;
        last_reader = last_reader.max(graph.last_use(id));
    }
    // Channels are the second axis, but for layers between two permutations.
    let mut channels_last = vec![false; nodes.len()];
    for (id, node) in nodes.iter().enumerate().skip(1) {
        channels_last[id] = match node.op.downcast_ref::<Permute>().map(|permute| permute.axes.as_slice()) {
            Some([0, 2, 3, 1]) => true,
            Some([0, 3, 1, 2]) => false,
            _ => channels_last[node.inputs[0]],
        };
    }
    let side = |id: NodeId| match shapes[id].as_slice() {
        &[_, _, height, width] if height * width > 1 && !channels_last[id] => Some(height.max(width)),
        _ => None,
    };
    let is_map = |&id: &NodeId| narrow[id] && side(id).is_some();
    let before_pools = |mut id: NodeId| {
        while matches!(nodes[id].op.kind(), OpKind::MaxPool | OpKind::MeanPool | OpKind::Identity) {
            id = nodes[id].inputs[0];
        }
        id
    };
    let mut target = before_pools((1..nodes.len()).rev().find(is_map).unwrap_or(graph.output()));
    // A convolution that gives a map of logits is the classifier.
    let behind = (1..=target).rev().find(|&id| matches!(nodes[id].op.kind(), OpKind::Conv(_)));
    if let Some(conv) = behind.filter(|&conv| shapes[conv][1] == classes && shapes[target][1] == classes) {
        let between = (conv + 1..=target).all(|id| matches!(nodes[id].op.kind(), OpKind::Relu | OpKind::Identity));
        if between {
            target = before_pools(nodes[conv].inputs[0]);
        }
    }
    // Borders without padding take a pixel from twice the side.
    let is_finer = |&id: &NodeId| side(id) >= side(target).map(|side| 2 * side - 1);
    let excitation = before_pools((1..=target).rev().filter(is_map).find(is_finer).unwrap_or(target));
    [target, excitation]
}
