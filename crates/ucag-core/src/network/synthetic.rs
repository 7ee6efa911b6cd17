//! State dicts made up: the names and shapes that a member of a family has, and random values for
//! them.
//!
//! For what needs a network but no trained one: benchmarks, tests, and the start of a training.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

/// Names and shapes of a state dict.
#[derive(Debug, Clone, Default)]
pub struct Template(Vec<(String, Vec<i64>)>);

impl Template {
    fn tensor(&mut self, name: &str, shape: &[i64]) {
        self.0.push((name.to_owned(), shape.to_vec()));
    }

    fn conv(&mut self, name: &str, out: i64, input: i64, kernel: [i64; 2]) {
        self.tensor(&format!("{name}.weight"), &[out, input, kernel[0], kernel[1]]);
    }

    fn norm(&mut self, name: &str, channels: i64) {
        for part in ["weight", "bias", "running_mean", "running_var"] {
            self.tensor(&format!("{name}.{part}"), &[channels]);
        }
    }

    fn linear(&mut self, name: &str, out: i64, input: i64) {
        self.tensor(&format!("{name}.weight"), &[out, input]);
        self.tensor(&format!("{name}.bias"), &[out]);
    }

    /// Names and shapes.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &[i64])> {
        self.0.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()))
    }

    /// Number of values.
    pub fn parameters(&self) -> i64 {
        self.0.iter().map(|(_, shape)| shape.iter().product::<i64>()).sum()
    }

    /// Random values: weights normal with He's standard deviation √(2 / fan-in), norms the
    /// identity, biases zero. Same seed, same values, on every machine.
    pub fn random(&self, seed: u64) -> Vec<(String, Tensor)> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut values = |name: &str, shape: &[i64]| {
            let count = shape.iter().product::<i64>() as usize;
            let tensor = match name.rsplit('.').next() {
                Some("bias" | "running_mean") => vec![0.0; count],
                Some("running_var") => vec![1.0; count],
                _ if shape.len() == 1 => vec![1.0; count],
                _ => {
                    let std = (2.0 / shape[1..].iter().product::<i64>() as f64).sqrt();
                    // Twelve uniform numbers add up to a variance of one.
                    let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
                    (0..count).map(|_| (normal() * std) as f32).collect()
                }
            };
            (name.to_owned(), Tensor::from_slice(&tensor).view(shape))
        };
        self.0.iter().map(|(name, shape)| values(name, shape)).collect()
    }
}

/// VGG: channels of the convolutions between pools, width of the two hidden layers.
pub fn vgg(stages: &[&[i64]], batch_norm: bool, hidden: i64, classes: i64) -> Template {
    let mut t = Template::default();
    let (mut position, mut input) = (0, 3);
    for stage in stages {
        for &out in *stage {
            let name = format!("features.{position}");
            t.conv(&name, out, input, [3, 3]);
            t.tensor(&format!("{name}.bias"), &[out]);
            if batch_norm {
                t.norm(&format!("features.{}", position + 1), out);
                position += 1;
            }
            position += 2;
            input = out;
        }
        position += 1;
    }
    t.linear("classifier.0", hidden, input * 49);
    t.linear("classifier.3", hidden, hidden);
    t.linear("classifier.6", classes, hidden);
    t
}

/// A residual network's shape.
#[derive(Debug, Clone)]
pub struct ResNet {
    /// Bottleneck blocks (expansion 4) instead of basic ones.
    pub bottleneck: bool,
    /// Blocks per stage.
    pub depths: [i64; 4],
    /// Channels of the stem.
    pub stem: i64,
    /// Planes of the four stages.
    pub planes: [i64; 4],
    /// Groups of the 3×3 convolutions.
    pub groups: i64,
    /// Inner width of a bottleneck over its planes.
    pub widening: i64,
}

/// ResNet.
pub fn resnet(shape: &ResNet, classes: i64) -> Template {
    let mut t = Template::default();
    t.conv("conv1", shape.stem, 3, [7, 7]);
    t.norm("bn1", shape.stem);
    let mut input = shape.stem;
    for stage in 0..4 {
        let planes = shape.planes[stage];
        for block in 0..shape.depths[stage] {
            let name = format!("layer{}.{block}", stage + 1);
            let inner = planes * shape.widening;
            let out = if shape.bottleneck { planes * 4 } else { planes };
            let convs: &[(i64, i64, i64)] = if shape.bottleneck {
                &[(inner, input, 1), (inner, inner / shape.groups, 3), (out, inner, 1)]
            } else {
                &[(out, input, 3), (out, out, 3)]
            };
            for (i, &(out, input, kernel)) in convs.iter().enumerate() {
                t.conv(&format!("{name}.conv{}", i + 1), out, input, [kernel, kernel]);
                t.norm(&format!("{name}.bn{}", i + 1), out);
            }
            if block == 0 && (stage > 0 || input != out) {
                t.conv(&format!("{name}.downsample.0"), out, input, [1, 1]);
                t.norm(&format!("{name}.downsample.1"), out);
            }
            input = out;
        }
    }
    t.linear("fc", classes, input);
    t
}

/// DenseNet with bottleneck layers of four times the growth.
pub fn densenet(growth: i64, blocks: &[i64], stem: i64, classes: i64) -> Template {
    let mut t = Template::default();
    t.conv("features.conv0", stem, 3, [7, 7]);
    t.norm("features.norm0", stem);
    let mut channels = stem;
    for (block, &layers) in blocks.iter().enumerate() {
        for layer in 1..=layers {
            let name = format!("features.denseblock{}.denselayer{layer}", block + 1);
            t.norm(&format!("{name}.norm1"), channels);
            t.conv(&format!("{name}.conv1"), 4 * growth, channels, [1, 1]);
            t.norm(&format!("{name}.norm2"), 4 * growth);
            t.conv(&format!("{name}.conv2"), growth, 4 * growth, [3, 3]);
            channels += growth;
        }
        if block + 1 < blocks.len() {
            let name = format!("features.transition{}", block + 1);
            t.norm(&format!("{name}.norm"), channels);
            t.conv(&format!("{name}.conv"), channels / 2, channels, [1, 1]);
            channels /= 2;
        }
    }
    t.norm("features.norm5", channels);
    t.linear("classifier", classes, channels);
    t
}

/// SqueezeNet 1.0 or 1.1 with every width divided by `divisor`.
pub fn squeezenet(version_1_1: bool, divisor: i64, classes: i64) -> Template {
    let mut t = Template::default();
    let biased = |t: &mut Template, name: &str, out: i64, input: i64, kernel: i64| {
        t.conv(name, out, input, [kernel, kernel]);
        t.tensor(&format!("{name}.bias"), &[out]);
    };
    let (stem, kernel, fires) = match version_1_1 {
        true => (64, 3, [3, 4, 6, 7, 9, 10, 11, 12]),
        false => (96, 7, [3, 4, 5, 7, 8, 9, 10, 12]),
    };
    let mut input = stem / divisor;
    biased(&mut t, "features.0", input, 3, kernel);
    for (position, squeeze) in fires.into_iter().zip([16, 16, 32, 32, 48, 48, 64, 64]) {
        let (name, squeeze) = (format!("features.{position}"), squeeze / divisor);
        biased(&mut t, &format!("{name}.squeeze"), squeeze, input, 1);
        biased(&mut t, &format!("{name}.expand1x1"), 4 * squeeze, squeeze, 1);
        biased(&mut t, &format!("{name}.expand3x3"), 4 * squeeze, squeeze, 3);
        input = 8 * squeeze;
    }
    biased(&mut t, "classifier.1", classes, input, 1);
    t
}

/// Inception v3 without its auxiliary head, with every width divided by `divisor`.
pub fn inception(divisor: i64, classes: i64) -> Template {
    let mut t = Template::default();
    let conv = |t: &mut Template, name: &str, out: i64, input: i64, kernel: [i64; 2]| {
        let width = |channels: i64| if channels == 3 { 3 } else { channels / divisor };
        t.conv(&format!("{name}.conv"), width(out), width(input), kernel);
        t.norm(&format!("{name}.bn"), width(out));
    };
    for (name, out, input, kernel) in [
        ("Conv2d_1a_3x3", 32, 3, 3),
        ("Conv2d_2a_3x3", 32, 32, 3),
        ("Conv2d_2b_3x3", 64, 32, 3),
        ("Conv2d_3b_1x1", 80, 64, 1),
        ("Conv2d_4a_3x3", 192, 80, 3),
    ] {
        conv(&mut t, name, out, input, [kernel, kernel]);
    }
    for (name, input, pool) in [("Mixed_5b", 192, 32), ("Mixed_5c", 256, 64), ("Mixed_5d", 288, 64)] {
        for (branch, out, input, kernel) in [
            ("branch1x1", 64, input, 1),
            ("branch5x5_1", 48, input, 1),
            ("branch5x5_2", 64, 48, 5),
            ("branch3x3dbl_1", 64, input, 1),
            ("branch3x3dbl_2", 96, 64, 3),
            ("branch3x3dbl_3", 96, 96, 3),
            ("branch_pool", pool, input, 1),
        ] {
            conv(&mut t, &format!("{name}.{branch}"), out, input, [kernel, kernel]);
        }
    }
    for (branch, out, input, kernel) in [
        ("branch3x3", 384, 288, 3),
        ("branch3x3dbl_1", 64, 288, 1),
        ("branch3x3dbl_2", 96, 64, 3),
        ("branch3x3dbl_3", 96, 96, 3),
    ] {
        conv(&mut t, &format!("Mixed_6a.{branch}"), out, input, [kernel, kernel]);
    }
    for (name, c) in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)] {
        for (branch, out, input, kernel) in [
            ("branch1x1", 192, 768, [1, 1]),
            ("branch7x7_1", c, 768, [1, 1]),
            ("branch7x7_2", c, c, [1, 7]),
            ("branch7x7_3", 192, c, [7, 1]),
            ("branch7x7dbl_1", c, 768, [1, 1]),
            ("branch7x7dbl_2", c, c, [7, 1]),
            ("branch7x7dbl_3", c, c, [1, 7]),
            ("branch7x7dbl_4", c, c, [7, 1]),
            ("branch7x7dbl_5", 192, c, [1, 7]),
            ("branch_pool", 192, 768, [1, 1]),
        ] {
            conv(&mut t, &format!("{name}.{branch}"), out, input, kernel);
        }
    }
    for (branch, out, input, kernel) in [
        ("branch3x3_1", 192, 768, [1, 1]),
        ("branch3x3_2", 320, 192, [3, 3]),
        ("branch7x7x3_1", 192, 768, [1, 1]),
        ("branch7x7x3_2", 192, 192, [1, 7]),
        ("branch7x7x3_3", 192, 192, [7, 1]),
        ("branch7x7x3_4", 192, 192, [3, 3]),
    ] {
        conv(&mut t, &format!("Mixed_7a.{branch}"), out, input, kernel);
    }
    for (name, input) in [("Mixed_7b", 1280), ("Mixed_7c", 2048)] {
        for (branch, out, input, kernel) in [
            ("branch1x1", 320, input, [1, 1]),
            ("branch3x3_1", 384, input, [1, 1]),
            ("branch3x3_2a", 384, 384, [1, 3]),
            ("branch3x3_2b", 384, 384, [3, 1]),
            ("branch3x3dbl_1", 448, input, [1, 1]),
            ("branch3x3dbl_2", 384, 448, [3, 3]),
            ("branch3x3dbl_3a", 384, 384, [1, 3]),
            ("branch3x3dbl_3b", 384, 384, [3, 1]),
            ("branch_pool", 192, input, [1, 1]),
        ] {
            conv(&mut t, &format!("{name}.{branch}"), out, input, kernel);
        }
    }
    t.linear("fc", classes, 2048 / divisor);
    t
}

/// torchvision's ResNet-50, VGG-19, DenseNet-121 and Inception v3, with 1000 classes; for
/// benchmarks.
pub fn named(variant: &str) -> Option<Template> {
    let resnet50 = ResNet {
        bottleneck: true,
        depths: [3, 4, 6, 3],
        stem: 64,
        planes: [64, 128, 256, 512],
        groups: 1,
        widening: 1,
    };
    match variant {
        "resnet50" => Some(resnet(&resnet50, 1000)),
        "vgg19" => Some(vgg(&[&[64; 2], &[128; 2], &[256; 4], &[512; 4], &[512; 4]], false, 4096, 1000)),
        "densenet121" => Some(densenet(32, &[6, 12, 24, 16], 64, 1000)),
        "inception_v3" => Some(inception(1, 1000)),
        _ => None,
    }
}
