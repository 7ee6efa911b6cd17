//! Trains the mini networks on the embedded scenes and writes their checkpoints:
//!
//! ```text
//! cargo run --release -p bench --example train_mini                  # all six, into data/mini-weights/
//! cargo run --release -p bench --example train_mini -- vgg           # one of them
//! cargo run --release -p bench --example train_mini -- measure vgg   # none: the checkpoint that is there is measured
//! ```
//!
//! A training walks the same graph as an explanation; only batch norm is another operation. Scenes
//! are drawn on the fly by one thread while the other computes, each one seen once. At the end the
//! held-out scenes are measured, through the checkpoint as it was written. Networks for any number
//! of labels start from those for one label, as real ones start from ImageNet's.

#![allow(clippy::print_stdout, reason = "a program whose result is its output")]

mod batches;
mod measure;
mod optimise;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use datasets::mini::Class;
use tch::Tensor;
use ucag_core::network::synthetic;
use ucag_core::network::synthetic::{ResNet, Template};
use ucag_core::network::{Checkpoint, Network};

use optimise::{Adam, Weight, forward, one_cycle, tied};

const CLASSES: i64 = Class::COUNT as i64;
const BATCH: usize = 32;
const OUT: &str = "data/mini-weights";

/// The meaning of the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// One class: a softmax.
    OneLabel,
    /// Several classes: a sigmoid each.
    ManyLabels,
}

/// The training of one network.
struct Recipe {
    /// Of the checkpoint's file.
    name: &'static str,
    arch: &'static str,
    task: Task,
    template: Template,
    input_size: usize,
    steps: usize,
    /// Highest learning rate of the one-cycle schedule.
    rate: f64,
}

impl Recipe {
    /// Of so many places a weight treats all alike. VGG's first linear layer reads 7 × 7 places;
    /// where any number of objects may lie anywhere, so few scenes don't teach it every class at
    /// every place.
    fn places(&self, weight: &str) -> i64 {
        if self.task == Task::ManyLabels && self.arch == "vgg" && weight == "classifier.0.weight" { 49 } else { 1 }
    }
}

fn recipes() -> Vec<Recipe> {
    let resnet =
        ResNet { bottleneck: false, depths: [1, 1, 1, 1], stem: 16, planes: [16, 32, 48, 80], groups: 1, widening: 1 };
    let resnet = || synthetic::resnet(&resnet, CLASSES);
    let vgg = |stages: &[&[i64]]| synthetic::vgg(stages, true, 64, CLASSES);
    let one_label = |arch, template, input_size, steps, rate| Recipe {
        name: arch,
        arch,
        task: Task::OneLabel,
        template,
        input_size,
        steps,
        rate,
    };
    let many_labels = |name, arch, template, steps, rate| Recipe {
        name,
        arch,
        task: Task::ManyLabels,
        template,
        input_size: 128,
        steps,
        rate,
    };
    vec![
        one_label("resnet", resnet(), 128, 1000, 4e-3),
        one_label("densenet", synthetic::densenet(12, &[3, 4, 4, 3], 24, CLASSES), 128, 900, 4e-3),
        one_label("inception_v3", synthetic::inception(8, CLASSES), 171, 1400, 4e-3),
        one_label("vgg", vgg(&[&[8], &[16], &[24, 24], &[32, 32], &[32, 32]]), 128, 800, 3e-3),
        many_labels("resnet_multilabel", "resnet", resnet(), 1600, 4e-3),
        many_labels("vgg_multilabel", "vgg", vgg(&[&[8], &[16], &[24, 24], &[48, 48], &[64, 64]]), 1200, 4e-3),
    ]
}

fn main() -> Result<()> {
    let (mut wanted, mut steps, mut only_measure) = (Vec::new(), None, false);
    for word in std::env::args().skip(1) {
        match word.strip_prefix("steps=") {
            Some(number) => steps = Some(number.parse().context("steps= wants a number")?),
            None if word == "measure" => only_measure = true,
            None => wanted.push(word),
        }
    }
    let recipes = recipes();
    if let Some(unknown) = wanted.iter().find(|name| recipes.iter().all(|recipe| recipe.name != **name)) {
        let names: Vec<&str> = recipes.iter().map(|recipe| recipe.name).collect();
        bail!("there is no network {unknown}; there are: {}", names.join(", "));
    }
    std::fs::create_dir_all(OUT)?;
    for mut recipe in recipes {
        if wanted.is_empty() || wanted.iter().any(|name| name == recipe.name) {
            recipe.steps = steps.unwrap_or(recipe.steps);
            if !only_measure {
                train(&recipe)?;
            }
            check(&recipe)?;
        }
    }
    Ok(())
}

fn checkpoint(name: &str) -> PathBuf {
    Path::new(OUT).join(format!("{name}.safetensors"))
}

fn train(recipe: &Recipe) -> Result<()> {
    tch::manual_seed(1);
    let start = Instant::now();
    let state = start_from(recipe)?;
    let named = state.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone()));
    let network = Network::from_checkpoint(recipe.arch, &Checkpoint::from_tensors(recipe.arch, named))?;
    // The graph's tensors are the state's, so what the optimiser changes in place the graph
    // computes with.
    let trained = state.iter().filter(|(name, _)| !name.contains("running_"));
    let weights: Vec<Weight<'_>> =
        trained.map(|(name, tensor)| Weight { tensor, places: recipe.places(name) }).collect();
    let tensors: Vec<&Tensor> = weights.iter().map(|weight| weight.tensor).collect();
    for tensor in &tensors {
        let _ = tensor.set_requires_grad(true);
    }
    let mut adam = Adam::new(&weights);
    let batches = batches::draw(recipe.task, recipe.input_size, recipe.steps);
    let mut smooth = None;
    for step in 0..recipe.steps {
        let batch = batches.recv().context("the scenes ran out")?;
        let loss = batch.loss(&forward(&network, batch.images(recipe.input_size))?)?;
        let gradients = Tensor::f_run_backward(&[&loss], &tensors, false, false)?;
        adam.step(&weights, &gradients, recipe.rate * one_cycle(step as f64 / recipe.steps as f64));
        let loss = loss.double_value(&[]);
        let mean: f64 = smooth.map_or(loss, |mean: f64| mean * 0.98 + loss * 0.02);
        smooth = Some(mean);
        if step % 100 == 99 {
            let seconds = start.elapsed().as_secs_f64();
            println!("{}: step {} of {}, loss {mean:.3}, {seconds:.0} s", recipe.name, step + 1, recipe.steps);
        }
    }
    save(&checkpoint(recipe.name), &state, recipe)
}

/// Weights to start from: random ones, and for many labels those of the network for one label, as
/// far as they have the same shapes.
fn start_from(recipe: &Recipe) -> Result<HashMap<String, Tensor>> {
    let mut state: HashMap<String, Tensor> = recipe.template.random(1).into_iter().collect();
    if recipe.task == Task::ManyLabels {
        let path = checkpoint(recipe.arch);
        for (name, tensor) in Tensor::read_safetensors(&path).with_context(|| path.display().to_string())? {
            if state.get(&name).is_some_and(|random| random.size() == tensor.size()) {
                state.insert(name, tensor);
            }
        }
    }
    for (name, tensor) in &mut state {
        if recipe.places(name) > 1 {
            *tensor = tied(tensor, recipe.places(name));
        }
    }
    Ok(state)
}

/// Measures the checkpoint as it was written.
///
/// # Errors
/// Where it isn't good enough to ship.
fn check(recipe: &Recipe) -> Result<()> {
    let path = checkpoint(recipe.name);
    let network = Network::load(recipe.arch, &path)?;
    let bytes = std::fs::metadata(&path)?.len();
    println!("{}: {bytes} bytes", path.display());
    let worst = match recipe.task {
        Task::OneLabel => {
            let right = measure::top_1(&network)?;
            println!("{}: {right:.1} % top-1 on the held-out scenes", recipe.name);
            right
        }
        Task::ManyLabels => {
            let measured = measure::many_labels(&network)?;
            for set in &measured {
                let accuracy: Vec<String> = set.accuracy.iter().map(|percent| format!("{percent:.0}")).collect();
                println!(
                    "{}: mean average precision {:.1} % on {}; accuracy by class: {} %",
                    recipe.name,
                    set.mean_average_precision,
                    set.kind,
                    accuracy.join(" ")
                );
            }
            measured.iter().map(|set| set.mean_average_precision).fold(100.0, f64::min)
        }
    };
    if worst < 90.0 || bytes > 1_500_000 {
        bail!("{} is not good enough to ship", recipe.name);
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
    let mut metadata = HashMap::from([("input_size".to_owned(), recipe.input_size.to_string())]);
    if recipe.arch == "inception_v3" {
        metadata.insert("transform_input".to_owned(), "false".to_owned());
    }
    safetensors::serialize_to_file(views.collect::<Result<Vec<_>>>()?, Some(metadata), path)?;
    Ok(())
}
