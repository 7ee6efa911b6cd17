//! Inception v3 (Szegedy et al., CVPR 2016), as torchvision has it in evaluation: the auxiliary
//! head is left out.

use super::builder::{Builder, Padding};
use super::graph::NodeId;
use super::stated::Properties;
use super::{Built, Family};
use crate::Result;

/// Registry entry.
pub(super) static FAMILY: Family = Family {
    id: "inception_v3",
    summary: "Inception v3",
    input_size: 299,
    layer: "`Mixed_7c`, the last block's output",
    stem: "Conv2d_1a_3x3.conv",
    build,
};

use Padding::{Same, Valid};

fn build(properties: &mut Properties<'_>) -> Result<Built> {
    let checkpoint = properties.checkpoint;
    checkpoint.ignore("AuxLogits.");
    let (mut b, mut x) = Builder::new(checkpoint, properties.channels());
    let classes = checkpoint.shape("fc.weight")?.first().copied().unwrap_or_default();
    if properties.transform_input(classes)? {
        // ImageNet statistics out, 0.5 and 0.5 in: the pretrained weights come from a network that
        // was fed [-1, 1].
        let (mean, std) = ([0.485f32, 0.456, 0.406], [0.229f32, 0.224, 0.225]);
        let scale = std.map(|s| s / 0.5);
        let shift = mean.map(|m| (m - 0.5) / 0.5);
        x = b.channel_affine("transform_input", x, &scale, &shift);
    }
    x = conv(&mut b, ("Conv2d_1a_3x3", [3, 3]), x, 2, Valid)?;
    x = conv(&mut b, ("Conv2d_2a_3x3", [3, 3]), x, 1, Valid)?;
    x = conv(&mut b, ("Conv2d_2b_3x3", [3, 3]), x, 1, Same)?;
    x = b.max_pool("maxpool1", x, 3, 2, 0, false);
    x = conv(&mut b, ("Conv2d_3b_1x1", [1, 1]), x, 1, Valid)?;
    x = conv(&mut b, ("Conv2d_4a_3x3", [3, 3]), x, 1, Valid)?;
    x = b.max_pool("maxpool2", x, 3, 2, 0, false);
    for name in ["Mixed_5b", "Mixed_5c", "Mixed_5d"] {
        let branches = [
            &[("branch1x1", ONE)][..],
            &[("branch5x5_1", ONE), ("branch5x5_2", [5, 5])],
            &[("branch3x3dbl_1", ONE), ("branch3x3dbl_2", THREE), ("branch3x3dbl_3", THREE)],
        ];
        x = mixed(&mut b, name, x, &branches)?;
    }
    x = reduction(
        &mut b,
        "Mixed_6a",
        x,
        &[&[("branch3x3", THREE)], &[("branch3x3dbl_1", ONE), ("branch3x3dbl_2", THREE), ("branch3x3dbl_3", THREE)]],
    )?;
    for name in ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"] {
        let seven = [("branch7x7_1", ONE), ("branch7x7_2", FLAT), ("branch7x7_3", TALL)];
        let double = [
            ("branch7x7dbl_1", ONE),
            ("branch7x7dbl_2", TALL),
            ("branch7x7dbl_3", FLAT),
            ("branch7x7dbl_4", TALL),
            ("branch7x7dbl_5", FLAT),
        ];
        x = mixed(&mut b, name, x, &[&[("branch1x1", ONE)], &seven, &double])?;
    }
    let seven = [("branch7x7x3_1", ONE), ("branch7x7x3_2", FLAT), ("branch7x7x3_3", TALL), ("branch7x7x3_4", THREE)];
    x = reduction(&mut b, "Mixed_7a", x, &[&[("branch3x3_1", ONE), ("branch3x3_2", THREE)], &seven])?;
    for name in ["Mixed_7b", "Mixed_7c"] {
        x = expanded(&mut b, name, x)?;
    }
    x = b.adaptive_avg_pool("avgpool", x, 1);
    x = b.dropout("dropout", x);
    x = b.flatten("flatten", x);
    x = b.linear("fc", x)?;
    let classes = b.channels(x);
    Ok(Built {
        graph: b.finish()?,
        architecture: "inception_v3".into(),
        layer: "Mixed_7c".into(),
        excitation: "Mixed_6e".into(),
        classes,
    })
}

/// Name and kernel of a convolution.
type Part<'a> = (&'a str, [i64; 2]);

const ONE: [i64; 2] = [1, 1];
const THREE: [i64; 2] = [3, 3];
const FLAT: [i64; 2] = [1, 7];
const TALL: [i64; 2] = [7, 1];

/// Convolution, batch norm (with this family's own ε) and ReLU.
fn conv(b: &mut Builder<'_>, (name, kernel): Part<'_>, x: NodeId, stride: i64, padding: Padding) -> Result<NodeId> {
    let x = b.conv(&format!("{name}.conv"), x, kernel, stride, padding)?;
    let x = b.batch_norm(&format!("{name}.bn"), x, 0.001)?;
    Ok(b.relu(&format!("{name}.relu"), x))
}

fn chain(b: &mut Builder<'_>, block: &str, x: NodeId, parts: &[Part<'_>]) -> Result<NodeId> {
    parts.iter().try_fold(x, |x, (name, kernel)| conv(b, (&format!("{block}.{name}"), *kernel), x, 1, Same))
}

fn pooled(b: &mut Builder<'_>, block: &str, x: NodeId) -> Result<NodeId> {
    let x = b.avg_pool(&format!("{block}.avg_pool2d"), x, 3, 1, 1);
    conv(b, (&format!("{block}.branch_pool"), ONE), x, 1, Same)
}

/// Chains of convolutions side by side, and a pooled branch.
fn mixed(b: &mut Builder<'_>, block: &str, x: NodeId, branches: &[&[Part<'_>]]) -> Result<NodeId> {
    let mut outputs = Vec::new();
    for branch in branches {
        outputs.push(chain(b, block, x, branch)?);
    }
    outputs.push(pooled(b, block, x)?);
    Ok(b.concat(&format!("{block}.cat"), outputs))
}

/// Chains whose last convolution halves the size, and a max pool.
fn reduction(b: &mut Builder<'_>, block: &str, x: NodeId, branches: &[&[Part<'_>]]) -> Result<NodeId> {
    let mut outputs = Vec::new();
    for branch in branches {
        if let [front @ .., last] = branch {
            let y = chain(b, block, x, front)?;
            let (name, kernel) = last;
            outputs.push(conv(b, (&format!("{block}.{name}"), *kernel), y, 2, Valid)?);
        }
    }
    outputs.push(b.max_pool(&format!("{block}.max_pool2d"), x, 3, 2, 0, false));
    Ok(b.concat(&format!("{block}.cat"), outputs))
}

/// The last blocks' kind: two chains end in a fork of a 1×3 and a 3×1 convolution.
fn expanded(b: &mut Builder<'_>, block: &str, x: NodeId) -> Result<NodeId> {
    let mut outputs = vec![chain(b, block, x, &[("branch1x1", ONE)])?];
    let forks: [(&[Part<'_>], [Part<'_>; 2]); 2] = [
        (&[("branch3x3_1", ONE)], [("branch3x3_2a", [1, 3]), ("branch3x3_2b", [3, 1])]),
        (
            &[("branch3x3dbl_1", ONE), ("branch3x3dbl_2", THREE)],
            [("branch3x3dbl_3a", [1, 3]), ("branch3x3dbl_3b", [3, 1])],
        ),
    ];
    for (i, (stem, tips)) in forks.into_iter().enumerate() {
        let y = chain(b, block, x, stem)?;
        let tips = [chain(b, block, y, &tips[..1])?, chain(b, block, y, &tips[1..])?];
        outputs.push(b.concat(&format!("{block}.cat_{i}"), tips.to_vec()));
    }
    outputs.push(pooled(b, block, x)?);
    Ok(b.concat(&format!("{block}.cat"), outputs))
}
