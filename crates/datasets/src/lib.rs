//! Data sets as their owners lay them out on disk, and the embedded one.
//!
//! Nothing here knows of networks or explainers: a [`Dataset`] yields [`Sample`]s, one at a time, and
//! [`preprocess`] turns a sample's image into what a network is fed.

mod checksum;
pub mod classes;
pub mod coco14;
pub mod decode;
mod difficult;
pub mod error;
mod fingerprint;
pub mod imagenet;
pub mod imagenet_seg;
mod jpeg;
mod mask;
pub mod mini;
mod nearest;
pub mod preprocess;
pub mod registry;
pub mod resample;
pub mod sample;
pub mod voc07;

pub use checksum::Checksum;
pub use difficult::Pair;
pub use error::{Error, Result};
pub use registry::{DATASETS, DatasetKind, Source, open};
pub use sample::{Dataset, Mask, Region, Sample};
