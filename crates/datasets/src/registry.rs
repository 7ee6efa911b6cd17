//! The data sets there are. A new one is a file of its own and a line in [`DATASETS`].

use std::path::Path;

use crate::{Dataset, Error, Result, imagenet, mini};

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
    pub obtain: &'static str,
    /// Opens the data set at a root: builds the index, decodes nothing.
    pub open: fn(&Path) -> Result<Box<dyn Dataset>>,
}

/// Every kind of data set.
pub static DATASETS: &[DatasetKind] = &[imagenet::KIND, mini::imagefolder::KIND];

/// Opens the data set of kind `kind` whose files lie below `root`.
///
/// # Errors
/// Where no kind has this name, and whatever is wrong with the files; the message says what to do.
pub fn open(kind: &str, root: &Path) -> Result<Box<dyn Dataset>> {
    let Some(found) = DATASETS.iter().find(|known| known.id == kind) else {
        let known = DATASETS.iter().map(|known| known.id).collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownKind { kind: kind.into(), known });
    };
    (found.open)(root)
}
