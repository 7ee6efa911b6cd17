//! VGG (Simonyan & Zisserman, ICLR 2015), every depth, with and without batch normalisation, as torchvision numbers it.

use super::builder::{Builder, Padding};
use super::checkpoint::Checkpoint;
use super::{Built, Family};
use crate::Result;

/// Registry entry.
pub(super) static FAMILY: Family = Family {
    id: "vgg",
    summary: "VGG 11, 13, 16 and 19, with and without batch norm",
    input_size: 224,
    layer: "the last ReLU of `features` (features.29 in VGG-16), in front of the last max pool",
    build,
};

/// Only layers with weights are in the checkpoint. A convolution (and its norm) is followed by a ReLU; where that leaves a
/// gap in the numbering before the next convolution, torch's `Sequential` has a 2×2 max pool, as it has at the end.
fn build(checkpoint: &Checkpoint) -> Result<Built> {
    let (mut b, mut x) = Builder::new(checkpoint);
    let positions = checkpoint.indices("features.");
    // Networks that come from Caffe round the size of a pooled map up.
    let ceil = match checkpoint.metadata("max_pool") {
        None | Some("floor") => false,
        Some("ceil") => true,
        Some(other) => {
            let problem = format!("max_pool is '{other}', expected 'floor' or 'ceil'");
            return Err(checkpoint.wrong("__metadata__", problem));
        }
    };
    let mut convolutions = 0;
    let mut normalised = false;
    let mut layer = String::new();
    let mut pools = Vec::new();
    let mut at = positions.iter().copied().peekable();
    while let Some(position) = at.next() {
        x = b.conv(&format!("features.{position}"), x, 1, Padding::Same)?;
        convolutions += 1;
        let mut next = position + 1;
        if at.peek() == Some(&next) && checkpoint.has(&format!("features.{next}.running_mean")) {
            x = b.batch_norm(&format!("features.{next}"), x, 1e-5)?;
            normalised = true;
            next += 1;
            at.next();
        }
        layer = format!("features.{next}");
        x = b.relu(&layer, x);
        if at.peek() != Some(&(next + 1)) {
            pools.push(format!("features.{}", next + 1));
            x = b.max_pool(&format!("features.{}", next + 1), x, 2, 2, 0, ceil);
        }
    }
    x = b.adaptive_avg_pool("avgpool", x, 7);
    x = b.flatten("flatten", x);
    for (linear, relu, dropout) in [(0, 1, 2), (3, 4, 5)] {
        x = b.linear(&format!("classifier.{linear}"), x)?;
        x = b.relu(&format!("classifier.{relu}"), x);
        x = b.dropout(&format!("classifier.{dropout}"), x);
    }
    x = b.linear("classifier.6", x)?;
    let classes = b.channels(x);
    // The last pool but one.
    let middle = pools.into_iter().rev().nth(1).unwrap_or_else(|| layer.clone());
    let norm = if normalised { "_bn" } else { "" };
    Ok(Built { graph: b.finish()?, variant: format!("vgg{}{norm}", convolutions + 3), layer, middle, classes })
}
