//! The parsers there are.

mod coco;
mod compared;
mod config;
mod imagenet;
mod images;
mod matlab;
mod onnx;
mod runs;
mod stage;
mod tensors;
mod voc;

use crate::Target;

/// Every parser of outside data.
pub static TARGETS: &[&Target] = &[
    &images::IMAGE,
    &images::MASK,
    &images::EXIF,
    &voc::ANNOTATION,
    &voc::PHOTOS,
    &voc::DIFFICULT,
    &voc::CLASSES,
    &coco::ANNOTATIONS,
    &coco::RUNS,
    &matlab::MATLAB,
    &imagenet::SYNSETS,
    &imagenet::KAGGLE,
    &imagenet::GROUND_TRUTH,
    &imagenet::IDS,
    &tensors::CHECKPOINT,
    &onnx::ONNX,
    &tensors::NPY,
    &config::CONFIG,
    &config::SET,
    &runs::JOURNAL,
    &compared::COMPARED,
    &runs::PUBLISHED,
    &runs::MAPS,
    &runs::PLATE,
];

/// The parser of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
