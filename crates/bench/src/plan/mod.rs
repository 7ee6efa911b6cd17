//! A plan: a config whose data sets and weights were found.

pub mod dataset;
pub(crate) mod dataset_facts;
pub mod manifest;
pub mod precomputed;
pub mod shard;
pub(crate) mod target_classes;

use std::fmt::Write as _;
use std::path::Path;

use crate::config::Target;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use ucag_core::network::{Layers, Network};

use crate::config::{Compute, Config, Form, Overrides};
use crate::config::{device_kind, normalisation, with_output};
use crate::io::checksum::checksum;
use crate::plan::dataset::Data;
use crate::plan::dataset_facts::{DatasetFacts, ModelFacts};
use crate::plan::manifest::Manifest;
use crate::plan::precomputed::MapInventory;
use crate::plan::shard::Shard;

/// A model that is loaded.
pub struct Model {
    /// The data set that it is run on, as an index into [`Plan::data`].
    pub dataset: usize,
    /// Its name in tables.
    pub name: String,
    /// The model whose likeliest class is explained in place of its own, as an index into [`Plan::models`].
    pub classes_from: Option<usize>,
    /// What is explained without UCAG.
    pub plain: LoadedNetwork,
    /// What is explained with UCAG, and what metrics ask.
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

    fn load(model: &crate::config::Model, data: &Data, compute: &Compute) -> Result<Self> {
        let about = || format!("model '{}'", model.name);
        let network = match (model.scripted, model.input_size) {
            (Some(preprocessing), Some(side)) => {
                Network::scripted(&model.weights, side, preprocessing, model.output, compute.device)
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

    /// What a report must know of it.
    pub fn facts(&self) -> ModelFacts {
        ModelFacts { name: self.name.clone(), assumptions: self.unfolded.network.assumptions.clone() }
    }

    /// The layers' names.
    pub fn layer_names(&self) -> [&str; 3] {
        let LoadedNetwork { network, layers } = &self.plain;
        [layers.target, layers.excitation, layers.contrast].map(|id| network.graph.nodes()[id].name.as_str())
    }
}

/// A config with its data sets opened and its networks loaded.
pub struct Plan {
    /// The config.
    pub config: Config,
    /// The data sets, in the config's order.
    pub data: Vec<Data>,
    /// The models, in the config's order.
    pub models: Vec<Model>,
    /// The maps that were made elsewhere.
    pub maps: MapInventory,
    /// The whole run, where this is a shard of it; samples and maps are the shard's then.
    pub whole: Option<Manifest>,
}

/// Files that a config names and that aren't there: every one of them, with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0)]
pub struct Missing(String);

impl Missing {
    pub(crate) fn new(message: String) -> Self {
        Self(message)
    }
}

impl Plan {
    /// Opens everything that the config names.
    ///
    /// # Errors
    /// As [`Plan::without_maps`], and as [`Missing`] where a method whose maps were made elsewhere has none.
    pub fn new(config: Config) -> Result<Self> {
        Self::with_maps(Self::without_maps(config)?)
    }

    /// The same for a dry run: nothing is written into the folders that the config names.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn dry(config: Config) -> Result<Self> {
        Self::with_maps(Self::open(config, false)?)
    }

    fn with_maps(plan: Self) -> Result<Self> {
        let maps = MapInventory::take(&plan.config, &plan.data, &plan.models)?;
        Ok(Self { maps, ..plan })
    }

    /// A shard of a plan, in its own folder below the run's. `overrides` are those with which the
    /// config was read.
    ///
    /// # Errors
    /// As [`Plan::new`].
    pub fn shard(self, shard: Shard, overrides: Overrides) -> Result<Self> {
        let mut plan = self;
        plan.whole = Some(Manifest::new(&plan, shard, overrides));
        plan.data.iter_mut().enumerate().for_each(|(number, data)| data.keep(shard, number));
        plan.maps = MapInventory::look(&plan.config, &plan.data, &plan.models)?;
        plan.config.output.dir = shard.folder(&plan.config.output.dir);
        Ok(plan)
    }

    /// Opens data sets and networks, for those who are yet to make the maps.
    ///
    /// # Errors
    /// [`Missing`] where files aren't there; otherwise whatever is wrong with a data set, a checkpoint or a layer.
    pub fn without_maps(config: Config) -> Result<Self> {
        Self::open(config, true)
    }

    fn open(config: Config, may_write: bool) -> Result<Self> {
        let data = find(&config, may_write)?;
        for (data, metric) in data.iter().flat_map(|data| config.metrics.iter().map(move |m| (data, m.metric))) {
            data.allows(metric)?;
            if metric.annotation == metrics::Annotation::Region && config.protocol.target == Target::Predicted {
                anyhow::bail!(
                    "metric '{}' is played with every class that is annotated in an image; with target = \"predicted\" it can't be",
                    metric.id
                );
            }
        }
        let load = |model: &crate::config::Model| Model::load(model, &data[model.dataset], &config.compute);
        let models = config.models.iter().map(load).collect::<Result<Vec<_>>>()?;
        for model in &models {
            borrows(model, &models, &data[model.dataset], &config)?;
            for computed in config.methods_on(model.dataset).filter_map(|method| method.computed()) {
                computed.entry.allows(&model.plain.network).with_context(|| format!("model '{}'", model.name))?;
            }
        }
        Ok(Self { config, data, models, maps: MapInventory::default(), whole: None })
    }

    /// The units of work: one for each sample and model. A unit's number is the same whatever the number of samples, so that a run can be extended.
    pub fn units(&self) -> Vec<usize> {
        let models: Vec<usize> = self.models.iter().map(|model| model.dataset).collect();
        units(&models, |dataset| self.data[dataset].places())
    }

    /// What a report must know of the data sets and of the networks that are run on them, in the config's order.
    pub fn facts(&self) -> Vec<DatasetFacts> {
        let facts = |(number, data): (usize, &Data)| {
            let here = self.models.iter().filter(|model| model.dataset == number);
            DatasetFacts { models: here.map(Model::facts).collect(), ..data.facts() }
        };
        self.data.iter().enumerate().map(facts).collect()
    }

    /// Sample and model of a unit.
    pub fn unit(&self, index: usize) -> (usize, usize) {
        (index / self.models.len(), index % self.models.len())
    }

    /// Everything that numbers depend on: a run may only be resumed by one whose identity is the same. The number of samples is not part of it, so a
    /// run can be extended.
    pub fn identity(&self) -> Value {
        let model = |(m, named): (&Model, &crate::config::Model)| {
            let [layer, middle, contrast] = m.layer_names();
            let mut model = json!({
                "name": m.name,
                "dataset": self.data[m.dataset].name,
                "variant": m.unfolded.network.architecture,
                "sha256": m.checksum,
                "layer": layer,
                "middle": middle,
                "contrast": contrast,
                "input_size": m.input_size,
                "normalised": normalisation(m.unfolded.network.preprocessing),
                "classes_from": m.classes_from,
            });
            with_output(&mut model, Some(m.unfolded.network.output()));
            // Other things that a config states of a network are in its variant, or in how it is normalised.
            if let Some(transforms) = named.stated.transform_input {
                model["transform_input"] = json!(transforms);
            }
            model
        };
        // The number of classes and the first sample are in the fingerprint, too; here, they are for those who read a run without its data.
        let data = |(data, config): (&Data, &crate::config::Dataset)| {
            // Whichever samples are run, so that a run can be extended.
            let first = if data.dataset.is_empty() { "" } else { data.dataset.id(0) };
            let mut data = json!({
                "name": data.name,
                "kind": data.kind,
                "fingerprint": data.dataset.fingerprint(),
                "resize": data.resize,
                "classes": data.dataset.classes().len(),
                "first": first,
            });
            // Only where they are set: runs from before they were settings go on.
            for (key, value) in [("void", config.void), ("threshold", config.threshold)] {
                if let Some(value) = value {
                    data[key] = json!(value);
                }
            }
            data
        };
        let versions: Vec<Value> =
            self.config.metrics.iter().map(|m| json!({"id": m.metric.id, "version": m.metric.version})).collect();
        // Files count by what is in them, not by where they are.
        let mut identity = json!({
            "config": identity(&self.config),
            "datasets": self.data.iter().zip(&self.config.datasets).map(data).collect::<Vec<_>>(),
            "models": self.models.iter().zip(&self.config.models).map(model).collect::<Vec<_>>(),
            "metrics": versions,
        });
        // A GPU adds up in another order: its numbers shouldn't be continued by a processor's. Which of a machine's GPUs it is doesn't matter.
        if let Some(kind) = device_kind(self.config.compute.device) {
            identity["device"] = json!(kind);
        }
        identity
    }
}

/// The units of models that are on these data sets each, whose samples have these places.
pub(crate) fn units(models: &[usize], places: impl Fn(usize) -> Vec<usize>) -> Vec<usize> {
    let count = models.len();
    let of = |(model, &dataset): (usize, &usize)| places(dataset).into_iter().map(move |sample| sample * count + model);
    let mut units: Vec<usize> = models.iter().enumerate().flat_map(of).collect();
    units.sort_unstable();
    units
}

/// What of a run's identity the config alone says.
pub(crate) fn identity(config: &Config) -> Value {
    let mut identity = config.digest_value();
    identity["forms"] = config.models.iter().map(|model| json!(model.form)).collect();
    if let Some(identity) = identity.as_object_mut() {
        identity.retain(|key, _| key != "datasets" && key != "models");
    }
    identity
}

/// Whether a model can take its classes from the one that the config names.
fn borrows(model: &Model, models: &[Model], data: &Data, config: &Config) -> Result<()> {
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

/// Opens the data sets, once it is sure that nothing is missing: people should hear of all missing files at once.
fn find(config: &Config, may_write: bool) -> Result<Vec<Data>> {
    let mut missing = String::new();
    let published = config.output.published.iter().filter(|path| !path.exists());
    let mut weights: Vec<_> = config.models.iter().map(|m| &m.weights).filter(|path| !path.exists()).collect();
    weights.dedup();
    for path in weights.iter().copied().chain(published) {
        let _ = write!(missing, "\n  {}", path.display());
    }
    let mut advice = String::new();
    if !missing.is_empty() {
        advice.push_str(
            "\n\nweights: convert torchvision's with `python3 scripts/convert_weights.py`; see data/README.md",
        );
    }
    let mut data = Vec::new();
    for dataset in &config.datasets {
        match Data::open(dataset, may_write) {
            Ok(mut opened) => {
                let chosen = opened.choose(dataset);
                chosen.with_context(|| format!("{}: [dataset] samples", config.path.display()))?;
                data.push(opened);
            }
            Err(datasets::Error::Missing { paths, layout, how_to_get }) => {
                for path in paths {
                    let _ = write!(missing, "\n  {}", path.display());
                }
                let kind = &dataset.kind;
                let _ = write!(advice, "\n\ndata set {kind}: expected layout\n{layout}\nhow to get it\n{how_to_get}");
            }
            Err(error) => return Err(error.into()),
        }
    }
    if missing.is_empty() {
        return Ok(data);
    }
    let own = format!("configs/mini/{}.toml", config.name);
    let mini = if Path::new(&own).exists() { own.as_str() } else { "configs/mini/table1.toml" };
    let example = format!("to see the same table on data that comes with the project: cargo run -p bench -- {mini}");
    let config = config.path.display();
    Err(Missing(format!("{config}: these files are missing:{missing}{advice}\n\n{example}")).into())
}
