//! Metrics of visual explanations: maps in, numbers out.
//!
//! A network is a closure from a batch of images `[B, C, H, W]` to class probabilities `[B, N]`, so
//! any classifier will do:
//!
//! ```
//! use metrics::{DeletionOptions, Mask, deletion, energy};
//! use tch::{Device, Kind, Tensor};
//!
//! // p of class 0 is the image's mean. Deleting the lit pixel of four, and then the dark ones,
//! // makes the curve 1/4, 0, 0, 0, 0.
//! let classifier = |images: &Tensor| {
//!     let p = images.flatten(1, -1).mean_dim(1, true, Kind::Float);
//!     Ok(Tensor::cat(&[&p, &(1.0 - &p)], 1))
//! };
//! let map = Tensor::from_slice(&[0.7f32, 0.1, 0.1, 0.1]).view([2, 2]);
//! let image = Tensor::from_slice(&[1f32, 0.0, 0.0, 0.0]).view([1, 1, 2, 2]);
//! let options = DeletionOptions { step: Some(1), ..DeletionOptions::default() };
//! let score = deletion(&map, &image, 0, &classifier, &options)?;
//! assert_eq!(score.area, 0.25 / 2.0 / 4.0);
//!
//! let mask = Mask { pixels: &[true, false, false, false], width: 2 };
//! assert!((energy(&map, &mask)? - 0.7).abs() < 1e-6);
//! # Ok::<(), metrics::Error>(())
//! ```
//!
//! | metric | function |
//! |---|---|
//! | deletion and insertion | [`deletion`], [`insertion`] |
//! | pointing game | [`pointing_game_hit`] |
//! | energy pointing game | [`energy`] |
//! | segmentation | [`mean_iou`], [`pixel_accuracy`], [`segmentation`] |
//! | map density | [`map_density`] |
//!
//! A run, which scores many maps by metrics that a config names, reads [`METRICS`]: a [`Metric`]
//! scores a [`ScoreInput`], and has unit, direction and version as data.
//!
//! Every function that returns a [`Result`] returns [`Error::Torch`] where libtorch refuses its
//! tensors; `# Errors` sections list the other causes.

// So that a metric's file reads the same in this crate and in another.
extern crate self as metrics;

pub mod averaging;
pub mod blur;
pub mod deletion_insertion;
pub mod density;
mod endpoints;
pub mod energy_pointing_game;
pub mod error;
pub mod input;
pub mod metric;
pub mod pointing_game;
pub mod protocol;
pub mod registry;
pub mod segmentation;

pub use averaging::Averaging;
pub use deletion_insertion::{DeletionOptions, InsertionOptions, deletion, insertion};
pub use density::map_density;
pub use endpoints::{Endpoint, Endpoints};
pub use energy_pointing_game::energy;
pub use error::{BoxError, Error, Result};
pub use input::{Classifier, Mask, Object, Region, Validity};
pub use metric::{Annotation, Column, Direction, Entry, Metric, Resolution, Score, ScoreInput, Subset};
pub use pointing_game::pointing_game_hit;
pub use registry::{METRICS, metric};
pub use segmentation::{mean_iou, pixel_accuracy};
