//! Units of work: one for each sample and model.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Position of a sample in its data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleIndex(pub usize);

/// Position of a model in its config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelIndex(pub usize);

/// Number of a unit: `sample × models + model`. It is the same whatever the number of samples, so
/// that a run can be extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnitId(pub usize);

impl UnitId {
    /// The unit of a sample with one of `models` models.
    pub fn new(sample: SampleIndex, model: ModelIndex, models: usize) -> Self {
        Self(sample.0 * models + model.0)
    }

    /// Its sample and which of `models` models it is with.
    pub fn parts(self, models: usize) -> (SampleIndex, ModelIndex) {
        (SampleIndex(self.0 / models), ModelIndex(self.0 % models))
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The units of models that are on these data sets each, ascending; `samples` lists those of a
/// data set.
pub(crate) fn units(models: &[usize], samples: impl Fn(usize) -> Vec<usize>) -> Vec<UnitId> {
    let of_model = |(model, &dataset): (usize, &usize)| {
        let unit = move |sample| UnitId::new(SampleIndex(sample), ModelIndex(model), models.len());
        samples(dataset).into_iter().map(unit)
    };
    let mut units: Vec<UnitId> = models.iter().enumerate().flat_map(of_model).collect();
    units.sort_unstable();
    units
}
