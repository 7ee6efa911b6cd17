//! A config: an experiment, as one writes it down.
//!
//! `text → tree (values that know their line) → --set → sections → Config`. All errors are
//! collected, each with file, line and key.

mod compute;
mod dataset;
mod device;
mod error;
mod figure;
mod identity;
pub(crate) mod keys;
mod method;
mod method_list;
mod metric;
mod model;
mod named_protocol;
mod output;
mod overrides;
mod precomputed;
mod protocol;
mod read;
mod section;
mod toml_tree;
mod values;
mod variant;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use compute::Compute;
pub use dataset::{Dataset, Resize};
pub use device::from_argument as device;
pub use error::{ConfigError, ConfigErrors, Origin};
pub use figure::{Columns, Figure};
pub(crate) use identity::{device_kind, device_name, normalisation, with_output};
pub use method::{Computed, Method, Precomputed, Source};
pub use metric::Metric;
pub(crate) use model::ONNX;
pub use model::{Form, Model};
pub use named_protocol::{PROTOCOLS, Protocol, Target};
pub use output::Output;
pub use protocol::protocol;
pub use read::{load, load_all, parse};
pub use variant::Variant;
pub(crate) use variant::{beside, row_label, symbol};

/// Arguments that override keys of a config.
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
    /// The text of the file, so that shards of the run can be merged without it.
    pub text: String,
    /// Name of the run and its files: the config's file stem (`table1`).
    pub name: String,
    /// Title of the table.
    pub title: String,
    /// Every choice on which paper and code differ, `[ucag]`'s n, ρ and α included. Where variants
    /// differ in it, the first of them.
    pub protocol: Protocol,
    /// The variants that methods run in: without UCAG and with it, or as `[[variant]]` or lists in
    /// `[protocol]` and `[ucag]` say.
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

    /// Returns whether there is more than a method without UCAG and with it.
    pub fn has_variants(&self) -> bool {
        self.variants.iter().any(|variant| !variant.name.is_empty())
    }
}
