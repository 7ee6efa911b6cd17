//! Metrics of visual explanations: maps in, numbers out.
//!
//! Nothing here knows of networks: where a metric must ask one, it is given a closure from a batch of images to class
//! probabilities. What a number means (unit, direction, version) is data of the [`Metric`], read by tables and plots.

pub mod averaging;
pub mod deletion_insertion;
pub mod density;
mod endpoints;
pub mod energy_pointing_game;
pub mod metric;
pub mod pointing_game;
pub mod protocol;
pub mod segmentation;

pub use averaging::Averaging;
pub use endpoints::{Endpoint, Endpoints};
pub use metric::{
    Annotation, Column, Direction, METRICS, Mask, Metric, Object, Region, Resolution, Score, ScoreInput, Subset, metric,
};

/// Errors of scoring a map.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A map, image or parameter that the metric can't take.
    #[error("{0}")]
    Invalid(String),
    /// The closure that stands for the network failed.
    #[error("asking the network: {0}")]
    Network(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An operation on images or maps failed.
    #[error(transparent)]
    Core(#[from] ucag_core::Error),
    /// libtorch refused an operation.
    #[error(transparent)]
    Torch(#[from] tch::TchError),
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
