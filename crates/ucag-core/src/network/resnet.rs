//! ResNet (He et al., CVPR 2016), wide and grouped (ResNeXt) ones included, as torchvision has it:
//! the stride sits on the 3×3 convolution. In networks converted from Caffe it sits on the 1×1
//! convolution before that, and the stem differs: see docs/protocol.md#networks-from-caffe.

use super::builder::{Builder, Padding};
use super::checkpoint::Checkpoint;
use super::graph::NodeId;
use super::stated::{Properties, REMEDY};
use super::{Built, Family};
use crate::Result;

/// Registry entry.
pub(super) static FAMILY: Family = Family {
    id: "resnet",
    summary: "ResNet 18 to 152, wide ResNet, ResNeXt: basic and bottleneck blocks",
    input_size: 224,
    layer: "`layer4`, the last block's output after its ReLU",
    stem: "conv1",
    build,
};

const EPS: f64 = 1e-5;

fn build(properties: &mut Properties<'_>) -> Result<Built> {
    let checkpoint = properties.checkpoint;
    let (mut b, mut x) = Builder::new(checkpoint, properties.channels());
    let caffe = properties.is_caffe()?;
    properties.ceil()?;
    let stem = properties.stem("conv1")?;
    if checkpoint.has("conv1.bias") && !caffe {
        properties.assume(
            "conv1 has a bias, as in networks from Caffe, but the file doesn't say that it is one (preprocessing, max_pool); strides and pool are taken to be torchvision's."
                .into(),
        );
    }
    let kernel = checkpoint.stem_shape("conv1")?;
    x = b.conv("conv1", x, [kernel[2], kernel[3]], stem.stride(), Padding::Same)?;
    x = b.batch_norm("bn1", x, EPS)?;
    x = b.relu("relu", x);
    if caffe {
        x = b.max_pool("maxpool", x, 3, 2, 0, true);
    } else if stem.has_pool() {
        x = b.max_pool("maxpool", x, 3, 2, 1, false);
    }
    let bottleneck = checkpoint.has("layer1.0.conv3.weight");
    let mut depths = Vec::new();
    for stage in 1..=4 {
        let blocks = checkpoint.indices(&format!("layer{stage}."));
        if blocks.is_empty() || blocks.iter().enumerate().any(|(place, &block)| place != block) {
            let problem = format!(
                "has the blocks {blocks:?}, expected them to be numbered from 0; {REMEDY} if it has other stages"
            );
            return Err(checkpoint.wrong(&format!("layer{stage}"), problem));
        }
        for &block in &blocks {
            let stride = if stage > 1 && block == 0 { 2 } else { 1 };
            x = residual_block(&mut b, &format!("layer{stage}.{block}"), x, stride, Block { bottleneck, caffe })?;
        }
        depths.push(blocks.len());
    }
    x = b.adaptive_avg_pool("avgpool", x, 1);
    x = b.flatten("flatten", x);
    x = b.linear("fc", x)?;
    let architecture = architecture(checkpoint, &depths, bottleneck)?;
    let classes = b.channels(x);
    Ok(Built { graph: b.finish()?, architecture, layer: "layer4".into(), excitation: "layer3".into(), classes })
}

/// The blocks of a network.
#[derive(Clone, Copy)]
struct Block {
    /// Three convolutions, not two.
    bottleneck: bool,
    /// The stride sits on the first of them.
    caffe: bool,
}

/// Names are those of torchvision's feature extraction, which numbers the uses of the block's one
/// ReLU.
fn residual_block(b: &mut Builder<'_>, name: &str, input: NodeId, stride: i64, block: Block) -> Result<NodeId> {
    let strides: &[i64] = match block {
        Block { bottleneck: false, .. } => &[stride, 1],
        Block { caffe: false, .. } => &[1, stride, 1],
        Block { caffe: true, .. } => &[stride, 1, 1],
    };
    let relu = |i: usize| {
        if i == 0 { format!("{name}.relu") } else { format!("{name}.relu_{i}") }
    };
    let mut x = input;
    for (i, &stride) in strides.iter().enumerate() {
        let conv = format!("{name}.conv{}", i + 1);
        x = match (block.bottleneck, i) {
            (true, 1) => b.grouped_conv(&conv, x, [3, 3], stride, Padding::Same)?,
            (true, _) => b.conv(&conv, x, [1, 1], stride, Padding::Same)?,
            (false, _) => b.conv(&conv, x, [3, 3], stride, Padding::Same)?,
        };
        x = b.batch_norm(&format!("{name}.bn{}", i + 1), x, EPS)?;
        if i + 1 < strides.len() {
            x = b.relu(&relu(i), x);
        }
    }
    let mut identity = input;
    // torchvision projects where the block changes the size or the number of channels, and nowhere
    // else.
    let projection = format!("{name}.downsample.0");
    let changes = stride != 1 || b.channels(x) != b.channels(input);
    if changes != b.checkpoint.has(&format!("{projection}.weight")) {
        let problem = match changes {
            true => "is missing, where torchvision's network changes size or channels",
            false => {
                "is there, though neither size nor channels change in torchvision's network, so its stride can't be told"
            }
        };
        return Err(b.checkpoint.wrong(&format!("{projection}.weight"), format!("{problem}; {REMEDY}")));
    }
    if changes {
        identity = b.conv(&projection, identity, [1, 1], stride, Padding::Same)?;
        identity = b.batch_norm(&format!("{name}.downsample.1"), identity, EPS)?;
    }
    x = b.add(&format!("{name}.add"), x, identity)?;
    Ok(b.relu(&relu(strides.len() - 1), x))
}

/// torchvision's name for this checkpoint, or a description where torchvision has none.
fn architecture(checkpoint: &Checkpoint, depths: &[usize], bottleneck: bool) -> Result<String> {
    let depth = match (bottleneck, depths) {
        (false, [2, 2, 2, 2]) => 18,
        (false, [3, 4, 6, 3]) => 34,
        (true, [3, 4, 6, 3]) => 50,
        (true, [3, 4, 23, 3]) => 101,
        (true, [3, 8, 36, 3]) => 152,
        _ => {
            let kind = if bottleneck { "bottleneck" } else { "basic" };
            return Ok(format!("resnet ({kind} blocks {depths:?})"));
        }
    };
    if !bottleneck {
        return Ok(format!("resnet{depth}"));
    }
    let inner = checkpoint.shape("layer1.0.conv2.weight")?;
    let stem = checkpoint.shape("conv1.weight")?;
    let (width, groups) = (inner[0], inner[0] / inner[1].max(1));
    Ok(match (groups, width == stem[0]) {
        (1, true) => format!("resnet{depth}"),
        (1, false) => format!("wide_resnet{depth}_{}", width / stem[0].max(1)),
        _ => format!("resnext{depth}_{groups}x{}d", width / groups),
    })
}
