//! An explainer whose errors say which method it is: methods share passes, so that else nobody could tell.

use tch::Tensor;
use ucag_core::explain::{Explainer, Extra};
use ucag_core::network::{Layers, Network};
use ucag_core::pass::{Needs, Pass};
use ucag_core::{Error, Result};

use crate::config;

/// A method of the config.
#[derive(Debug)]
pub(crate) struct Named<'a>(pub(crate) &'a config::Method);

impl Named<'_> {
    fn error(&self, error: Error) -> Error {
        Error::Invalid(format!("{error} (method '{}')", self.0.id))
    }
}

impl Explainer for Named<'_> {
    fn needs(&self, network: &Network, layers: &Layers) -> Result<Needs> {
        self.0.explainer.needs(network, layers).map_err(|error| self.error(error))
    }

    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
        self.0.explainer.explain(pass, layers).map_err(|error| self.error(error))
    }

    fn extra(&self, network: &Network, layers: &Layers) -> Extra {
        self.0.explainer.extra(network, layers)
    }
}
