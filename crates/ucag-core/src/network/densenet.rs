//! DenseNet (Huang et al., CVPR 2017), as torchvision has it.

use super::builder::{Builder, Padding};
use super::checkpoint::Checkpoint;
use super::graph::NodeId;
use super::stated::{Properties, REMEDY};
use super::{Built, Family};
use crate::Result;

/// Registry entry.
///
/// The paper doesn't say which layer it explains. torchvision's last ReLU works in place on the
/// output of `features`; the node `relu` is what the classifier sees, with its own gradient: see
/// docs/protocol.md#densenet-relu.
pub(super) static FAMILY: Family = Family {
    id: "densenet",
    summary: "DenseNet 121, 161, 169 and 201",
    input_size: 224,
    layer: "`relu`, the ReLU behind `features.norm5`",
    stem: "features.conv0",
    build,
};

const EPS: f64 = 1e-5;

fn build(properties: &mut Properties<'_>) -> Result<Built> {
    let checkpoint = properties.checkpoint;
    let (mut b, mut x) = Builder::new(checkpoint, properties.channels());
    let stem = properties.stem("features.conv0")?;
    let kernel = checkpoint.stem_shape("features.conv0")?;
    x = b.conv("features.conv0", x, [kernel[2], kernel[3]], stem.stride(), Padding::Same)?;
    x = b.batch_norm("features.norm0", x, EPS)?;
    x = b.relu("features.relu0", x);
    if stem.has_pool() {
        x = b.max_pool("features.pool0", x, 3, 2, 1, false);
    }
    let mut depths = Vec::new();
    let blocks = numbered(checkpoint, "features.denseblock")?;
    for &block in &blocks {
        let name = format!("features.denseblock{block}");
        let layers = numbered(checkpoint, &format!("{name}.denselayer"))?;
        let mut features = vec![x];
        for layer in &layers {
            let new = dense_layer(&mut b, &format!("{name}.denselayer{layer}"), &features)?;
            features.push(new);
        }
        x = b.concat(&format!("{name}.cat"), features);
        depths.push(layers.len());
        let name = format!("features.transition{block}");
        // One behind the last block, which torchvision hasn't, is left over then.
        if block < blocks.len() {
            x = b.batch_norm(&format!("{name}.norm"), x, EPS)?;
            x = b.relu(&format!("{name}.relu"), x);
            x = b.conv(&format!("{name}.conv"), x, [1, 1], 1, Padding::Same)?;
            x = b.avg_pool(&format!("{name}.pool"), x, 2, 2, 0);
        }
    }
    x = b.batch_norm("features.norm5", x, EPS)?;
    x = b.relu("relu", x);
    x = b.adaptive_avg_pool("adaptive_avg_pool2d", x, 1);
    x = b.flatten("flatten", x);
    x = b.linear("classifier", x)?;
    let architecture = match depths.as_slice() {
        [6, 12, 24, 16] => "densenet121".into(),
        [6, 12, 36, 24] => "densenet161".into(),
        [6, 12, 32, 32] => "densenet169".into(),
        [6, 12, 48, 32] => "densenet201".into(),
        _ => format!("densenet (blocks {depths:?})"),
    };
    let excitation = format!("features.denseblock{}", depths.len().saturating_sub(1).max(1));
    let classes = b.channels(x);
    Ok(Built { graph: b.finish()?, architecture, layer: "relu".into(), excitation, classes })
}

/// The numbers behind `prefix`, which must be those from 1 on.
fn numbered(checkpoint: &Checkpoint, prefix: &str) -> Result<Vec<usize>> {
    let numbers = checkpoint.indices(prefix);
    if numbers.is_empty() || numbers.iter().enumerate().any(|(place, &number)| place + 1 != number) {
        let problem =
            format!("has the numbers {numbers:?}, expected those from 1 on; {REMEDY} if it is built otherwise");
        return Err(checkpoint.wrong(prefix, problem));
    }
    Ok(numbers)
}

fn dense_layer(b: &mut Builder<'_>, name: &str, features: &[NodeId]) -> Result<NodeId> {
    let mut x = match features {
        [only] => *only,
        _ => b.concat(&format!("{name}.cat"), features.to_vec()),
    };
    for (i, side) in [(1, 1), (2, 3)] {
        x = b.batch_norm(&format!("{name}.norm{i}"), x, EPS)?;
        x = b.relu(&format!("{name}.relu{i}"), x);
        x = b.conv(&format!("{name}.conv{i}"), x, [side; 2], 1, Padding::Same)?;
    }
    Ok(x)
}
