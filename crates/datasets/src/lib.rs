//! Data sets as their owners lay them out on disk, and the embedded one.
//!
//! Nothing here knows of networks or explainers: a [`Dataset`] yields [`Sample`]s, one at a time,
//! and [`image::preprocess`] turns a sample's image into what a network is fed.

mod checksum;
pub mod coco14;
pub mod error;
pub mod image;
pub mod imagenet;
pub mod imagenet_seg;
pub mod index;
pub mod kind;
pub mod mini;
pub mod registry;
pub mod sample;
pub mod voc07;

pub use checksum::Checksum;
pub use error::{Error, Result};
pub use index::difficult::LabeledPair;
pub use kind::{DatasetKind, Source};
pub use registry::{DATASETS, open};
pub use sample::{Dataset, Mask, Object, Region, Sample};
