//! One unit of work: one sample with one model, from the file on disk to its records.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use datasets::preprocess::{IMAGENET_MEAN, IMAGENET_STD, Preprocess};
use datasets::{Dataset, Sample};
use image::RgbImage;
use metrics::Case;
use tch::{Kind, Tensor};
use ucag_core::explain::{Explainer, Method};
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};
use ucag_core::post::{Saliency, saliency};
use ucag_core::protocol::{Deleted, Protocol, Target};
use ucag_core::ucag;

use crate::config::Config;
use crate::plan::Model;
use crate::record::{Failure, Record, Unit};
use crate::report::gallery::{self, Sheet, Tile};

/// Seconds spent, all workers together.
#[derive(Debug, Default)]
pub struct Stages {
    nanos: [AtomicU64; 4],
}

/// A stage of the work.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// Reading, decoding and resizing images.
    Decode,
    /// Maps: passes, methods, UCAG, post-processing.
    Explain,
    /// Metrics.
    Score,
    /// Gallery sheets.
    Gallery,
}

impl Stages {
    fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.nanos[stage as usize].fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        result
    }

    /// Seconds by stage.
    pub fn seconds(&self) -> BTreeMap<&'static str, f64> {
        let names = ["decode", "explain", "score", "gallery"];
        let seconds = self.nanos.iter().map(|nanos| nanos.load(Ordering::Relaxed) as f64 / 1e9);
        names.into_iter().zip(seconds).collect()
    }
}

/// A worker's hands: its own handles on the networks, the rest shared.
pub struct Worker<'p> {
    config: &'p Config,
    dataset: &'p dyn Dataset,
    models: Vec<Model>,
    stages: &'p Stages,
    /// The last decoded sample: units of one sample come one after the other.
    sample: Option<(usize, Sample)>,
}

/// What is explained and scored: a class of a sample, as a model sees it.
struct Subject<'a> {
    /// The sample's place in the data set.
    place: usize,
    sample: &'a Sample,
    model: &'a Model,
    class: usize,
    /// The network's input, as an image and normalised `[1, 3, S, S]`.
    picture: &'a RgbImage,
    image: &'a Tensor,
}

/// A row's map and what it is a map of.
struct Row {
    method: &'static Method,
    ucag: bool,
    saliency: Saliency,
}

impl<'p> Worker<'p> {
    /// A worker with its own copies (of handles, not weights).
    pub fn new(config: &'p Config, dataset: &'p dyn Dataset, models: Vec<Model>, stages: &'p Stages) -> Self {
        Self { config, dataset, models, stages, sample: None }
    }

    /// Does unit `index`. What goes wrong with it becomes part of the unit.
    pub fn unit(&mut self, index: usize) -> Unit {
        let (sample, model) = (index / self.models.len(), index % self.models.len());
        let outcome = self.records(sample, model).map_err(|error| Failure {
            sample: self.dataset.id(sample).to_owned(),
            model: self.models[model].name.clone(),
            error: format!("{error:#}"),
        });
        Unit { index, outcome }
    }

    fn records(&mut self, index: usize, model: usize) -> Result<Vec<Record>> {
        if self.sample.as_ref().is_none_or(|(held, _)| *held != index) {
            let sample = self.stages.time(Stage::Decode, || self.dataset.load(index))?;
            self.sample = Some((index, sample));
        }
        let (_, sample) = self.sample.as_ref().context("no sample")?;
        let model = &self.models[model];
        let (picture, image) = self.stages.time(Stage::Decode, || input(&sample.image, model))?;
        let config = self.config;
        let classes = match config.protocol.target {
            Target::Label => sample.labels.clone(),
            Target::Predicted => {
                let logits = Pass::new(&model.network, image.shallow_clone(), 0, Needs::default())?.logits()?;
                vec![logits.f_argmax(1, false)?.f_int64_value(&[0])? as usize]
            }
        };
        let mut records = Vec::new();
        for class in classes {
            let subject = Subject { place: index, sample, model, class, picture: &picture, image: &image };
            let rows = self.stages.time(Stage::Explain, || self.explain(&subject))?;
            let scored = self.stages.time(Stage::Score, || self.score(&subject, &rows))?;
            if index < config.output.gallery {
                self.stages.time(Stage::Gallery, || self.sheet(&subject, &rows, &scored))?;
            }
            records.extend(scored);
        }
        Ok(records)
    }

    /// Every row's map: one pass for all methods without UCAG, one pass a batch of views for all with.
    fn explain(&self, of: &Subject<'_>) -> Result<Vec<Row>> {
        let config = self.config;
        let size = of.image.size();
        let subject = ucag::Subject {
            network: &of.model.network,
            image: of.image,
            class: of.class,
            layer: of.model.layer,
            views_per_batch: config.compute.views_per_batch,
            seed: seed(config.seed, &of.sample.id, of.class),
        };
        let maps = |with: bool| -> Result<Vec<Tensor>> {
            let chosen = config.methods.iter().filter(|m| m.ucag.contains(&with)).map(|m| m.method.explainer);
            let chosen: Vec<&dyn Explainer> = chosen.collect();
            match (chosen.is_empty(), with) {
                (true, _) => Ok(Vec::new()),
                (false, false) => Ok(ucag::plain(&subject, &chosen)?),
                (false, true) => Ok(ucag::ucag(&subject, &chosen, &config.protocol)?),
            }
        };
        let (mut without, mut with) = (maps(false)?.into_iter(), maps(true)?.into_iter());
        let mut rows = Vec::new();
        for row in &config.methods {
            for &ucag in &row.ucag {
                let raw = if ucag { with.next() } else { without.next() }.context("a map is missing")?;
                let saliency = saliency(&raw, row.method.post, [size[2], size[3]], ucag, &config.protocol)?;
                rows.push(Row { method: row.method, ucag, saliency });
            }
        }
        Ok(rows)
    }

    fn score(&self, of: &Subject<'_>, rows: &[Row]) -> Result<Vec<Record>> {
        let config = self.config;
        let probabilities = probabilities(&of.model.network);
        let deleted = deleted(&config.protocol, of.image)?;
        let mut records = Vec::new();
        for row in rows {
            for chosen in &config.metrics {
                let case = Case {
                    map: &row.saliency.map,
                    image: of.image,
                    class: of.class,
                    probabilities: &probabilities,
                    deleted: &deleted,
                    ties: config.protocol.ties,
                    step: chosen.step,
                    batch: config.compute.images_per_batch,
                };
                let score = (chosen.metric.score)(&case).with_context(|| {
                    format!("{} of {}{}", chosen.metric.id, row.method.id, if row.ucag { " with UCAG" } else { "" })
                })?;
                records.push(Record {
                    sample: of.sample.id.clone(),
                    class: of.class,
                    model: of.model.name.clone(),
                    method: row.method.id.to_owned(),
                    ucag: row.ucag,
                    metric: chosen.metric.id.to_owned(),
                    value: score.value,
                    map: row.saliency.state,
                    curve: score.curve,
                });
            }
        }
        Ok(records)
    }

    /// The gallery's sheet: every row's map over the image, with its scores.
    fn sheet(&self, of: &Subject<'_>, rows: &[Row], records: &[Record]) -> Result<()> {
        let (id, class) = (&of.sample.id, of.class);
        let maps = rows.iter().map(|row| floats(&row.saliency.map)).collect::<Result<Vec<_>>>()?;
        let tiles = rows.iter().zip(&maps).map(|(row, map)| {
            let own = records.iter().filter(|record| record.method == row.method.id && record.ucag == row.ucag);
            let scores: Vec<_> =
                own.zip(&self.config.metrics).map(|(record, chosen)| (chosen.metric, record.value)).collect();
            Tile {
                label: row.method.name,
                ucag: row.ucag,
                map,
                post: row.method.post,
                state: row.saliency.state,
                note: gallery::scores(&scores),
            }
        });
        let name = self.dataset.classes().get(class).map(String::as_str).unwrap_or_default();
        let title = format!("{id}, class {class} {name}, {}", of.model.name);
        let sheet = Sheet { title, image: of.picture, tiles: tiles.collect() };
        let file = gallery::file_name(of.place, &format!("{id}-{class}"), &of.model.name);
        gallery::write(&self.config.output.dir.join("gallery").join(file), &sheet)
    }
}

fn floats(map: &Tensor) -> Result<Vec<f32>> {
    Ok(Vec::<f32>::try_from(&map.f_contiguous()?.f_view([-1])?)?)
}

/// The network's input: as an image, and normalised `[1, 3, S, S]`.
///
/// # Errors
/// Where libtorch refuses.
pub fn input(photo: &RgbImage, model: &Model) -> Result<(RgbImage, Tensor)> {
    let side = model.input_size;
    let recipe = Preprocess::imagenet(side as u32, side as u32);
    let picture = recipe.resize(photo);
    let values = datasets::preprocess::normalise(&picture, recipe.mean, recipe.std);
    let image = Tensor::f_from_slice(&values)?.f_view([1, 3, side as i64, side as i64])?;
    Ok((picture, image.f_to_device(model.network.device)?))
}

/// The network as metrics see it.
fn probabilities(network: &Network) -> impl Fn(&Tensor) -> Result<Tensor, Box<dyn std::error::Error + Send + Sync>> {
    |images| Ok(Pass::new(network, images.shallow_clone(), 0, Needs::default())?.logits()?.f_softmax(1, Kind::Float)?)
}

/// What deletion puts in a pixel's place, `[1, 3, 1, 1]`.
fn deleted(protocol: &Protocol, image: &Tensor) -> Result<Tensor> {
    let colour = match protocol.deleted {
        Deleted::MeanColour => [0.0; 3],
        Deleted::Black => std::array::from_fn(|channel| -IMAGENET_MEAN[channel] / IMAGENET_STD[channel]),
    };
    Ok(Tensor::f_from_slice(&colour)?.f_view([1, 3, 1, 1])?.f_to_device(image.device())?)
}

/// A seed that belongs to a sample and class, whatever the order of work: FNV-1a over run seed, id and class.
pub fn seed(run: u64, sample: &str, class: usize) -> u64 {
    let bytes = run.to_le_bytes().into_iter().chain(sample.bytes()).chain((class as u64).to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
