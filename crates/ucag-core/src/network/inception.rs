//! Inception v3 (Szegedy et al., CVPR 2016), as torchvision has it in evaluation: the auxiliary head is left out.

use super::builder::{Builder, Padding};
use super::checkpoint::Checkpoint;
use super::graph::NodeId;
use super::{Built, Family};
use crate::Result;

/// Registry entry.
pub(super) static FAMILY: Family = Family {
    id: "inception_v3",
    summary: "Inception v3",
    input_size: 299,
    layer: "`Mixed_7c`, the last block's output",
    build,
};

use Padding::{Same, Valid};

fn build(checkpoint: &Checkpoint) -> Result<Built> {
    checkpoint.ignore("AuxLogits.");
    let (mut b, mut x) = Builder::new(checkpoint);
    if transforms_input(checkpoint)? {
        // ImageNet statistics out, 0.5 and 0.5 in: the pretrained weights come from a network that was fed [-1, 1].
        let (mean, std) = ([0.485f32, 0.456, 0.406], [0.229f32, 0.224, 0.225]);
        let scale = std.map(|s| s / 0.5);
        let shift = mean.map(|m| (m - 0.5) / 0.5);
        x = b.channel_affine("transform_input", x, &scale, &shift);
    }
    x = conv(&mut b, "Conv2d_1a_3x3", x, 2, Valid)?;
    x = conv(&mut b, "Conv2d_2a_3x3", x, 1, Valid)?;
    x = conv(&mut b, "Conv2d_2b_3x3", x, 1, Same)?;
    x = b.max_pool("maxpool1", x, 3, 2, 0, false);
    x = conv(&mut b, "Conv2d_3b_1x1", x, 1, Valid)?;
    x = conv(&mut b, "Conv2d_4a_3x3", x, 1, Valid)?;
    x = b.max_pool("maxpool2", x, 3, 2, 0, false);
    for name in ["Mixed_5b", "Mixed_5c", "Mixed_5d"] {
        let branches = [
            &["branch1x1"][..],
            &["branch5x5_1", "branch5x5_2"],
            &["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"],
        ];
        x = mixed(&mut b, name, x, &branches)?;
    }
    x = reduction(&mut b, "Mixed_6a", x, &[&["branch3x3"], &["branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"]])?;
    for name in ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"] {
        let seven = ["branch7x7_1", "branch7x7_2", "branch7x7_3"];
        let double = ["branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"];
        x = mixed(&mut b, name, x, &[&["branch1x1"], &seven, &double])?;
    }
    let seven = ["branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"];
    x = reduction(&mut b, "Mixed_7a", x, &[&["branch3x3_1", "branch3x3_2"], &seven])?;
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
        variant: "inception_v3".into(),
        layer: "Mixed_7c".into(),
        middle: "Mixed_6e".into(),
        classes,
    })
}

/// Whether the network re-normalises its input. A state dict doesn't say; `scripts/convert_weights.py` writes it into the file,
/// and without that word a network with ImageNet's 1000 classes is taken to be torchvision's pretrained one, which does.
fn transforms_input(checkpoint: &Checkpoint) -> Result<bool> {
    match checkpoint.metadata("transform_input") {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => {
            Err(checkpoint.wrong("__metadata__", format!("transform_input is '{other}', expected 'true' or 'false'")))
        }
        None => Ok(checkpoint.shape("fc.weight")?.first() == Some(&1000)),
    }
}

/// Convolution, batch norm (with this family's own ε) and ReLU.
fn conv(b: &mut Builder<'_>, name: &str, x: NodeId, stride: i64, padding: Padding) -> Result<NodeId> {
    let x = b.conv(&format!("{name}.conv"), x, stride, padding)?;
    let x = b.batch_norm(&format!("{name}.bn"), x, 0.001)?;
    Ok(b.relu(&format!("{name}.relu"), x))
}

fn chain(b: &mut Builder<'_>, block: &str, x: NodeId, names: &[&str]) -> Result<NodeId> {
    names.iter().try_fold(x, |x, name| conv(b, &format!("{block}.{name}"), x, 1, Same))
}

fn pooled(b: &mut Builder<'_>, block: &str, x: NodeId) -> Result<NodeId> {
    let x = b.avg_pool(&format!("{block}.avg_pool2d"), x, 3, 1, 1);
    conv(b, &format!("{block}.branch_pool"), x, 1, Same)
}

/// Chains of convolutions side by side, and a pooled branch.
fn mixed(b: &mut Builder<'_>, block: &str, x: NodeId, branches: &[&[&str]]) -> Result<NodeId> {
    let mut outputs = Vec::new();
    for branch in branches {
        outputs.push(chain(b, block, x, branch)?);
    }
    outputs.push(pooled(b, block, x)?);
    Ok(b.concat(&format!("{block}.cat"), outputs))
}

/// Chains whose last convolution halves the size, and a max pool.
fn reduction(b: &mut Builder<'_>, block: &str, x: NodeId, branches: &[&[&str]]) -> Result<NodeId> {
    let mut outputs = Vec::new();
    for branch in branches {
        if let [front @ .., last] = branch {
            let y = chain(b, block, x, front)?;
            outputs.push(conv(b, &format!("{block}.{last}"), y, 2, Valid)?);
        }
    }
    outputs.push(b.max_pool(&format!("{block}.max_pool2d"), x, 3, 2, 0, false));
    Ok(b.concat(&format!("{block}.cat"), outputs))
}

/// The last blocks' kind: two chains end in a fork of a 1×3 and a 3×1 convolution.
fn expanded(b: &mut Builder<'_>, block: &str, x: NodeId) -> Result<NodeId> {
    let mut outputs = vec![chain(b, block, x, &["branch1x1"])?];
    let forks: [(&[&str], [&str; 2]); 2] = [
        (&["branch3x3_1"], ["branch3x3_2a", "branch3x3_2b"]),
        (&["branch3x3dbl_1", "branch3x3dbl_2"], ["branch3x3dbl_3a", "branch3x3dbl_3b"]),
    ];
    for (i, (stem, tips)) in forks.into_iter().enumerate() {
        let y = chain(b, block, x, stem)?;
        let tips = [chain(b, block, y, &tips[..1])?, chain(b, block, y, &tips[1..])?];
        outputs.push(b.concat(&format!("{block}.cat_{i}"), tips.to_vec()));
    }
    outputs.push(pooled(b, block, x)?);
    Ok(b.concat(&format!("{block}.cat"), outputs))
}
