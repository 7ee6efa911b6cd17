//! What a metric is given, what it gives, and what the registry knows of it.

use tch::Tensor;
use ucag_core::protocol::Ties;
use ucag_core::suggest::nearest;

use crate::{Result, deletion_insertion};

/// From a batch of normalised images `[B, 3, H, W]` to class probabilities `[B, N]`.
pub type Probabilities<'a> = dyn Fn(&Tensor) -> Result<Tensor, Box<dyn std::error::Error + Send + Sync>> + 'a;

/// One map to be scored, with all that any metric may ask for.
pub struct Case<'a> {
    /// The map, `[H, W]`, finite.
    pub map: &'a Tensor,
    /// The normalised image, `[1, 3, H, W]`.
    pub image: &'a Tensor,
    /// The class that the map explains.
    pub class: usize,
    /// The network.
    pub probabilities: &'a Probabilities<'a>,
    /// What deletion puts in a pixel's place, `[1, 3, 1, 1]`, normalised.
    pub deleted: &'a Tensor,
    /// Order of pixels of equal saliency.
    pub ties: Ties,
    /// Pixels moved per step; `None` for the published eight rows.
    pub step: Option<usize>,
    /// Images in one call of the network.
    pub batch: usize,
}

/// What a metric makes of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The number, in the metric's own range (not in percent).
    pub value: f64,
    /// What it was integrated from, where there is such a thing: values at equal steps from 0 to 1.
    pub curve: Option<Vec<f32>>,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A smaller number is a better explanation.
    Lower,
    /// A larger number is a better explanation.
    Higher,
}

impl Direction {
    /// An arrow for table heads.
    pub fn arrow(self) -> &'static str {
        match self {
            Direction::Lower => "↓",
            Direction::Higher => "↑",
        }
    }

    /// The direction in words.
    pub fn words(self) -> &'static str {
        match self {
            Direction::Lower => "lower is better",
            Direction::Higher => "higher is better",
        }
    }
}

/// A metric and what the registry knows of it.
pub struct Metric {
    /// The id in configs and records.
    pub id: &'static str,
    /// The name in tables.
    pub name: &'static str,
    /// One line on what is measured.
    pub summary: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// Raised whenever a change here changes numbers.
    pub version: u32,
    /// Which way is better.
    pub direction: Direction,
    /// What tables multiply values by.
    pub scale: f64,
    /// Unit of the scaled value.
    pub unit: &'static str,
    /// The `metric` column of the published tables that this reproduces.
    pub published: &'static str,
    /// What the curve's axes are, horizontal and vertical, where there is one.
    pub axes: Option<[&'static str; 2]>,
    /// Scores a map.
    pub score: fn(&Case<'_>) -> Result<Score>,
    /// How many images it asks the network for, for an image of H × W pixels and a step.
    pub forwards: fn(usize, usize, Option<usize>) -> usize,
}

/// Every metric. To add one: a file with its entries, and their lines here.
pub static METRICS: &[&Metric] = &[
    &deletion_insertion::DELETION,
    &deletion_insertion::INSERTION,
    &deletion_insertion::DELETION_RISE,
    &deletion_insertion::INSERTION_RISE,
];

/// The metric of this id.
///
/// # Errors
/// [`ucag_core::Error::Unknown`] with the nearest id.
pub fn metric(id: &str) -> ucag_core::Result<&'static Metric> {
    METRICS.iter().copied().find(|metric| metric.id == id).ok_or_else(|| ucag_core::Error::Unknown {
        what: "metric",
        name: id.to_owned(),
        suggestion: nearest(id, METRICS.iter().map(|metric| metric.id)),
    })
}
