//! Timings of a run's stages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tch::Device;

/// Seconds spent, all workers together.
#[derive(Debug, Default)]
pub struct Timings {
    nanos: [AtomicU64; 4],
    device: Option<Device>,
}

/// A stage of the work.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// Reading, decoding and resizing images.
    Decode,
    /// Maps: passes, methods, UCAG, post-processing.
    Explain,
    /// Metrics.
    Score,
    /// Gallery sheets.
    Gallery,
}

impl Timings {
    /// Those of a run on `device`.
    pub fn on(device: Device) -> Self {
        Self { device: Some(device), ..Self::default() }
    }

    /// Does `work`, and counts its time towards `stage`.
    pub fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.device.iter().copied().for_each(synchronize);
        self.nanos[stage as usize].fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        result
    }

    /// Seconds by stage.
    pub fn seconds(&self) -> BTreeMap<&'static str, f64> {
        let names = ["decode", "explain", "score", "gallery"];
        let seconds = self.nanos.iter().map(|nanos| nanos.load(Ordering::Relaxed) as f64 / 1e9);
        names.into_iter().zip(seconds).collect()
    }
}

/// Waits until the device has done what it was told: a GPU's work is only queued, and would be
/// counted to whoever waits for it.
pub(crate) fn synchronize(device: Device) {
    if let Device::Cuda(index) = device {
        tch::Cuda::synchronize(index as i64);
    }
}
