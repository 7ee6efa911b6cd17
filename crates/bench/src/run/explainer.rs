//! An explainer that adds the name of its method to errors, since methods share passes.

use anyhow::Context;
use tch::Tensor;
use ucag_core::explain::{Explainer, ExtraPasses};
use ucag_core::network::{Layers, Network};
use ucag_core::pass::{Needs, Pass};
use ucag_core::{Error, Result};

use crate::config;

/// A method of the config that is computed here.
#[derive(Debug)]
pub(crate) struct NamedExplainer<'a> {
    id: &'a str,
    explainer: &'a dyn Explainer,
}

impl<'a> NamedExplainer<'a> {
    /// # Errors
    /// Where the method's maps are precomputed.
    pub(crate) fn new(method: &'a config::Method) -> anyhow::Result<Self> {
        let computed = method.computed().with_context(|| format!("'{}' has no explainer", method.id))?;
        Ok(Self { id: &method.id, explainer: &*computed.explainer })
    }

    fn error(&self, cause: Error) -> Error {
        Error::Method { id: self.id.to_owned(), cause: Box::new(cause) }
    }
}

impl Explainer for NamedExplainer<'_> {
    fn needs(&self, network: &Network, layers: &Layers) -> Result<Needs> {
        self.explainer.needs(network, layers).map_err(|error| self.error(error))
    }

    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
        self.explainer.explain(pass, layers).map_err(|error| self.error(error))
    }

    fn extra_passes(&self, network: &Network, layers: &Layers) -> ExtraPasses {
        self.explainer.extra_passes(network, layers)
    }
}
