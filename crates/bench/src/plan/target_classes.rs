//! Which classes of a sample are explained.

use anyhow::Result;
use tch::Tensor;
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};
use ucag_core::protocol::Target;

use crate::config::Config;
use crate::plan::dataset::Data;
use crate::run::input::input;
use crate::plan::Model;
use crate::run::sample::{Subject, region};

/// The classes to explain: those that some metric counts, or the network's own choice.
pub(crate) fn classes(of: &Subject<'_>, config: &Config, models: &[Model]) -> Result<Vec<usize>> {
    Ok(match of.data.target(&config.protocol) {
        Target::Label => {
            let counts = |&&class: &&usize| counts(config, of.region(class).map(region));
            of.sample.labels.iter().filter(counts).copied().collect()
        }
        Target::Predicted => vec![match of.model.classes_from {
            None => likeliest(&of.model.unfolded.network, &of.input.image)?,
            Some(other) => {
                let Model { unfolded, input_size, .. } = &models[other];
                let seen = input(&of.sample.image, &unfolded.network, *input_size, of.data.resize)?;
                likeliest(&unfolded.network, &seen.image)?
            }
        }],
    })
}

/// The same of a sample whose image wasn't read; `None` where the network chooses.
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

fn counts(config: &Config, region: Option<metrics::Region<'_>>) -> bool {
    // Without a metric, all of an image's classes are for a figure.
    config.metrics.is_empty()
        || config.metrics.iter().any(|chosen| (chosen.metric.counts)(region.as_ref(), config.protocol.tally))
}

/// The class of the largest logit.
fn likeliest(network: &Network, image: &Tensor) -> Result<usize> {
    let pass = Pass::new(network, image.shallow_clone(), 0, Needs::default())?;
    Ok(pass.logits()?.f_argmax(1, false)?.f_int64_value(&[0])? as usize)
}
