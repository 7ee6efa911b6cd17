//! The data sets there are. A new one is a file of its own and a line in [`DATASETS`].

use std::path::Path;

use crate::image::object::Rule;
use crate::{Dataset, Error, Result, coco14, imagenet, imagenet_seg, mini, voc07};

/// A kind of data set and how to open one.
#[derive(Debug)]
pub struct DatasetKind {
    /// Name in configurations.
    pub id: &'static str,
    /// One line on what it is.
    pub summary: &'static str,
    /// How its files lie below the root.
    pub layout: &'static str,
    /// Where its files come from.
    pub how_to_get: &'static str,
    /// Opens the data set: builds the index, decodes nothing.
    pub open: fn(&Source<'_>) -> Result<Box<dyn Dataset>>,
}

/// Where a data set's files are.
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
    /// Whether embedded data may be made in `root`. Otherwise it is made in the user's folder of
    /// caches, where `root` doesn't hold it.
    pub may_write: bool,
}

impl<'a> Source<'a> {
    /// A folder, and nothing besides.
    pub fn at(root: &'a Path) -> Self {
        Self { root, difficult: None, void: None, threshold: None, may_write: true }
    }

    /// For data sets without a difficult subset: an error where one is named.
    pub(crate) fn refuse_difficult(&self, name: &str) -> Result<()> {
        let problem = || format!("is named as the list of difficult pairs, but {name} has no such subset");
        self.difficult.map_or(Ok(()), |path| Err(Error::layout(path, problem())))
    }

    /// For data sets without masks of objects: an error where it is said how to read them.
    pub(crate) fn refuse_mask_values(&self, name: &str) -> Result<()> {
        let set = [("void", self.void), ("threshold", self.threshold)].into_iter().find(|(_, value)| value.is_some());
        let problem = |key: &str| format!("`{key}` is about values of masks of objects, and {name} has no such masks");
        set.map_or(Ok(()), |(key, _)| Err(Error::layout(self.root, problem(key))))
    }

    /// What values of masks mean.
    pub(crate) fn rule(&self) -> Rule {
        Rule { void: self.void, threshold: self.threshold }
    }
}

/// Every kind of data set.
pub static DATASETS: &[DatasetKind] = &[
    imagenet::KIND,
    voc07::KIND,
    coco14::KIND,
    imagenet_seg::KIND,
    mini::imagenet::KIND,
    mini::voc07::KIND,
    mini::coco14::KIND,
    mini::imagenet_seg::KIND,
];

/// Opens the data set of kind `kind`.
///
/// # Errors
/// Where no kind has this name, and whatever is wrong with the files; the message says what to do.
pub fn open(kind: &str, source: &Source<'_>) -> Result<Box<dyn Dataset>> {
    let Some(found) = DATASETS.iter().find(|known| known.id == kind) else {
        let known = DATASETS.iter().map(|known| known.id).collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownKind { kind: kind.into(), known });
    };
    (found.open)(source)
}
