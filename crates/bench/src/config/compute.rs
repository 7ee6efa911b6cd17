//! `[compute]`

use std::num::NonZeroUsize;

use super::device;
use super::keys::compute as keys;
use super::section::{Section, count};
use super::values::Choice;

/// `[compute]`: what changes no result beyond rounding, which `precision` makes coarse.
#[derive(Debug, Clone)]
pub struct Compute {
    /// `cpu` or `cuda:N`.
    pub device: tch::Device,
    /// The arithmetic of layers that nothing is asked of but the network's answer.
    pub precision: ucag_core::network::Precision,
    /// Worker threads, each with one libtorch thread; as many as cores where absent.
    pub workers: usize,
    /// Most views in one pass.
    pub views_per_batch: usize,
    /// Most images in one call of the network by a metric.
    pub images_per_batch: usize,
}

/// Reads the section.
pub(super) fn compute(mut section: Section<'_>) -> Compute {
    let name = section.get(&keys::DEVICE);
    let device = name.and_then(|name| section.check(&keys::DEVICE, device::here(&name)));
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let compute = Compute {
        device: device.unwrap_or(tch::Device::Cpu),
        precision: section.get(&keys::PRECISION).map_or_else(Default::default, |Choice(precision)| precision),
        workers: count(&mut section, &keys::WORKERS).unwrap_or_else(cores),
        views_per_batch: count(&mut section, &keys::VIEWS_PER_BATCH).unwrap_or(6),
        images_per_batch: count(&mut section, &keys::IMAGES_PER_BATCH).unwrap_or(8),
    };
    section.finish();
    compute
}
