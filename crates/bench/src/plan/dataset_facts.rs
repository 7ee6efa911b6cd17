//! The facts that a report needs of a data set, and of the networks that are run on it, beyond
//! their records.

use serde::{Deserialize, Serialize};

/// A data set of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetFacts {
    /// Its name in the config and in records.
    pub name: String,
    /// Its id in the registry.
    pub kind: String,
    /// Names of its classes, by index. Averages by class are over all of them.
    pub classes: Vec<String>,
    /// Id of the data set's first sample, whether or not it was scored or is among those that a
    /// config lists; empty where there are no samples.
    pub first: String,
    /// Ids of the samples of the plan: in the config's order where it lists them, else in the data
    /// set's.
    pub samples: Vec<String>,
    /// Remarks on the data, a sentence each.
    pub remarks: Vec<String>,
    /// The networks that are run on it, in the config's order.
    #[serde(default)]
    pub models: Vec<ModelFacts>,
}

/// A network of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Its name in the config and in records.
    pub name: String,
    /// Assumptions about it, since its file doesn't prove it: a sentence each.
    pub assumptions: Vec<String>,
}

impl ModelFacts {
    /// The sentences, each with the network's name in front.
    pub fn remarks(&self) -> impl Iterator<Item = String> {
        self.assumptions.iter().map(|sentence| format!("{}: {sentence}", self.name))
    }
}

impl DatasetFacts {
    pub(crate) fn extent(&self) -> DatasetSize<'_> {
        DatasetSize { dataset: &self.name, classes: self.classes.len(), first: &self.first }
    }
}

/// The size of a data set, for averages over it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DatasetSize<'a> {
    /// Its name.
    pub(crate) dataset: &'a str,
    /// Number of its classes.
    pub(crate) classes: usize,
    /// Id of its first sample; empty where there is none.
    pub(crate) first: &'a str,
}
