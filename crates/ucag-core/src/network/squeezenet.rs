//! SqueezeNet 1.0 and 1.1 (Iandola et al., 2016), as torchvision has them.

use super::builder::{Builder, Padding};
use super::checkpoint::Checkpoint;
use super::graph::NodeId;
use super::{Built, Family};
use crate::Result;

/// Registry entry.
pub(super) static FAMILY: Family = Family {
    id: "squeezenet",
    summary: "SqueezeNet 1.0 and 1.1",
    input_size: 224,
    layer: "the last fire module (features.12)",
    build,
};

/// Position 1 is the stem's ReLU; every other position without weights between the stem and the last fire module is a max
/// pool, which is all that tells the two versions apart but for the stem's kernel.
fn build(checkpoint: &Checkpoint) -> Result<Built> {
    let (mut b, mut x) = Builder::new(checkpoint);
    let fires = checkpoint.indices("features.");
    let last = fires.last().copied().unwrap_or_default();
    x = b.conv("features.0", x, 2, Padding::Valid)?;
    x = b.relu("features.1", x);
    let mut pools = Vec::new();
    for position in 2..=last {
        let name = format!("features.{position}");
        if fires.contains(&position) {
            x = fire(&mut b, &name, x)?;
        } else {
            x = b.max_pool(&name, x, 3, 2, 0, true);
            pools.push(position);
        }
    }
    x = b.dropout("classifier.0", x);
    x = b.conv("classifier.1", x, 1, Padding::Same)?;
    let classes = b.channels(x);
    x = b.relu("classifier.2", x);
    x = b.adaptive_avg_pool("classifier.3", x, 1);
    b.flatten("flatten", x);
    // The last fire module in front of the last pool.
    let middle = format!("features.{}", pools.last().map_or(last, |pool| pool - 1));
    let variant = match pools.as_slice() {
        [2, 6, 11] => "squeezenet1_0".into(),
        [2, 5, 8] => "squeezenet1_1".into(),
        _ => format!("squeezenet (pools at {pools:?})"),
    };
    Ok(Built { graph: b.finish()?, variant, layer: format!("features.{last}"), middle, classes })
}

fn fire(b: &mut Builder<'_>, name: &str, x: NodeId) -> Result<NodeId> {
    let squeezed = b.conv(&format!("{name}.squeeze"), x, 1, Padding::Same)?;
    let squeezed = b.relu(&format!("{name}.squeeze_activation"), squeezed);
    let mut expanded = Vec::new();
    for side in ["1x1", "3x3"] {
        let y = b.conv(&format!("{name}.expand{side}"), squeezed, 1, Padding::Same)?;
        expanded.push(b.relu(&format!("{name}.expand{side}_activation"), y));
    }
    Ok(b.concat(&format!("{name}.cat"), expanded))
}
