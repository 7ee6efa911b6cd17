//! Other forms of a network's weights, made once and kept for all that share them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tch::Tensor;

use super::memory_format::MemoryFormat;
use super::{Conv, NodeId};
use crate::Result;

/// A form of a layer's weights other than the checkpoint's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum WeightForm {
    /// Its positive part; with its batch normalisation folded in or without.
    Positive { folded: bool },
    /// With its batch normalisation folded in.
    Folded,
    /// As that lane wants it; with its batch normalisation folded in or without.
    Fast { folded: bool, format: MemoryFormat },
}

/// A weight and a bias.
pub(crate) type Weights = (Tensor, Option<Tensor>);

impl Conv {
    /// The checkpoint's.
    pub(crate) fn own(&self) -> Weights {
        (self.weight.shallow_clone(), self.bias.as_ref().map(Tensor::shallow_clone))
    }
}

/// Weights by node and form. Each form is as many bytes as the weights, once a network is asked for
/// all of it.
#[derive(Debug, Default)]
pub(super) struct WeightCache(Mutex<BTreeMap<(NodeId, WeightForm), Weights>>);

impl WeightCache {
    /// The weights in that form; `make` runs on the first call.
    pub(super) fn of(&self, key: (NodeId, WeightForm), make: impl FnOnce() -> Result<Weights>) -> Result<Weights> {
        let handles = |(weight, bias): &Weights| (weight.shallow_clone(), bias.as_ref().map(Tensor::shallow_clone));
        if let Some(known) = self.known().get(&key) {
            return Ok(handles(known));
        }
        // Not under the lock, so that one form may be made of another. Should two workers make it
        // at once, both make the same.
        let made = make()?;
        Ok(handles(self.known().entry(key).or_insert(made)))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<(NodeId, WeightForm), Weights>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
