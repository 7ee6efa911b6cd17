//! Positive parts of weights, which rules ask for on every way back.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tch::Tensor;

use super::NodeId;
use crate::Result;

/// Positive parts by node, and whether its batch normalisation is folded in. As many bytes as the weights, once a network is asked for all.
#[derive(Debug, Default)]
pub(super) struct Positive(Mutex<BTreeMap<(NodeId, bool), Tensor>>);

impl Positive {
    /// The positive part of `weight`, made on the first call.
    pub(super) fn of(&self, key: (NodeId, bool), weight: &Tensor) -> Result<Tensor> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(positive) = known.get(&key) {
            return Ok(positive.shallow_clone());
        }
        let positive = weight.f_clamp_min(0.0)?;
        known.insert(key, positive.shallow_clone());
        Ok(positive)
    }
}
