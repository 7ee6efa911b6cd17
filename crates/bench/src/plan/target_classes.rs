//! Classes that a sample's annotations name for explaining, known before its image is read.

use crate::config::Target;

use crate::config::Config;
use crate::plan::dataset::Data;

/// The classes to explain of a sample whose image wasn't read; `None` where the network chooses.
pub(crate) fn known(data: &Data, place: usize, config: &Config) -> Option<Vec<usize>> {
    if data.target(&config.protocol) == Target::Predicted {
        return None;
    }
    let localised = data.dataset.is_localised();
    // Whether a pair counts depends on no pixel of where it is.
    let nowhere = |all_difficult| metrics::Region { mask: metrics::Mask { pixels: &[], width: 0 }, all_difficult };
    let pairs = data.dataset.pairs(place)?.into_iter();
    let counted = pairs.filter(|pair| counts(config, localised.then(|| nowhere(pair.all_difficult))));
    Some(counted.map(|pair| pair.class).collect())
}

/// Returns whether some metric scores this pair of image and class.
pub(crate) fn counts(config: &Config, region: Option<metrics::Region<'_>>) -> bool {
    // Without a metric, all of an image's classes are for a figure.
    config.metrics.is_empty()
        || config
            .metrics
            .iter()
            .any(|chosen| (chosen.metric.is_scored)(region.as_ref(), config.protocol.scoring.empty_pairs))
}
