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
