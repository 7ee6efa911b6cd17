//! The seed of a sample.

use ucag_core::seed::{FNV_OFFSET, fnv1a};

/// A seed that belongs to a sample, whatever the order of work: FNV-1a over run seed and id.
pub(super) fn seed(run: u64, sample: &str) -> u64 {
    let bytes = run.to_le_bytes().into_iter().chain(sample.bytes());
    fnv1a(FNV_OFFSET, bytes)
}
