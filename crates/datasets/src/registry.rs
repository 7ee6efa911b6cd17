//! Registry of data sets. A new one is a file of its own and a line in [`DATASETS`].

use crate::kind::{DatasetKind, Source};
use crate::{Dataset, Error, Result, coco14, imagenet, imagenet_seg, mini, voc07};

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
/// Where no kind has this name, or something is wrong with the files; the message says what to do.
pub fn open(kind: &str, source: &Source<'_>) -> Result<Box<dyn Dataset>> {
    let Some(found) = DATASETS.iter().find(|known| known.id == kind) else {
        let known = DATASETS.iter().map(|known| known.id).collect::<Vec<_>>().join(", ");
        return Err(Error::UnknownKind { kind: kind.into(), known });
    };
    (found.open)(source)
}
