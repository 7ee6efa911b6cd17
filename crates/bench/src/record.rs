//! What a run is made of: one record for each data set, sample, class, model, method, with or without UCAG, and metric.

use serde::{Deserialize, Serialize};
use ucag_core::post::MapState;

/// One number, and what it is the number of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The data set's name in the config.
    pub dataset: String,
    /// Id of the sample.
    pub sample: String,
    /// Class that was explained and scored.
    pub class: usize,
    /// Whether sample and class are a pair of the data set's "difficult" subset.
    pub difficult: bool,
    /// The model's name in the config.
    pub model: String,
    /// The method, as the config calls it.
    pub method: String,
    /// Whether UCAG was around the method.
    pub ucag: bool,
    /// Which of the config's variants this was; empty for the usual row.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Id of the metric.
    pub metric: String,
    /// The number, in the metric's own range (a fraction, not percent); nothing where the metric has none for this map.
    pub value: Option<f64>,
    /// What the map turned out to be; degenerate ones are scored as the all-zero map, where it has a score.
    pub map: MapState,
    /// What the number was integrated from, where there is such a thing.
    pub curve: Option<Vec<f32>>,
    /// The counts that it is made of, numerators and denominators, where the metric sums those over samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<[u64; 2]>,
}

/// A sample that could not be scored for a model; the others are not affected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The data set's name in the config.
    pub dataset: String,
    /// Id of the sample.
    pub sample: String,
    /// The model's name in the config.
    pub model: String,
    /// What went wrong, naming the file where there is one.
    pub error: String,
}

/// What became of a unit of work: one sample with one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Position in the plan, which is the order of tables whatever the order of work.
    pub index: usize,
    /// Records, or why there are none.
    pub outcome: Result<Vec<Record>, Failure>,
}
