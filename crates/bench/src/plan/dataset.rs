//! The data sets of a plan.

use crate::config::{Protocol, Target};
use anyhow::Result;
use datasets::{Dataset, Source};
use metrics::Annotation;
use ucag_core::suggest::{hint, nearest};

use crate::config::{self, Resize};
use crate::plan::dataset_facts::DatasetFacts;
use crate::plan::shard::Shard;

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
    /// Their places, in the config's order, where it lists them or they are a shard's; else the
    /// first ones.
    chosen: Option<Vec<usize>>,
    /// Resizing of images to a network's input.
    pub resize: Resize,
    /// Remarks for readers of the results, on the data and on the samples that the config
    /// chooses: a sentence each.
    pub remarks: Vec<String>,
    /// True if its folder was made when it was opened.
    pub made: bool,
}

impl Data {
    /// Opens a data set. Embedded data is made in its folder only where that `may_write`.
    ///
    /// # Errors
    /// As the data set.
    pub fn open(config: &config::Dataset, may_write: bool) -> datasets::Result<Self> {
        let config::Dataset { void, threshold, .. } = *config;
        let source = Source { root: &config.root, difficult: config.difficult.as_deref(), void, threshold, may_write };
        let absent = !config.root.exists();
        // Only embedded data appear where nothing is.
        if absent && may_write && config.kind.starts_with("mini-") {
            crate::tell(&format!("{}: drawing its scenes into {}", config.name, config.root.display()));
        }
        let dataset = datasets::open(&config.kind, &source)?;
        let samples = config.limit.map_or(dataset.len(), |limit| limit.min(dataset.len()));
        let usual = if dataset.is_localised() { Resize::ShorterSide } else { Resize::Squash };
        let resize = config.resize.unwrap_or(usual);
        Ok(Self {
            name: config.name.clone(),
            kind: config.kind.clone(),
            dataset,
            samples,
            chosen: None,
            resize,
            remarks: Vec::new(),
            made: absent && config.root.exists(),
        })
    }

    /// Keeps the samples that the config lists, or the first of these as it limits them, and looks
    /// for what is to be said of them.
    ///
    /// # Errors
    /// Where a listed one isn't there.
    pub(crate) fn choose(&mut self, config: &config::Dataset) -> Result<()> {
        self.list(config)?;
        self.remarks = mask_values(config).into_iter().chain(self.dataset.remarks()).collect();
        self.remarks.extend(self.dataset.look_through(&self.places()));
        Ok(())
    }

    fn list(&mut self, config: &config::Dataset) -> Result<()> {
        let Some(listed) = &config.samples else { return Ok(()) };
        let mut places = listed.iter().map(|id| self.place(id)).collect::<Result<Vec<_>>>()?;
        if let Some(later) = (1..places.len()).find(|&later| places[..later].contains(&places[later])) {
            anyhow::bail!("'{}' is the same sample as one above it", listed[later]);
        }
        places.truncate(config.limit.unwrap_or(places.len()));
        (self.samples, self.chosen) = (places.len(), Some(places));
        Ok(())
    }

    /// The place of a sample by its id, or by what is behind the id's last slash: an image's name,
    /// whatever folder it is in.
    fn place(&self, id: &str) -> Result<usize> {
        let ids = || (0..self.dataset.len()).map(|place| self.dataset.id(place));
        if let Some(place) = ids().position(|known| known == id) {
            return Ok(place);
        }
        let last = |known: &'_ str| known.rsplit('/').next() == Some(id);
        match ids().enumerate().filter(|(_, known)| last(known)).collect::<Vec<_>>()[..] {
            [(place, _)] => Ok(place),
            [(_, one), (_, other), ..] => {
                anyhow::bail!("data set '{}' has several samples '{id}', {one} and {other} among them", self.name)
            }
            [] => {
                let whole = nearest(id, ids());
                let meant = whole.or_else(|| nearest(id, ids().filter_map(|known| known.rsplit('/').next())));
                anyhow::bail!("data set '{}' has no sample '{id}'{}", self.name, hint(meant.as_deref()))
            }
        }
    }

    /// Places of the samples to run: in the config's order where it lists them, else in the data
    /// set's.
    pub fn places(&self) -> Vec<usize> {
        self.chosen.clone().unwrap_or_else(|| (0..self.samples).collect())
    }

    /// Keeps those of its samples that belong to a shard; it is the plan's data set of this number.
    pub(crate) fn keep(&mut self, shard: Shard, number: usize) {
        let own = shard.part(number, &self.places());
        (self.samples, self.chosen) = (own.len(), Some(own));
    }

    /// The facts of it that a report needs; [`Plan::facts`](crate::plan::Plan::facts) adds its
    /// models.
    pub fn facts(&self) -> DatasetFacts {
        let id = |place: usize| self.dataset.id(place).to_owned();
        DatasetFacts {
            name: self.name.clone(),
            kind: self.kind.clone(),
            classes: self.dataset.classes().to_vec(),
            first: if self.samples > 0 { id(0) } else { String::new() },
            samples: self.places().into_iter().map(id).collect(),
            remarks: self.remarks.clone(),
            models: Vec::new(),
        }
    }

    /// The class that is explained: the network's own where the data set names none.
    pub fn target(&self, protocol: &Protocol) -> Target {
        if self.dataset.is_segmented() { Target::Predicted } else { protocol.target }
    }

    /// Returns whether a metric can be had of it.
    ///
    /// # Errors
    /// Where the metric must be told what the data set doesn't say.
    pub fn allows(&self, metric: &metrics::Metric) -> Result<()> {
        let says = match metric.annotation {
            Annotation::Nothing => true,
            Annotation::Region => self.dataset.is_localised(),
            Annotation::Object => self.dataset.is_segmented(),
        };
        anyhow::ensure!(
            says,
            "metric '{}' needs to know {}, which data set '{}' ({}) doesn't say",
            metric.id,
            metric.annotation.words(),
            self.name,
            self.kind
        );
        Ok(())
    }
}

/// The config's mask values, in a sentence.
fn mask_values(config: &config::Dataset) -> Option<String> {
    let void = config.void.map(|value| format!("pixels of value {value} are void and count nowhere"));
    let object = config.threshold.map(|value| format!("what is at least {value} is object"));
    let parts: Vec<String> = [void, object].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("in masks, {}", parts.join(", and ")))
}
