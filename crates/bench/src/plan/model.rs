//! The networks of a plan, loaded.

use anyhow::{Context, Result};
use ucag_core::network::{Layers, Network};

use crate::config::{Compute, Config, Form, ONNX, Target};
use crate::io::checksum::checksum;
use crate::plan::dataset::Data;
use crate::plan::dataset_facts::ModelFacts;

/// A model that is loaded.
pub struct Model {
    /// The data set that it is run on, as an index into [`Plan::data`](super::Plan::data).
    pub dataset: usize,
    /// Its name in tables.
    pub name: String,
    /// The model whose likeliest class is explained in place of its own, as an index into
    /// [`Plan::models`](super::Plan::models).
    pub classes_from: Option<usize>,
    /// The network that is explained without UCAG.
    pub plain: LoadedNetwork,
    /// The network that is explained with UCAG, and that metrics ask.
    pub unfolded: LoadedNetwork,
    /// Side of its square input, or its shorter side, in pixels.
    pub input_size: usize,
    /// SHA-256 of its checkpoint, in hex.
    pub checksum: String,
}

/// A network in the form in which it is explained, and the layers that methods are defined at.
#[derive(Debug)]
pub struct LoadedNetwork {
    /// The network.
    pub network: Network,
    /// Its layers.
    pub layers: Layers,
}

impl LoadedNetwork {
    fn shallow_clone(&self) -> Result<Self> {
        Ok(Self { network: self.network.shallow_clone()?, ..*self })
    }
}

impl Model {
    /// The same model for another worker, on the same weights.
    ///
    /// # Errors
    /// As [`Network::shallow_clone`].
    pub fn shallow_clone(&self) -> Result<Self> {
        let (plain, unfolded) = (self.plain.shallow_clone()?, self.unfolded.shallow_clone()?);
        Ok(Self { name: self.name.clone(), plain, unfolded, checksum: self.checksum.clone(), ..*self })
    }

    pub(super) fn load(model: &crate::config::Model, data: &Data, compute: &Compute) -> Result<Self> {
        let about = || format!("model '{}'", model.name);
        let network = match (model.scripted, model.input_size) {
            (Some(preprocessing), Some(side)) => {
                Network::scripted(&model.weights, side, preprocessing, model.output, compute.device)
            }
            _ if model.arch == ONNX => {
                Network::onnx(&model.weights, &model.stated).and_then(|network| network.on_device(compute.device))
            }
            _ => Network::load_as(&model.arch, &model.weights, &model.stated)
                .and_then(|network| network.on_device(compute.device)),
        };
        let network = network.and_then(|network| network.with_precision(compute.precision)).with_context(about)?;
        let classes = data.dataset.classes().len();
        if network.classes != classes {
            let remedy = data.dataset.remedy_for_classes(network.classes);
            let remedy = remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default();
            anyhow::bail!(
                "model '{}' has {} classes, data set '{}' {classes}{remedy}",
                model.name,
                network.classes,
                data.name
            );
        }
        let site = |network: Network| -> Result<LoadedNetwork> {
            let layers = network.layers(model.layer.as_deref(), model.middle.as_deref()).with_context(about)?;
            Ok(LoadedNetwork { network, layers })
        };
        let pooled = |network: &Network| network.shallow_clone().map_err(anyhow::Error::from);
        let convolutional = |network: &Network| network.convolutional().with_context(about);
        let (plain, unfolded) = match model.form {
            Form::Pooled => (pooled(&network)?, pooled(&network)?),
            Form::Convolutional => (convolutional(&network)?, convolutional(&network)?),
            Form::Mixed => (convolutional(&network)?, pooled(&network)?),
        };
        Ok(Self {
            dataset: model.dataset,
            name: model.name.clone(),
            classes_from: model.classes_from,
            plain: site(plain)?,
            unfolded: site(unfolded)?,
            input_size: model.input_size.unwrap_or(network.input_size),
            checksum: checksum(&model.weights)?,
        })
    }

    /// Views that went through the network in this process, with and without UCAG and for metrics.
    pub fn views(&self) -> u64 {
        self.unfolded.network.views()
    }

    /// The facts of it that a report needs.
    pub fn facts(&self) -> ModelFacts {
        ModelFacts { name: self.name.clone(), assumptions: self.unfolded.network.assumptions.clone() }
    }

    /// The layers' names.
    pub fn layer_names(&self) -> [&str; 3] {
        let LoadedNetwork { network, layers } = &self.plain;
        [layers.target, layers.excitation, layers.contrast].map(|id| network.graph.nodes()[id].name.as_str())
    }
}

/// Checks that a model can take its classes from the one that the config names.
pub(super) fn check_classes_from(model: &Model, models: &[Model], data: &Data, config: &Config) -> Result<()> {
    let Some(other) = model.classes_from.map(|other| &models[other]) else { return Ok(()) };
    let (name, theirs) = (&model.name, &other.name);
    if data.target(&config.protocol) == Target::Label {
        anyhow::bail!(
            "model '{name}' is to take its classes from '{theirs}', but data set '{}' names the classes; leave out 'classes_from', or set target = \"predicted\"",
            data.name
        );
    }
    let [own, other] = [model, other].map(|model| model.unfolded.network.classes);
    anyhow::ensure!(
        own == other,
        "model '{name}' has {own} classes, but '{theirs}', from which it takes them, {other}"
    );
    Ok(())
}
