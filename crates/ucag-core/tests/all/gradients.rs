//! FullGrad, integrated gradients, SmoothGrad and gradient times input: completeness, closed forms,
//! and values from Captum and PyTorch.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::support::close;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};
use ucag_core::explain::gradient::fullgrad::{Form, full_gradients};
use ucag_core::explain::{Explainer, Settings, method};
use ucag_core::network::synthetic;
use ucag_core::network::synthetic::ResNet;
use ucag_core::network::{Checkpoint, FAMILIES, Network};
use ucag_core::pass::{ForwardPass, Needs, Pass, Seed};
use ucag_core::ucag::{ExplainRequest, plain};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn family(name: &str) -> &'static str {
    let stem: String = name.chars().take_while(char::is_ascii_alphabetic).collect();
    FAMILIES.iter().find(|family| family.id.starts_with(&stem)).unwrap().id
}

fn network(name: &str) -> Network {
    Network::load(family(name), &fixture(&format!("families/{name}.safetensors"))).unwrap()
}

/// `[1, 3, H, W]`.
fn input(size: &str) -> Tensor {
    let stored = Tensor::read_safetensors(fixture(&format!("families/input_{size}.safetensors"))).unwrap();
    stored[0].1.to_kind(Kind::Float).unsqueeze(0) / 64
}

fn explainer(id: &str, changes: &[(&str, f64)]) -> std::sync::Arc<dyn Explainer> {
    let method = method(id).unwrap();
    let mut settings = Settings::defaults(method.settings);
    changes.iter().for_each(|(key, value)| settings.set(key, vec![*value]).unwrap());
    (method.make)(&settings)
}

fn explain(id: &str, changes: &[(&str, f64)], network: &Network, views: &Tensor, class: usize) -> Tensor {
    let explainer = explainer(id, changes);
    let layers = network.layers(None, None).unwrap();
    let needs = explainer.needs(network, &layers).unwrap();
    explainer.explain(&Pass::new(network, views.shallow_clone(), class, needs).unwrap(), &layers).unwrap()
}

const EVERY: [&str; 9] = [
    "vgg",
    "vgg_bn",
    "resnet_basic",
    "resnet_grouped",
    "resnet_wide",
    "densenet",
    "inception_v3",
    "inception_v3_transform",
    "squeezenet1_0",
];

#[test]
fn full_gradients_add_up_to_the_logit() {
    for name in EVERY {
        let network = network(name);
        let first = input("96x96");
        let views = Tensor::cat(&[&first, &first.flip([3])], 0);
        let every = (0..network.graph.nodes().len()).collect();
        let forward_pass = Rc::new(ForwardPass::new(&network, views, Needs { activations: every, ..Needs::default() }));
        for class in [0, 4] {
            let pass = forward_pass.target(class).unwrap();
            for form in [Form::Released, Form::Idiap] {
                let total = full_gradients(&pass, form).unwrap().total;
                close(&total, &pass.score().unwrap(), 1e-4).unwrap_or_else(|e| panic!("{name}, class {class}: {e}"));
            }
        }
    }
}

#[test]
fn a_layer_without_biases_adds_nothing_to_fullgrad() {
    // A template's biases are zero, and so are all products with them.
    let shape = ResNet { bottleneck: false, depths: [1; 4], stem: 8, planes: [8, 8, 12, 12], groups: 1, widening: 1 };
    let tensors = synthetic::resnet(&shape, 5).random(2);
    let network = Network::from_checkpoint("resnet", &Checkpoint::from_tensors("made", tensors)).unwrap();
    let image = input("80x107");
    let needs =
        Needs { activations: (0..network.graph.nodes().len()).collect(), gradients: vec![0], ..Needs::default() };
    let pass = Pass::new(&network, image.shallow_clone(), 1, needs).unwrap();
    let product = (&image * pass.gradient(0).unwrap()).abs();
    let (low, high) = (product.min().double_value(&[]), product.max().double_value(&[]));
    let expected = ((product - low) / (high - low)).sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
    close(&full_gradients(&pass, Form::Released).unwrap().map, &expected, 1e-5).unwrap();
}

#[test]
fn maps_are_those_of_captum_and_pytorch() {
    // In float64 on both sides, so that a ReLU near its kink is on the same side of it.
    let image = input("80x107").to_kind(Kind::Double);
    let references = Tensor::read_safetensors(fixture("gradients.safetensors")).unwrap();
    assert_eq!(references.len(), 10);
    for (key, reference) in references {
        let [name, class, id] = key.split('/').collect::<Vec<_>>()[..] else { panic!("{key}") };
        let stored = Tensor::read_safetensors(fixture(&format!("families/{name}.safetensors"))).unwrap();
        let tensors = stored.into_iter().map(|(key, tensor)| (key, tensor.to_kind(Kind::Double)));
        let network = Network::from_checkpoint(family(name), &Checkpoint::from_tensors(name, tensors)).unwrap();
        let map = explain(id, &[], &network, &image, class.parse().unwrap());
        assert_eq!(map.size(), [1, 1, 80, 107], "{key}");
        let kept = map.slice(2, None, None, 3).slice(3, None, None, 3);
        close(&kept, &reference, 1e-6).unwrap_or_else(|e| panic!("{key}: {e}"));
    }
}

#[test]
fn integrated_gradients_add_up_to_the_difference_of_logits() {
    for name in EVERY {
        let network = network(name);
        let image = input("96x96");
        let logits = |x: &Tensor| {
            Pass::new(&network, x.shallow_clone(), 0, Needs::default()).unwrap().logits().unwrap().select(0, 0)
        };
        let difference = logits(&image) - logits(&image.zeros_like());
        // Of the class that differs most.
        let class = difference.abs().argmax(0, false).int64_value(&[]);
        let expected = difference.double_value(&[class]);
        let map = explain("integrated-gradients", &[("steps", 200.0)], &network, &image, class as usize);
        let off = (map.sum(Kind::Double).double_value(&[]) / expected - 1.0).abs();
        println!("{name} {off}");
        assert!(off < 0.02, "{name}: off by {off} of {expected}");
    }
}

/// Returns the position at which a toy image isn't background: a pixel (row, column) in each of the
/// 49 blocks of 32 × 32, by number.
fn place(block: usize) -> (i64, i64) {
    let (row, column) = ((block / 7) as i64, (block % 7) as i64);
    (32 * row + (5 * row + 3 * column) % 30, 32 * column + (7 * row + 11 * column) % 30)
}

/// The toy's weights of red, green and blue.
const COLOURS: [f64; 3] = [1.0, 0.5, 0.25];

/// A VGG whose convolutions look at one pixel, the first with this bias, and that is linear in the
/// largest `COLOURS · x` of each block wherever that is beyond the bias's negative; and what class
/// 1 takes of each block.
fn toy(bias: f64) -> (Network, Vec<f64>) {
    let value = |name: &str, index: usize| match name {
        "classifier.0.weight" => (1 + index * 7 % 5) as f64 / 10.0,
        "classifier.3.weight" => [0.5, 1.0, 1.5, 0.25][index],
        _ => [1.0, 2.0, 1.5, -0.5][index],
    };
    let make = |(name, shape): (&str, &[i64])| {
        let tensor = Tensor::zeros(shape, (Kind::Double, Device::Cpu));
        match name {
            "features.0.weight" => COLOURS.iter().enumerate().for_each(|(colour, &share)| {
                let _ = tensor.select(1, colour as i64).narrow(1, 1, 1).narrow(2, 1, 1).fill_(share);
            }),
            "features.0.bias" => drop(tensor.shallow_clone().fill_(bias)),
            _ if name.starts_with("features") && name.ends_with("weight") => {
                let _ = tensor.narrow(2, 1, 1).narrow(3, 1, 1).fill_(1.0);
            }
            _ if name.ends_with("weight") => {
                let values: Vec<f64> = (0..tensor.numel()).map(|index| value(name, index)).collect();
                tensor.shallow_clone().copy_(&Tensor::from_slice(&values).view(shape));
            }
            _ => {}
        }
        (name.to_owned(), tensor)
    };
    let template = synthetic::vgg(&[&[1], &[1], &[1], &[1], &[1]], false, 2, 2);
    let tensors: Vec<_> = template.shapes().map(make).collect();
    let network = Network::from_checkpoint("vgg", &Checkpoint::from_tensors("toy", tensors)).unwrap();
    // Class 1's row of the product of the three matrices.
    let (second, third) = (|i| value("classifier.3.weight", i), |i| value("classifier.6.weight", i));
    let hidden = [third(2) * second(0) + third(3) * second(2), third(2) * second(1) + third(3) * second(3)];
    let first = |row: usize, block: usize| value("classifier.0.weight", 49 * row + block);
    (network, (0..49).map(|block| hidden[0] * first(0, block) + hidden[1] * first(1, block)).collect())
}

/// The height of a block's spike.
fn height(block: usize) -> f64 {
    4.0 + (block * 13 % 49) as f64 / 10.0
}

/// Spikes on black, each (1, ½, -¼) times its height; `COLOURS` makes 1.1875 heights of it.
fn spikes() -> Tensor {
    let image = Tensor::zeros([1, 3, 224, 224], (Kind::Double, Device::Cpu));
    for block in 0..49 {
        let (row, column) = place(block);
        for (colour, share) in [1.0, 0.5, -0.25].into_iter().enumerate() {
            let _ = image.select(1, colour as i64).narrow(1, row, 1).narrow(2, column, 1).fill_(share * height(block));
        }
    }
    image
}

const SEEN: f64 = 1.1875;

/// A map that is `of` its block at each spike and zero elsewhere.
fn at_spikes(of: impl Fn(usize) -> f64) -> Tensor {
    let map = Tensor::zeros([1, 1, 224, 224], (Kind::Double, Device::Cpu));
    for block in 0..49 {
        let (row, column) = place(block);
        let _ = map.narrow(2, row, 1).narrow(3, column, 1).fill_(of(block));
    }
    map
}

fn less_mean(map: Tensor) -> Tensor {
    let mean = map.mean(Kind::Double);
    map - mean
}

#[test]
fn what_is_linear_on_the_way_is_explained_exactly() {
    let (network, weights) = toy(2.0);
    let expected = at_spikes(|block| weights[block] * SEEN * height(block));
    let image = spikes();
    close(&explain("gradient-x-input", &[], &network, &image, 1), &expected, 1e-12).unwrap();
    for steps in [1.0, 7.0] {
        let map = explain("integrated-gradients", &[("steps", steps)], &network, &image, 1);
        close(&map, &expected, 1e-12).unwrap();
    }
    // Noise of a hundredth of the range is far from making another pixel of a block the largest.
    let gradient = at_spikes(|block| weights[block].abs() * COLOURS.iter().sum::<f64>());
    let map = explain("smoothgrad", &[("noise", 0.01), ("samples", 10.0)], &network, &image, 1);
    close(&map, &gradient, 1e-12).unwrap();
}

#[test]
fn a_kink_on_the_way_is_integrated_over() {
    // A block's ReLU opens on the way at 2 / seen, so the block's integral is what it is worth
    // beyond that.
    let (network, weights) = toy(-2.0);
    let image = spikes();
    let seen = |block| SEEN * height(block);
    let scale = (0..49).map(|block| (weights[block] * seen(block)).abs()).fold(0.0, f64::max);
    for steps in [5.0, 50.0, 500.0] {
        let map = explain("integrated-gradients", &[("steps", steps)], &network, &image, 1);
        let exact = at_spikes(|block| weights[block] * (seen(block) - 2.0));
        let off = (map - exact).abs().max().double_value(&[]);
        assert!(off <= scale / (2.0 * steps), "off by {off} with {steps} steps, scale {scale}");
    }
    // The released form's points are hundredths from 0 to 1, and what it divides by is 100.
    let open = |block| (0..=100).filter(|j| f64::from(*j) / 100.0 * seen(block) > 2.0).count() as f64;
    let expected = at_spikes(|block| weights[block].abs() * COLOURS.iter().sum::<f64>() * open(block) / 100.0);
    close(&explain("integrated-gradients-released", &[], &network, &image, 1), &less_mean(expected), 1e-12).unwrap();
}

#[test]
fn noise_is_as_wide_as_it_says() {
    // Two pixels compete in each block, at 5 and 4.5 over a background of -1. The first wins where
    // the difference of two normal variables doesn't exceed 0.5 · 1.75: with Φ(0.875 / (√2 · σ
    // |COLOURS|)), σ being 0.6 for a tenth of the range, and (4 / 6)² in the released form.
    let (network, weights) = toy(2.0);
    let image = Tensor::full([1, 3, 224, 224], -1.0, (Kind::Double, Device::Cpu));
    let pixel = |tensor: &Tensor, row, column| tensor.narrow(2, row, 1).narrow(3, column, 1);
    for block in 0..49 {
        let (row, column) = place(block);
        let _ = pixel(&image, row, column).fill_(5.0);
        let _ = pixel(&image, row + 1, column + 1).fill_(4.5);
    }
    for (id, changes, expected) in [
        ("smoothgrad", &[("noise", 0.1), ("samples", 100.0)][..], 0.8160),
        ("smoothgrad-released", &[("samples", 100.0)][..], 0.8878),
    ] {
        let map = explain(id, changes, &network, &image, 1);
        // Nothing ever wins here: zero, or less the mean.
        let background = map.double_value(&[0, 0, 31, 31]);
        let won = |block: usize| {
            let (row, column) = place(block);
            (map.double_value(&[0, 0, row, column]) - background) / (1.75 * weights[block].abs())
        };
        let share = (0..49).map(won).sum::<f64>() / 49.0;
        // 4900 draws: 0.02 is more than three standard deviations of their mean.
        assert!((share - expected).abs() < 0.02, "{id}: {share}, expected {expected}");
    }
}

#[test]
fn smoothgrad_is_the_mean_of_gradients_at_seeded_copies() {
    let network = network("resnet_basic");
    let views = Tensor::cat(&[input("80x107"), input("80x107").flip([2]) * 0.5], 0);
    let smooth = explainer("smoothgrad", &[("samples", 11.0)]);
    let layers = network.layers(None, None).unwrap();
    let forward_pass = ForwardPass::new(&network, views.shallow_clone(), Needs::default()).with_classes(&[0, 6]);
    let forward_pass = Rc::new(forward_pass.with_seed(Seed { image: 77, view: 3 }));
    for class in [6, 0] {
        let map = smooth.explain(&forward_pass.target(class).unwrap(), &layers).unwrap();
        let one = |view: i64| {
            let x = views.narrow(0, view, 1);
            let deviation = 0.15 * (x.max() - x.min()).double_value(&[]);
            let mut sum = x.zeros_like();
            for copy in 0..11 {
                let mut rng = ChaCha8Rng::seed_from_u64(77);
                rng.set_stream(((3 + view as u64) << 32) + copy);
                let noise: Vec<f32> = (0..3 * 80 * 107).map(|_| rng.sample(StandardNormal)).collect();
                let noisy = &x + Tensor::from_slice(&noise).view([1, 3, 80, 107]) * deviation;
                let needs = Needs { gradients: vec![0], ..Needs::default() };
                sum += Pass::new(&network, noisy, class, needs).unwrap().gradient_at_views().unwrap();
            }
            (sum / 11).abs().sum_dim_intlist([1i64].as_slice(), true, Kind::Float)
        };
        close(&map, &Tensor::cat(&[one(0), one(1)], 0), 1e-4).unwrap();
    }
}

#[test]
fn the_convolutional_form_has_the_same_maps_at_the_training_size() {
    // Its one position has all of the softmax. Fully connected layers become maps of one pixel,
    // which FullGrad's mean takes away again.
    let image = (Tensor::arange(3 * 224 * 224, (Kind::Float, Device::Cpu)) * 0.37).sin().view([1, 3, 224, 224]);
    for name in ["resnet_basic", "vgg"] {
        let network = network(name);
        let convolutional = network.convolutional().unwrap();
        for (id, changes) in [
            ("fullgrad", &[][..]),
            ("gradient-x-input", &[]),
            ("integrated-gradients", &[("steps", 2.0)]),
            ("smoothgrad", &[("samples", 2.0)]),
        ] {
            let [one, other] = [&network, &convolutional].map(|network| explain(id, changes, network, &image, 4));
            close(&other, &one, 1e-4).unwrap_or_else(|e| panic!("{name}, {id}: {e}"));
        }
    }
}

#[test]
fn classes_share_the_forward_passes_that_are_announced() {
    let network = network("resnet_basic");
    let image = input("96x96");
    let layers = network.layers(None, None).unwrap();
    for (id, key, forward) in [
        ("integrated-gradients", "steps", 9),
        ("integrated-gradients-released", "steps", 10),
        ("smoothgrad", "samples", 9),
        ("smoothgrad-released", "samples", 9),
    ] {
        let explainer = explainer(id, &[(key, 9.0)]);
        let extra = explainer.extra_passes(&network, &layers);
        assert_eq!((extra.per_view, extra.per_class), (forward, 2 * forward), "{id}");
        let before = network.views();
        let request =
            ExplainRequest { network: &network, image: &image, classes: &[1, 4], layers, views_per_batch: 4, seed: 5 };
        plain(&request, &[&*explainer]).unwrap();
        assert_eq!(network.views() - before, forward as u64, "{id}");
    }
}
