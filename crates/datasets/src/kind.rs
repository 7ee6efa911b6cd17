//! The type of a data set's entry in the registry, and the places of its files.

use std::path::Path;

use crate::image::object::Rule;
use crate::{Dataset, Error, Result};

/// A kind of data set, and the function that opens one.
#[derive(Debug)]
pub struct DatasetKind {
    /// Name in configurations.
    pub id: &'static str,
    /// One line that describes it.
    pub summary: &'static str,
    /// Layout of its files below the root.
    pub layout: &'static str,
    /// Source of its files.
    pub how_to_get: &'static str,
    /// Opens the data set: builds the index, decodes nothing.
    pub open: fn(&Source<'_>) -> Result<Box<dyn Dataset>>,
}

/// Places of a data set's files, and the meaning of its masks.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The folder that its layout lies below.
    pub root: &'a Path,
    /// The published list of the "difficult" subset's pairs, for data sets that have such a subset.
    pub difficult: Option<&'a Path>,
    /// The value in masks of objects of pixels that count neither as object nor as background, from
    /// 1.
    pub void: Option<u16>,
    /// The least value in masks of objects that is object, from 1; without it masks are of two
    /// values.
    pub threshold: Option<u16>,
    /// True if embedded data may be made in `root`. Otherwise it is made in the user's folder of
    /// caches, where `root` doesn't hold it.
    pub may_write: bool,
}

impl<'a> Source<'a> {
    /// A folder, and nothing besides.
    pub fn at(root: &'a Path) -> Self {
        Self { root, difficult: None, void: None, threshold: None, may_write: true }
    }

    /// Returns an error where a difficult subset is named, for data sets without one.
    pub(crate) fn refuse_difficult(&self, name: &str) -> Result<()> {
        let problem = || format!("is named as the list of difficult pairs, but {name} has no such subset");
        self.difficult.map_or(Ok(()), |path| Err(Error::layout(path, problem())))
    }

    /// Returns an error where values of masks are given, for data sets without masks of objects.
    pub(crate) fn refuse_mask_values(&self, name: &str) -> Result<()> {
        let set = [("void", self.void), ("threshold", self.threshold)].into_iter().find(|(_, value)| value.is_some());
        let problem = |key: &str| format!("`{key}` is about values of masks of objects, and {name} has no such masks");
        set.map_or(Ok(()), |(key, _)| Err(Error::layout(self.root, problem(key))))
    }

    /// Returns the meaning of the values of masks.
    pub(crate) fn rule(&self) -> Rule {
        Rule { void: self.void, threshold: self.threshold }
    }
}
