//! The pairs of image and class that a cell averages over.

use anyhow::Context;
use metrics::Subset;

use super::metric_columns::Metric;
use crate::plan::dataset_facts::DatasetSize;

/// The pairs that a cell averages over. They depend on data set and metric, not on model or method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Population<'a> {
    /// The data set's name.
    pub(crate) dataset: &'a str,
    pub(crate) metric: Metric,
    pub(crate) subset: Subset,
}

impl<'a> Population<'a> {
    pub(super) fn key(&self) -> (&'a str, &'static str, Subset) {
        (self.dataset, self.metric.0.id, self.subset)
    }

    /// The size of its data set.
    pub(super) fn extent<'e, 'x>(&self, extents: &'e [DatasetSize<'x>]) -> anyhow::Result<&'e DatasetSize<'x>> {
        let own = extents.iter().find(|extent| extent.dataset == self.dataset);
        own.with_context(|| {
            format!("nothing is known of data set '{}', whose classes an average is over", self.dataset)
        })
    }
}
