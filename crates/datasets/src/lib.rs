//! Data sets as their owners lay them out on disk, and the embedded one.
//!
//! Nothing here knows of networks or explainers: a [`Dataset`] yields [`Sample`]s, one at a time, and
//! [`preprocess`] turns a sample's image into what a network is fed.

mod checksum;
pub mod classes;
mod clutter;
pub mod coco14;
pub mod decode;
mod difficult;
pub mod error;
mod exif;
mod fingerprint;
pub mod imagenet;
pub mod imagenet_seg;
mod jpeg;
mod mask;
pub mod mini;
mod nearest;
mod object;
pub mod preprocess;
pub mod registry;
pub mod resample;
pub mod sample;
mod scan;
pub mod text;
pub mod voc07;

pub use checksum::Checksum;
pub use difficult::Pair;
pub use error::{Error, Result};
pub use registry::{DATASETS, DatasetKind, Source, open};
pub use sample::{Dataset, Mask, Object, Region, Sample};
