//! Trains the mini networks on the embedded scenes and writes their checkpoints:
//!
//! ```text
//! cargo run --release -p bench --example train_mini            # all four, into data/mini-weights/
//! cargo run --release -p bench --example train_mini -- vgg     # one of them
//! ```
//!
//! A training walks the same graph as an explanation; only batch norm is another operation. Scenes are drawn on the fly by one thread
//! while the other computes, each one seen once. At the end the held-out split is measured, through the checkpoint as it was written.

#![allow(clippy::print_stdout, reason = "a program whose result is its output")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use datasets::mini::{Class, Scene, SceneSpec, Stream, imagefolder};
use datasets::preprocess::Preprocess;
use image::RgbImage;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;
use ucag_core::network::template::{self, ResNet, Template};
use ucag_core::network::{Checkpoint, Network, Op};
use ucag_core::pass::{Needs, Pass};

const CLASSES: i64 = Class::COUNT as i64;
const BATCH: usize = 32;

/// What is trained, and for how long.
struct Recipe {
    arch: &'static str,
    template: Template,
    input_size: usize,
    steps: usize,
    /// Highest learning rate of the one-cycle schedule.
    rate: f64,
}

fn recipes() -> Vec<Recipe> {
    let resnet =
        ResNet { bottleneck: false, depths: [1, 1, 1, 1], stem: 16, planes: [16, 32, 48, 80], groups: 1, widening: 1 };
    let vgg: &[&[i64]] = &[&[8], &[16], &[24, 24], &[32, 32], &[32, 32]];
    vec![
        Recipe {
            arch: "resnet",
            template: template::resnet(&resnet, CLASSES),
            input_size: 128,
            steps: 1000,
            rate: 4e-3,
        },
        Recipe {
            arch: "densenet",
            template: template::densenet(12, &[3, 4, 4, 3], 24, CLASSES),
            input_size: 128,
            steps: 900,
            rate: 4e-3,
        },
        Recipe {
            arch: "inception_v3",
            template: template::inception(8, CLASSES),
            input_size: 171,
            steps: 1400,
            rate: 4e-3,
        },
        Recipe {
            arch: "vgg",
            template: template::vgg(vgg, true, 64, CLASSES),
            input_size: 128,
            steps: 800,
            rate: 3e-3,
        },
    ]
}

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let (steps, wanted): (Vec<String>, Vec<String>) = wanted.into_iter().partition(|word| word.starts_with("steps="));
    let steps = steps.first().and_then(|word| word["steps=".len()..].parse().ok());
    let out = Path::new("data/mini-weights");
    std::fs::create_dir_all(out)?;
    for mut recipe in recipes() {
        if wanted.is_empty() || wanted.iter().any(|name| name == recipe.arch) {
            recipe.steps = steps.unwrap_or(recipe.steps);
            train(&recipe, out)?;
        }
    }
    Ok(())
}

fn train(recipe: &Recipe, out: &Path) -> Result<()> {
    tch::manual_seed(1);
    let start = Instant::now();
    let state: HashMap<String, Tensor> = recipe.template.random(1).into_iter().collect();
    let named = state.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
    let network = Network::from_checkpoint(recipe.arch, &Checkpoint::from_tensors(recipe.arch, named))?;
    // The graph's tensors are the state's, so what the optimiser changes in place the graph computes with.
    let weights: Vec<&Tensor> =
        state.iter().filter(|(name, _)| !name.contains("running_")).map(|(_, tensor)| tensor).collect();
    for weight in &weights {
        let _ = weight.set_requires_grad(true);
    }
    let mut adam = Adam::new(&weights);
    let batches = scenes(recipe.input_size, recipe.steps);
    let mut smooth = None;
    for step in 0..recipe.steps {
        let (images, labels) = batches.recv().context("the scenes ran out")?;
        let images =
            Tensor::from_slice(&images).view([BATCH as i64, 3, recipe.input_size as i64, recipe.input_size as i64]);
        let loss = forward(&network, images)?.cross_entropy_loss::<Tensor>(
            &Tensor::from_slice(&labels),
            None,
            tch::Reduction::Mean,
            -100,
            0.05,
        );
        let gradients = Tensor::f_run_backward(&[&loss], &weights, false, false)?;
        adam.step(&weights, &gradients, recipe.rate * one_cycle(step as f64 / recipe.steps as f64));
        let loss = loss.double_value(&[]);
        let mean: f64 = smooth.map_or(loss, |mean: f64| mean * 0.98 + loss * 0.02);
        smooth = Some(mean);
        if step % 100 == 99 {
            println!(
                "{}: step {} of {}, loss {mean:.3}, {:.0} s",
                recipe.arch,
                step + 1,
                recipe.steps,
                start.elapsed().as_secs_f64()
            );
        }
    }
    let path = out.join(format!("{}.safetensors", recipe.arch));
    save(&path, &state, recipe)?;
    let right = held_out(recipe, &path)?;
    let bytes = std::fs::metadata(&path)?.len();
    println!(
        "{}: {right:.1} % top-1 on the held-out split, {bytes} bytes, {:.0} s: {}",
        recipe.arch,
        start.elapsed().as_secs_f64(),
        path.display()
    );
    if right < 90.0 || bytes > 1_500_000 {
        bail!("{} is not good enough to ship", recipe.arch);
    }
    Ok(())
}

/// Up for a fifth of the time, then down along a cosine.
fn one_cycle(progress: f64) -> f64 {
    match progress < 0.2 {
        true => 0.1 + 0.9 * progress / 0.2,
        false => 0.5 * (1.0 + (std::f64::consts::PI * (progress - 0.2) / 0.8).cos()),
    }
}

/// Batches of normalised training scenes with their labels, drawn ahead by another thread.
fn scenes(side: usize, steps: usize) -> std::sync::mpsc::Receiver<(Vec<f32>, Vec<i64>)> {
    let (sender, receiver) = sync_channel(4);
    std::thread::spawn(move || {
        let recipe = Preprocess::imagenet(side as u32, side as u32);
        for step in 0..steps {
            let (mut images, mut labels) = (Vec::with_capacity(BATCH * 3 * side * side), Vec::with_capacity(BATCH));
            for index in step * BATCH..(step + 1) * BATCH {
                let class = Class::in_turn(index as u64);
                let scene = Scene::generate(&SceneSpec::one_object(class), Stream::Train, index as u64);
                images.extend(recipe.apply(&crop(scene, index as u64)));
                labels.push(class.index() as i64);
            }
            if sender.send((images, labels)).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Half of the scenes as they are, of the others a part with the object's centre in it, from 45 % of each side up. ImageNet's networks are trained on crops
/// too, without which a network knows objects at one scale only.
fn crop(scene: Scene, index: u64) -> RgbImage {
    let mut rng = ChaCha8Rng::seed_from_u64(index);
    let Some(object) = scene.objects.first().filter(|_| rng.random_bool(0.5)) else { return scene.image };
    let share = rng.random_range(0.45..1.0);
    let mut side = |length: u32, centre: f32| {
        let part = (f64::from(length) * share) as u32;
        let (low, high) = ((centre as u32).saturating_sub(part - 1), (centre as u32).min(length - part));
        (rng.random_range(low.min(high)..=high), part)
    };
    let (x, width) = side(scene.image.width(), object.centre.0);
    let (y, height) = side(scene.image.height(), object.centre.1);
    image::imageops::crop_imm(&scene.image, x, y, width, height).to_image()
}

/// The graph in training: batch norm uses the batch's statistics and updates the running ones.
fn forward(network: &Network, images: Tensor) -> Result<Tensor> {
    let mut values: Vec<Tensor> = vec![images];
    for node in &network.graph.nodes()[1..] {
        let inputs: Vec<&Tensor> = node.inputs.iter().map(|&input| &values[input]).collect();
        let value = match &node.op {
            Op::BatchNorm(b) => inputs[0].f_batch_norm(
                Some(&b.weight),
                Some(&b.bias),
                Some(&b.mean),
                Some(&b.var),
                true,
                0.1,
                b.eps,
                false,
            )?,
            op => op.apply(&inputs)?,
        };
        values.push(value);
    }
    values.pop().context("an empty network")
}

/// Adam (Kingma & Ba, ICLR 2015) with decoupled weight decay on everything that isn't a vector.
struct Adam {
    moments: Vec<(Tensor, Tensor)>,
    steps: i32,
}

impl Adam {
    fn new(weights: &[&Tensor]) -> Self {
        Self { moments: weights.iter().map(|w| (w.zeros_like().detach(), w.zeros_like().detach())).collect(), steps: 0 }
    }

    fn step(&mut self, weights: &[&Tensor], gradients: &[Tensor], rate: f64) {
        const BETAS: (f64, f64) = (0.9, 0.99);
        self.steps += 1;
        let corrected = |beta: f64| 1.0 - beta.powi(self.steps);
        tch::no_grad(|| {
            for ((weight, gradient), (first, second)) in weights.iter().zip(gradients).zip(&mut self.moments) {
                let _ = first.g_mul_scalar_(BETAS.0).g_add_(&(gradient * (1.0 - BETAS.0)));
                let _ = second.g_mul_scalar_(BETAS.1).g_add_(&(gradient * gradient * (1.0 - BETAS.1)));
                let update = &*first / corrected(BETAS.0) / ((&*second / corrected(BETAS.1)).sqrt() + 1e-8);
                let decay = if weight.dim() > 1 { 0.02 * rate } else { 0.0 };
                let mut weight = weight.shallow_clone();
                let _ = weight.g_mul_scalar_(1.0 - decay).g_add_(&(update * -rate));
            }
        });
    }
}

/// The checkpoint, with what the runner reads of its metadata.
fn save(path: &Path, state: &HashMap<String, Tensor>, recipe: &Recipe) -> Result<()> {
    let mut tensors = Vec::new();
    for (name, tensor) in state {
        let values = Vec::<f32>::try_from(&tensor.detach().contiguous().view([-1]))?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        tensors.push((name.clone(), tensor.size().iter().map(|&side| side as usize).collect::<Vec<_>>(), bytes));
    }
    tensors.sort();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        Ok((name.as_str(), safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes)?))
    });
    let metadata = HashMap::from([("input_size".to_owned(), recipe.input_size.to_string())]);
    safetensors::serialize_to_file(views.collect::<Result<Vec<_>>>()?, Some(metadata), path)?;
    Ok(())
}

/// Percentage of the held-out split that the written checkpoint gets right, through the real loader.
fn held_out(recipe: &Recipe, path: &Path) -> Result<f64> {
    let network = Network::load(recipe.arch, path)?;
    let data = datasets::open(imagefolder::KIND.id, &datasets::Source::at(Path::new("data/mini/imagefolder")))?;
    let preprocess = Preprocess::imagenet(network.input_size as u32, network.input_size as u32);
    let side = network.input_size as i64;
    let mut right = 0;
    for index in 0..data.len() {
        let sample = data.load(index)?;
        let image = Tensor::from_slice(&preprocess.apply(&sample.image)).view([1, 3, side, side]);
        let logits = Pass::new(&network, image, 0, Needs::default())?.logits()?;
        right += i64::from(logits.argmax(1, false).int64_value(&[0]) == sample.labels[0] as i64);
    }
    Ok(100.0 * right as f64 / data.len() as f64)
}
