//! `bench export-plan`: what maps a config wants, for other programs to make.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use datasets::Sample;
use serde::Serialize;

use super::error::Outcome;
use crate::cli::ExportArgs;
use crate::config::{Resize, load};
use crate::plan::dataset::Data;
use crate::plan::precomputed::file_name;
use crate::plan::target_classes::known;
use crate::plan::{Model, Plan, SampleIndex};
use crate::run::input::{Input, input};
use crate::run::progress::Progress;
use crate::run::sample::SampleContext;
use crate::run::target_classes::classes;

/// A map that is wanted.
#[derive(Debug, Serialize)]
struct PlanRow<'a> {
    /// The data set's name in the config.
    dataset: &'a str,
    sample: &'a str,
    class: usize,
    class_name: &'a str,
    /// The model's name in the config.
    model: &'a str,
    /// Path of the map, below the folder of maps.
    file: PathBuf,
    /// The image as it is on disk; empty where it has no file to itself.
    photo: Option<PathBuf>,
    /// The image as the model sees it; empty where that isn't written.
    picture: Option<&'a Path>,
    /// Of the network's input, in pixels.
    height: i64,
    width: i64,
    /// Mean that is subtracted from red, green and blue in 0 to 1, and the divisor of the rest.
    mean: String,
    std: String,
    arch: &'a str,
    weights: &'a Path,
    /// The layer at which methods are defined here.
    layer: &'a str,
}

/// Writes the plan, and the pictures where they are asked for. Returns what went wrong with single
/// samples; the others are in the plan.
///
/// # Errors
/// Where the config, a data set or a network can't be used, or a file can't be written.
pub fn export_plan(args: &ExportArgs) -> Result<Vec<anyhow::Error>> {
    let plan = Plan::without_maps(load(&args.config, &args.overrides())?)?;
    let about = || format!("{}: can't be written", args.out.display());
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).with_context(about)?;
    }
    let mut csv = csv::Writer::from_path(&args.out).with_context(about)?;
    let progress = Progress::new(plan.units().len(), 0);
    let (mut failures, mut maps) = (Vec::new(), 0);
    for (number, data) in plan.data.iter().enumerate() {
        for place in data.places() {
            let mut sample = None;
            for model in plan.models.iter().enumerate().filter(|(_, model)| model.dataset == number) {
                let id = data.dataset.id(place);
                match seen(&plan, place, model.1, &mut sample, args.images.as_deref()) {
                    Ok(seen) => {
                        maps += seen.classes.len();
                        rows(&plan, place, model, &seen).try_for_each(|row| csv.serialize(row)).with_context(about)?;
                    }
                    Err(error) => failures.push(error.context(format!("{id} with {}", model.1.name))),
                }
                progress.step();
            }
        }
    }
    progress.finish();
    csv.flush().with_context(about)?;
    crate::print_result(&format!("{maps} maps are wanted; {} lists them", args.out.display()))?;
    Ok(failures)
}

/// Lists the maps, and prints the samples that failed.
///
/// # Errors
/// As [`export_plan`].
pub fn command(args: &ExportArgs) -> Result<Outcome> {
    let failures = export_plan(args)?;
    failures.iter().for_each(|error| crate::tell(&format!("error: {error:#}")));
    Ok(if failures.is_empty() { Outcome::AllWell } else { Outcome::SomeFailed })
}

/// The facts of a sample with a model that a plan lists.
struct Seen {
    classes: Vec<usize>,
    /// Height and width of the input.
    size: [i64; 2],
    picture: Option<PathBuf>,
}

/// Reads the image only where it is needed: the index knows most classes, and a squashed input is a
/// square.
fn seen(
    plan: &Plan,
    place: usize,
    model: &Model,
    sample: &mut Option<Sample>,
    pictures: Option<&Path>,
) -> Result<Seen> {
    let data = &plan.data[model.dataset];
    let side = model.input_size as i64;
    if let (Some(classes), Resize::Squash, None) = (known(data, place, &plan.config), data.resize, pictures) {
        return Ok(Seen { classes, size: [side, side], picture: None });
    }
    let sample = match sample {
        Some(sample) => sample,
        None => sample.insert(data.dataset.load(place)?),
    };
    let input = input(&sample.image, &model.unfolded.network, model.input_size, data.resize)?;
    let size = input.image.size();
    let picture = pictures.map(|folder| write_picture(folder, data, model, sample, &input)).transpose()?;
    let subject = SampleContext { data, index: SampleIndex(place), sample, model, input: &input, object: None };
    Ok(Seen { classes: classes(&subject, &plan.config, &plan.models)?, size: [size[2], size[3]], picture })
}

fn write_picture(folder: &Path, data: &Data, model: &Model, sample: &Sample, input: &Input) -> Result<PathBuf> {
    let path = folder.join(file_name::picture(&data.name, &model.name, &sample.id));
    let about = || format!("{}: can't be written", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(about)?;
    }
    input.picture.save(&path).with_context(about)?;
    Ok(path)
}

fn rows<'a>(
    plan: &'a Plan,
    place: usize,
    (number, model): (usize, &'a Model),
    seen: &'a Seen,
) -> impl Iterator<Item = PlanRow<'a>> {
    let data = &plan.data[model.dataset];
    let named = &plan.config.models[number];
    let sample = data.dataset.id(place);
    let preprocessing = model.unfolded.network.preprocessing;
    let numbers = |values: Vec<f32>| values.iter().map(f32::to_string).collect::<Vec<_>>().join(" ");
    seen.classes.iter().map(move |&class| PlanRow {
        dataset: &data.name,
        sample,
        class,
        class_name: data.dataset.classes().get(class).map(String::as_str).unwrap_or_default(),
        model: &model.name,
        file: file_name::file(&data.name, &model.name, sample, class),
        photo: data.dataset.file(place),
        picture: seen.picture.as_deref(),
        height: seen.size[0],
        width: seen.size[1],
        mean: numbers(preprocessing.mean()),
        std: numbers(preprocessing.std()),
        arch: &named.arch,
        weights: &named.weights,
        layer: model.layer_names()[0],
    })
}
