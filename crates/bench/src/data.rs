//! The data sets of a plan.

use anyhow::Result;
use datasets::{Dataset, Source};
use metrics::Wants;
use ucag_core::protocol::{Protocol, Target};

use crate::config::{self, Resize};
use crate::report::DatasetFacts;

/// A data set that is opened.
pub struct Data {
    /// Its name in tables.
    pub name: String,
    /// Its id in the registry.
    pub kind: String,
    /// The data set.
    pub dataset: Box<dyn Dataset>,
    /// Number of samples to run.
    pub samples: usize,
    /// How photos are brought to a network's size.
    pub resize: Resize,
}

impl Data {
    /// Opens a data set.
    ///
    /// # Errors
    /// As the data set.
    pub fn open(config: &config::Dataset) -> datasets::Result<Self> {
        let source = Source { root: &config.root, difficult: config.difficult.as_deref() };
        let dataset = datasets::open(&config.kind, &source)?;
        let samples = config.limit.map_or(dataset.len(), |limit| limit.min(dataset.len()));
        let usual = if dataset.is_localised() { Resize::ShorterSide } else { Resize::Squash };
        let resize = config.resize.unwrap_or(usual);
        Ok(Self { name: config.name.clone(), kind: config.kind.clone(), dataset, samples, resize })
    }

    /// What a report must know of it.
    pub fn facts(&self) -> DatasetFacts {
        DatasetFacts {
            name: self.name.clone(),
            kind: self.kind.clone(),
            classes: self.dataset.classes().to_vec(),
            first: if self.samples > 0 { self.dataset.id(0).to_owned() } else { String::new() },
            remarks: self.dataset.remarks(),
        }
    }

    /// Which class is explained: the network's own where the data set names none.
    pub fn target(&self, protocol: &Protocol) -> Target {
        if self.dataset.is_segmented() { Target::Predicted } else { protocol.target }
    }

    /// Whether a metric can be had of it.
    ///
    /// # Errors
    /// Where the metric must be told what the data set doesn't say.
    pub fn allows(&self, metric: &metrics::Metric) -> Result<()> {
        let says = match metric.wants {
            Wants::Nothing => true,
            Wants::Region => self.dataset.is_localised(),
            Wants::Object => self.dataset.is_segmented(),
        };
        anyhow::ensure!(
            says,
            "metric '{}' needs to know {}, which data set '{}' ({}) doesn't say",
            metric.id,
            metric.wants.words(),
            self.name,
            self.kind
        );
        Ok(())
    }
}
