//! A config: an experiment, as one writes it down.
//!
//! `text → tree (values that know their line) → --set → sections → Config`. All errors are collected, each with file, line and key.

mod dataset;
mod device;
mod error;
mod figure;
mod identity;
mod method;
mod method_list;
mod named_protocol;
mod overrides;
mod precomputed;
mod protocol;
mod read;
mod section;
mod toml_tree;
mod variant;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ucag_core::network::{self, Preprocessing, Stated};

pub use device::from_argument as device;
pub use error::{ConfigError, ConfigErrors, Origin};
pub use figure::{Columns, Figure};
pub(crate) use identity::{device_kind, device_name, normalisation, with_output};
pub use method::{Computed, Method, Precomputed, Source};
pub use named_protocol::{PROTOCOLS, Protocol, Target};
pub use protocol::protocol;
pub use read::{load, load_all, parse};
pub use variant::Variant;
pub(crate) use variant::{beside, row_label, symbol};

/// What the command line says over a config.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Overrides {
    /// `--limit`: `dataset.limit`, of every data set
    pub limit: Option<usize>,
    /// `--out`: `output.dir`
    pub out: Option<PathBuf>,
    /// `--device`: `compute.device`
    pub device: Option<String>,
    /// `--workers`: `compute.workers`
    pub workers: Option<usize>,
    /// `--set`: each `key.path=value`, applied in this order and before the others.
    pub set: Vec<String>,
}

/// An experiment, read from TOML, overridden from the command line, and validated.
#[derive(Debug, Clone)]
pub struct Config {
    /// The config file, for messages; relative paths in it are relative to the working directory.
    pub path: PathBuf,
    /// What was in the file, so that shards of the run can be merged without it.
    pub text: String,
    /// Name of the run and its files: the config's file stem (`table1`).
    pub name: String,
    /// Title of the table.
    pub title: String,
    /// Every choice on which paper and code differ, `[ucag]`'s n, ρ and α included. Where variants differ in it, the first of them.
    pub protocol: Protocol,
    /// How methods are run: without UCAG and with it, or as `[[variant]]` or lists in `[protocol]` and `[ucag]` say.
    pub variants: Vec<Variant>,
    /// The fields of which it has lists, so that its variants are a grid.
    pub grid: Vec<&'static str>,
    /// Seed of everything random: random maps, bootstrap.
    pub seed: u64,
    /// `[dataset]`, or `[[dataset]]` where there are several.
    pub datasets: Vec<Dataset>,
    /// `[[model]]`
    pub models: Vec<Model>,
    /// `[[method]]`
    pub methods: Vec<Method>,
    /// `[[metric]]`; there may be none where there is a figure.
    pub metrics: Vec<Metric>,
    /// `[figure]`
    pub figure: Option<Figure>,
    /// `[output]`
    pub output: Output,
    /// `[compute]`
    pub compute: Compute,
}

impl Config {
    /// The methods for a data set, in the config's order.
    pub fn methods_on(&self, dataset: usize) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| method.dataset.is_none_or(|only| only == dataset))
    }

    /// The rows of a model's table on a data set, in its order.
    pub fn rows_on(&self, dataset: usize) -> impl Iterator<Item = (&Method, &Variant)> {
        self.methods_on(dataset)
            .flat_map(move |method| method.variants.iter().map(move |&v| (method, &self.variants[v])))
    }

    /// Whether there is more than a method without UCAG and with it.
    pub fn has_variants(&self) -> bool {
        self.variants.iter().any(|variant| !variant.name.is_empty())
    }
}

/// `[dataset]`
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Name in tables and records; the kind where absent. Unique.
    pub name: String,
    /// Id in `datasets::DATASETS`.
    pub kind: String,
    /// Its folder.
    pub root: PathBuf,
    /// Only so many samples, the first ones in the data set's order, or of `samples`.
    pub limit: Option<usize>,
    /// Only the samples of these ids, or of ids that end in these after a slash.
    pub samples: Option<Vec<String>>,
    /// The published list of the "difficult" subset's pairs.
    pub difficult: Option<PathBuf>,
    /// How photos are brought to the network's size; as the data set's protocol has it where absent.
    pub resize: Option<Resize>,
    /// The value in masks of objects of pixels that count neither as object nor as background.
    pub void: Option<u16>,
    /// The least value in masks of objects that is object; without it masks are of two values.
    pub threshold: Option<u16>,
}

/// The resizing of photos to a network's input: see docs/protocol.md#preprocessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// To a square, whatever the aspect ratio, with Pillow's anti-aliased filter: deletion and insertion.
    Squash,
    /// The shorter side to the network's size, the longer in proportion, bilinear without anti-aliasing: pointing games.
    ShorterSide,
}

/// The form in which a network is run: see docs/protocol.md#d22-convolutional-form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// As torchvision has it, with global or adaptive pooling.
    Pooled,
    /// Fully convolutional, as TorchRay has it: a map of logits for an image beyond the training size.
    Convolutional,
    /// Fully convolutional without UCAG, pooled with it: what the published Table 2 was made of.
    Mixed,
}

/// `[[model]]`
#[derive(Debug, Clone)]
pub struct Model {
    /// The data set that it is run on, as an index into [`Config::datasets`].
    pub dataset: usize,
    /// Family or member, as in `ucag_core::network::family`; `torchscript` for one that is neither.
    pub arch: String,
    /// Checkpoint, or the TorchScript file.
    pub weights: PathBuf,
    /// How its input is normalised, where it is TorchScript; checkpoints say so themselves.
    pub scripted: Option<Preprocessing>,
    /// What it gives, where it is TorchScript and the config says so.
    pub output: Option<network::Output>,
    /// What the config says of a checkpoint's network that its tensors don't show.
    pub stated: Stated,
    /// Target layer; the family's default where absent.
    pub layer: Option<String>,
    /// Layer where excitation backprop stops; the family's default where absent.
    pub middle: Option<String>,
    /// Name in tables and records; the arch where absent. Unique on a data set.
    pub name: String,
    /// The network's form.
    pub form: Form,
    /// Side of the square input, or its shorter side, in pixels; the checkpoint's or family's where absent.
    pub input_size: Option<usize>,
    /// The model whose likeliest class is explained in place of this model's own, as an index into
    /// [`Config::models`]: see docs/protocol.md#d16-class-in-table-4.
    pub classes_from: Option<usize>,
}

/// `[[metric]]`
#[derive(Clone)]
pub struct Metric {
    /// Entry in the registry of metrics.
    pub metric: &'static metrics::Metric,
    /// Pixels moved per step; the published step where absent.
    pub step: Option<usize>,
}

impl std::fmt::Debug for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metric").field("id", &self.metric.id).field("step", &self.step).finish()
    }
}

/// `[output]`
#[derive(Debug, Clone)]
pub struct Output {
    /// Run folder; `results/<name>` (`results/mini/<name>` for a config in a folder `mini`) where absent.
    pub dir: PathBuf,
    /// Published numbers to compare with, a CSV as in `results/published/`.
    pub published: Option<PathBuf>,
    /// What a reader of the published numbers should know, in a sentence or two.
    pub remark: Option<String>,
    /// Samples shown in the gallery.
    pub gallery: usize,
    /// Resamples of the bootstrap.
    pub resamples: usize,
}

/// `[compute]`: what changes no result beyond rounding, which `precision` makes coarse.
#[derive(Debug, Clone)]
pub struct Compute {
    /// `cpu` or `cuda:N`.
    pub device: tch::Device,
    /// The arithmetic of layers that nothing is asked of but the network's answer.
    pub precision: ucag_core::network::Precision,
    /// Worker threads, each with one libtorch thread; as many as cores where absent.
    pub workers: usize,
    /// Most views in one pass.
    pub views_per_batch: usize,
    /// Most images in one call of the network by a metric.
    pub images_per_batch: usize,
}
