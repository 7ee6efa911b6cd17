//! VGG (Simonyan & Zisserman, ICLR 2015), every depth, with and without batch normalisation, as
//! torchvision numbers it.

use super::builder::{Builder, Padding};
use super::stated::{Properties, REMEDY};
use super::{Built, Family, Preprocessing};
use crate::Result;

/// Registry entry.
pub(super) static FAMILY: Family = Family {
    id: "vgg",
    summary: "VGG 11, 13, 16 and 19, with and without batch norm",
    input_size: 224,
    layer: "the last ReLU of `features` (features.29 in VGG-16), in front of the last max pool",
    stem: "features.0",
    build,
};

/// Only layers with weights are in the checkpoint. A convolution (and its norm) is followed by a
/// ReLU; where that leaves a gap in the numbering before the next convolution, torch's `Sequential`
/// has a 2×2 max pool, as it has at the end.
fn build(properties: &mut Properties<'_>) -> Result<Built> {
    let checkpoint = properties.checkpoint;
    let (mut b, mut x) = Builder::new(checkpoint, properties.channels());
    let positions = checkpoint.indices("features.");
    // Networks that come from Caffe round the size of a pooled map up.
    let ceil = properties.ceil()?;
    if ceil.is_none() && properties.preprocessing == Preprocessing::Caffe {
        let sentence = "Its pools are taken to round down, as torchvision's; those of Caffe round up, and the file doesn't say (max_pool).";
        properties.assume(sentence.into());
    }
    let mut normalised = false;
    let mut layer = String::new();
    let mut pools = Vec::new();
    // Convolutions between pools.
    let mut stages = vec![0];
    let mut at = positions.iter().copied().peekable();
    while let Some(position) = at.next() {
        x = b.conv(&format!("features.{position}"), x, [3, 3], 1, Padding::Same)?;
        *stages.last_mut().unwrap_or(&mut 0) += 1;
        let mut next = position + 1;
        if at.peek() == Some(&next) && checkpoint.has(&format!("features.{next}.running_mean")) {
            x = b.batch_norm(&format!("features.{next}"), x, 1e-5)?;
            normalised = true;
            next += 1;
            at.next();
        }
        layer = format!("features.{next}");
        x = b.relu(&layer, x);
        // Positions without weights behind the ReLU; the last of them is the network's last pool.
        match at.peek().map_or(Some(1), |&other| other.checked_sub(next + 1)) {
            Some(0) => {}
            Some(1) => {
                pools.push(format!("features.{}", next + 1));
                stages.push(0);
                x = b.max_pool(&format!("features.{}", next + 1), x, 2, 2, 0, ceil.unwrap_or(false));
            }
            found => {
                let found = found.map_or("no layers".to_owned(), |more| format!("{} layers", more + 1));
                let problem =
                    format!("has {found} without weights behind it, expected a ReLU, and perhaps a max pool; {REMEDY}");
                return Err(checkpoint.wrong(&format!("features.{}", next - 1), problem));
            }
        }
    }
    stages.pop();
    let known =
        [[1, 1, 2, 2, 2], [2, 2, 2, 2, 2], [2, 2, 3, 3, 3], [2, 2, 4, 4, 4]].iter().any(|known| stages == known);
    if !known {
        properties.assume(format!(
            "{} have no weights and are taken to be 2 × 2 max pools; with {stages:?} convolutions between them, it is none of torchvision's networks.",
            pools.join(", ")
        ));
    }
    let features = b.channels(x) * 49;
    if !checkpoint.has("classifier.0.weight") || checkpoint.shape("classifier.0.weight")?.get(1) != Some(&features) {
        let problem = format!(
            "doesn't read {features} features, as in torchvision's VGG, which pools to 7 × 7 and has classifier.0, .3 and .6; {REMEDY} if it has another classifier, as many for small images do"
        );
        return Err(checkpoint.wrong("classifier.0.weight", problem));
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
    let excitation = pools.into_iter().rev().nth(1).unwrap_or_else(|| layer.clone());
    let norm = if normalised { "_bn" } else { "" };
    let architecture = match known {
        true => format!("vgg{}{norm}", stages.iter().sum::<usize>() + 3),
        false => format!("vgg{norm} (convolutions {stages:?})"),
    };
    Ok(Built { graph: b.finish()?, architecture, layer, excitation, classes })
}
