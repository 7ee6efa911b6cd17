//! Registry of metrics.

use crate::metric::Metric;
use crate::{deletion_insertion, density, energy_pointing_game, pointing_game, segmentation};

/// Every metric. To add one: a file with its entries, and their lines here.
pub static METRICS: &[&Metric] = &[
    &deletion_insertion::DELETION,
    &deletion_insertion::INSERTION,
    &deletion_insertion::DELETION_RISE,
    &deletion_insertion::INSERTION_RISE,
    &pointing_game::POINTING,
    &energy_pointing_game::ENERGY,
    &segmentation::MAP,
    &segmentation::PIXEL_ACCURACY,
    &segmentation::MEAN_IOU,
    &segmentation::MAP_MEAN,
    &segmentation::PIXEL_ACCURACY_MEAN,
    &segmentation::MEAN_IOU_MEAN,
    &segmentation::SOFT_AP,
    &density::POSITIVE,
    &density::NEGATIVE,
];

/// Returns the metric of this id.
pub fn metric(id: &str) -> Option<&'static Metric> {
    METRICS.iter().copied().find(|metric| metric.id == id)
}
