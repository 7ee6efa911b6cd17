//! Classes of a sample that are explained.

use crate::config::Target;
use anyhow::Result;
use tch::Tensor;
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};

use crate::config::Config;
use crate::plan::Model;
use crate::plan::target_classes::counts;
use crate::run::input::input;
use crate::run::sample::{SampleContext, region};

/// The classes to explain: those that some metric counts, or the network's own choice.
pub(crate) fn classes(of: &SampleContext<'_>, config: &Config, models: &[Model]) -> Result<Vec<usize>> {
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

/// The class of the largest logit.
fn likeliest(network: &Network, image: &Tensor) -> Result<usize> {
    let pass = Pass::new(network, image.shallow_clone(), 0, Needs::default())?;
    Ok(pass.logits()?.f_argmax(1, false)?.f_int64_value(&[0])? as usize)
}
