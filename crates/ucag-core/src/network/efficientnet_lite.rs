//! EfficientNet-Lite 0 to 4, as the package `efficientnet-lite-pytorch` has them: EfficientNets
//! (Tan & Le, ICML 2019) with ReLU6 and without squeeze and excitation, and with TensorFlow's
//! padding for the input at hand.

use super::builder::{Builder, Padding};
use super::graph::NodeId;
use super::preprocessing::Preprocessing;
use super::stated::{Properties, REMEDY};
use super::{Built, Family};
use crate::Result;

/// Registry entry.
pub(super) static FAMILY: Family = Family {
    id: "efficientnet_lite",
    summary: "EfficientNet-Lite 0, 1, 2, 3 and 4",
    input_size: 224,
    layer: "`_swish_1`, the ReLU6 behind `_conv_head`",
    stem: "_conv_stem",
    build,
};

/// Side of the kernel and stride of the first block of each stage.
const STAGES: [(i64, i64); 7] = [(3, 1), (3, 2), (5, 2), (3, 2), (5, 1), (5, 2), (3, 1)];

/// The members: name, blocks of each stage, channels of the last block, side of the input.
const MEMBERS: [(&str, [usize; 7], i64, usize); 5] = [
    ("efficientnet_lite0", [1, 2, 2, 3, 3, 4, 1], 320, 224),
    ("efficientnet_lite1", [1, 3, 3, 4, 4, 5, 1], 320, 240),
    ("efficientnet_lite2", [1, 3, 3, 4, 4, 5, 1], 352, 260),
    ("efficientnet_lite3", [1, 3, 3, 5, 5, 6, 1], 384, 280),
    ("efficientnet_lite4", [1, 4, 4, 6, 6, 8, 1], 448, 300),
];

/// Added to the variance in batch normalization, as in TensorFlow.
const EPS: f64 = 1e-3;

/// Normalization of the TensorFlow originals: (v − 127) / 128 for pixels v from 0 to 255.
const PREPROCESSING: Preprocessing = Preprocessing::Custom { mean: [127.0 / 255.0; 3], std: [128.0 / 255.0; 3] };

fn build(properties: &mut Properties<'_>) -> Result<Built> {
    let checkpoint = properties.checkpoint;
    if let Some(eps) = checkpoint.metadata("bn_eps").filter(|eps| eps.parse() != Ok(EPS)) {
        let problem = format!("has bn_eps = '{eps}', where EfficientNet-Lite has {EPS}; {REMEDY}");
        return Err(checkpoint.wrong("__metadata__", problem));
    }
    if let Some(padding) = checkpoint.metadata("padding").filter(|padding| !padding.starts_with("same")) {
        let problem = format!("has padding = '{padding}', where EfficientNet-Lite has TensorFlow's 'same'; {REMEDY}");
        return Err(checkpoint.wrong("__metadata__", problem));
    }
    properties.assume_usual_preprocessing(PREPROCESSING, "EfficientNet-Lite's");
    let (mut b, input) = Builder::new(checkpoint, properties.channels());
    let count = checkpoint.indices("_blocks.").len();
    let members = MEMBERS.iter().filter(|(_, repeats, ..)| repeats.iter().sum::<usize>() == count);
    let last = checkpoint.stem_shape(&format!("_blocks.{}._project_conv", count.saturating_sub(1)))?[0];
    let Some(&(_, repeats, ..)) = members.clone().next() else {
        let problem = format!("there are {count} blocks, where EfficientNet-Lites have 16, 21, 24 or 30; {REMEDY}");
        return Err(checkpoint.wrong("_blocks", problem));
    };
    let (architecture, side) = match members.clone().find(|member| member.2 == last) {
        Some((name, _, _, side)) => ((*name).to_owned(), Some(*side)),
        None => (format!("efficientnet_lite of {count} blocks, {last} channels in the last"), None),
    };
    properties.usual_input_size = side;
    let mut x = unit(&mut b, ["_conv_stem", "_bn0", "_swish"], input, 3, 2)?;
    let mut middle = x;
    let mut index = 0;
    for (stage, (&(kernel, first), blocks)) in STAGES.iter().zip(repeats).enumerate() {
        for block in 0..blocks {
            let stride = if block == 0 { first } else { 1 };
            x = inverted_residual(&mut b, &format!("_blocks.{index}"), x, kernel, stride)?;
            index += 1;
        }
        // The stages behind have half the resolution.
        if stage == 4 {
            middle = x;
        }
    }
    let excitation = b.name(middle).to_owned();
    x = unit(&mut b, ["_conv_head", "_bn1", "_swish_1"], x, 1, 1)?;
    x = b.adaptive_avg_pool("_avg_pooling", x, 1);
    x = b.flatten("flatten", x);
    x = b.dropout("_dropout", x);
    x = b.linear("_fc", x)?;
    let classes = b.channels(x);
    Ok(Built { graph: b.finish()?, architecture, layer: "_swish_1".into(), excitation, classes })
}

/// A convolution, its batch normalization, and a ReLU6.
fn unit(b: &mut Builder<'_>, [conv, norm, relu]: [&str; 3], x: NodeId, kernel: i64, stride: i64) -> Result<NodeId> {
    let x = b.grouped_conv(conv, x, [kernel; 2], stride, Padding::Tensorflow)?;
    let x = b.batch_norm(norm, x, EPS)?;
    Ok(b.relu6(relu, x))
}

/// More channels, a convolution of each, and fewer again, without an activation; plus the input
/// where it has the output's shape.
fn inverted_residual(b: &mut Builder<'_>, name: &str, x: NodeId, kernel: i64, stride: i64) -> Result<NodeId> {
    let path = |part: &str| format!("{name}.{part}");
    let mut y = x;
    let mut relu = "_swish";
    if b.checkpoint.has(&path("_expand_conv.weight")) {
        y = unit(b, [&path("_expand_conv"), &path("_bn0"), &path(relu)], y, 1, 1)?;
        relu = "_swish_1";
    }
    y = unit(b, [&path("_depthwise_conv"), &path("_bn1"), &path(relu)], y, kernel, stride)?;
    y = b.conv(&path("_project_conv"), y, [1, 1], 1, Padding::Tensorflow)?;
    y = b.batch_norm(&path("_bn2"), y, EPS)?;
    match stride == 1 && b.channels(x) == b.channels(y) {
        true => b.add(&path("add"), y, x),
        false => Ok(y),
    }
}
