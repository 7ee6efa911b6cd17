//! Scan of the files of the samples that a run has chosen, before it starts.

use rayon::prelude::*;

use crate::Dataset;
use crate::image::exif;

/// Counts those of `places` of which `found` says something, and keeps what it says of the first.
pub(crate) fn count<T: Send>(
    places: &[usize],
    found: impl Fn(usize) -> Option<T> + Sync,
) -> Option<(usize, (usize, T))> {
    let hits: Vec<(usize, T)> = places.par_iter().filter_map(|&place| Some((place, found(place)?))).collect();
    let count = hits.len();
    Some((count, hits.into_iter().next()?))
}

/// Says how many photos have an EXIF orientation other than 1, and what that means for what lies on
/// them.
pub(crate) fn turned(dataset: &dyn Dataset, places: &[usize], what: &str) -> Option<String> {
    let orientation = |place: usize| exif::orientation(&dataset.file(place)?).filter(|&orientation| orientation != 1);
    let (count, (first, orientation)) = count(places, orientation)?;
    let have = if count == 1 { "has" } else { "have" };
    Some(format!(
        "{count} of {} photos {have} an EXIF orientation other than 1 (the first: {}, of {orientation}); photos are read unrotated, and {what} are taken for \
         their pixels as they are stored, as torchvision and pycocotools take them",
        places.len(),
        dataset.id(first)
    ))
}
