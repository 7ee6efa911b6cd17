//! The `Family` type: an architecture family, and what it builds of a checkpoint.

use super::Graph;
use super::stated::Properties;
use crate::Result;

/// An architecture family, as the registry, the configs' validation and the documentation know it.
#[derive(Debug)]
pub struct Family {
    /// The id in configs.
    pub id: &'static str,
    /// Its members, in one line.
    pub summary: &'static str,
    /// Side of the square input that the published protocol feeds it, in pixels.
    pub input_size: usize,
    /// The layer that CAM methods explain where a config names none.
    pub layer: &'static str,
    /// The convolution that reads the image.
    pub(super) stem: &'static str,
    pub(super) build: fn(&mut Properties<'_>) -> Result<Built>,
}

/// A network as a family builds it from a checkpoint.
pub(super) struct Built {
    pub(super) graph: Graph,
    pub(super) architecture: String,
    /// The layer that CAM methods explain.
    pub(super) layer: String,
    /// The layer at which excitation backprop stops: the last one at a sixteenth of the input's
    /// resolution.
    pub(super) excitation: String,
    pub(super) classes: i64,
}
