//! SqueezeNet 1.0 and 1.1 (Iandola et al., 2016), as torchvision has them.

use super::builder::{Builder, Padding};
use super::graph::NodeId;
use super::stated::{Properties, REMEDY};
use super::{Built, Family};
use crate::Result;

/// Registry entry.
pub(super) static FAMILY: Family = Family {
    id: "squeezenet",
    summary: "SqueezeNet 1.0 and 1.1",
    input_size: 224,
    layer: "the last fire module (features.12)",
    stem: "features.0",
    build,
};

/// The two versions: name, side of the stem's kernel, and the positions of fire modules. Position 1
/// is the stem's ReLU, every other one without weights up to the last fire module a max pool.
const VERSIONS: [(&str, i64, [usize; 8]); 2] =
    [("squeezenet1_0", 7, [3, 4, 5, 7, 8, 9, 10, 12]), ("squeezenet1_1", 3, [3, 4, 6, 7, 9, 10, 11, 12])];

fn build(properties: &mut Properties<'_>) -> Result<Built> {
    let checkpoint = properties.checkpoint;
    let (mut b, mut x) = Builder::new(checkpoint, properties.channels());
    let positions = checkpoint.indices("features.");
    let shape = checkpoint.stem_shape("features.0")?;
    let (kernel, fires) = ([shape[2], shape[3]], positions.get(1..).unwrap_or_default());
    let Some((architecture, ..)) = VERSIONS.iter().find(|(_, side, places)| kernel == [*side; 2] && fires == places)
    else {
        let problem = format!(
            "has a kernel of {} × {}, and fire modules are at {fires:?}: neither SqueezeNet 1.0 (7 × 7, {:?}) nor 1.1 (3 × 3, {:?}), so its strides and pools can't be told; {REMEDY}",
            kernel[0], kernel[1], VERSIONS[0].2, VERSIONS[1].2
        );
        return Err(checkpoint.wrong("features.0.weight", problem));
    };
    let last = fires.last().copied().unwrap_or_default();
    x = b.conv("features.0", x, kernel, 2, Padding::Valid)?;
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
    x = b.conv("classifier.1", x, [1, 1], 1, Padding::Same)?;
    let classes = b.channels(x);
    x = b.relu("classifier.2", x);
    x = b.adaptive_avg_pool("classifier.3", x, 1);
    b.flatten("flatten", x);
    // The last fire module in front of the last pool.
    let excitation = format!("features.{}", pools.last().map_or(last, |pool| pool - 1));
    Ok(Built {
        graph: b.finish()?,
        architecture: (*architecture).to_owned(),
        layer: format!("features.{last}"),
        excitation,
        classes,
    })
}

fn fire(b: &mut Builder<'_>, name: &str, x: NodeId) -> Result<NodeId> {
    let squeezed = b.conv(&format!("{name}.squeeze"), x, [1, 1], 1, Padding::Same)?;
    let squeezed = b.relu(&format!("{name}.squeeze_activation"), squeezed);
    let mut expanded = Vec::new();
    for (side, kernel) in [("1x1", 1), ("3x3", 3)] {
        let y = b.conv(&format!("{name}.expand{side}"), squeezed, [kernel; 2], 1, Padding::Same)?;
        expanded.push(b.relu(&format!("{name}.expand{side}_activation"), y));
    }
    Ok(b.concat(&format!("{name}.cat"), expanded))
}
