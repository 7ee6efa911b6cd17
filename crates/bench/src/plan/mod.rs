//! A plan: a config whose data sets and weights were found.

pub mod dataset;
pub(crate) mod dataset_facts;
pub mod manifest;
mod missing;
mod model;
pub mod precomputed;
pub mod shard;
pub(crate) mod target_classes;
mod units;

use crate::config::Target;
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::config::{Config, Overrides, device_kind, normalisation, with_output};
use crate::plan::dataset::Data;
use crate::plan::dataset_facts::DatasetFacts;
use crate::plan::manifest::Manifest;
use crate::plan::precomputed::MapInventory;
use crate::plan::shard::Shard;

pub use missing::Missing;
pub use model::{LoadedNetwork, Model};

use missing::open_datasets;
use model::check_classes_from;
pub(crate) use units::units;
pub use units::{ModelIndex, SampleIndex, UnitId};

/// A config with its data sets opened and its networks loaded.
pub struct Plan {
    /// The config.
    pub config: Config,
    /// The data sets, in the config's order.
    pub data: Vec<Data>,
    /// The models, in the config's order.
    pub models: Vec<Model>,
    /// The precomputed maps.
    pub maps: MapInventory,
    /// The whole run, where this is a shard of it; samples and maps are the shard's then.
    pub whole: Option<Manifest>,
}

impl Plan {
    /// Opens everything that the config names.
    ///
    /// # Errors
    /// As [`Plan::without_maps`], and as [`Missing`] where a method with precomputed maps
    /// has none.
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
        let maps = MapInventory::require(&plan.config, &plan.data, &plan.models)?;
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
        plan.maps = MapInventory::scan(&plan.config, &plan.data, &plan.models)?;
        plan.config.output.dir = shard.folder(&plan.config.output.dir);
        Ok(plan)
    }

    /// Opens data sets and networks, for those who are yet to make the maps.
    ///
    /// # Errors
    /// [`Missing`] where files aren't there; otherwise whatever is wrong with a data set, a
    /// checkpoint or a layer.
    pub fn without_maps(config: Config) -> Result<Self> {
        Self::open(config, true)
    }

    fn open(config: Config, may_write: bool) -> Result<Self> {
        let data = open_datasets(&config, may_write)?;
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
            check_classes_from(model, &models, &data[model.dataset], &config)?;
            for computed in config.methods_on(model.dataset).filter_map(|method| method.computed()) {
                computed.entry.allows(&model.plain.network).with_context(|| format!("model '{}'", model.name))?;
            }
        }
        Ok(Self { config, data, models, maps: MapInventory::default(), whole: None })
    }

    /// The units of work: one for each sample and model. A unit's number is the same whatever the
    /// number of samples, so that a run can be extended.
    pub fn units(&self) -> Vec<UnitId> {
        let models: Vec<usize> = self.models.iter().map(|model| model.dataset).collect();
        units(&models, |dataset| self.data[dataset].places())
    }

    /// The facts that a report needs of the data sets and of their networks, in the config's order.
    pub fn facts(&self) -> Vec<DatasetFacts> {
        let facts = |(number, data): (usize, &Data)| {
            let here = self.models.iter().filter(|model| model.dataset == number);
            DatasetFacts { models: here.map(Model::facts).collect(), ..data.facts() }
        };
        self.data.iter().enumerate().map(facts).collect()
    }

    /// Sample and model of a unit.
    pub fn unit(&self, unit: UnitId) -> (SampleIndex, ModelIndex) {
        unit.parts(self.models.len())
    }

    /// Everything that numbers depend on: a run may only be resumed by one whose identity is the
    /// same. The number of samples is not part of it, so a run can be extended.
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
            // Other things that a config states of a network are in its variant, or in how it is
            // normalised.
            if let Some(transforms) = named.stated.transform_input {
                model["transform_input"] = json!(transforms);
            }
            model
        };
        // The number of classes and the first sample are in the fingerprint, too; here, they are
        // for those who read a run without its data.
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
        // A GPU adds up in another order: its numbers shouldn't be continued by a processor's.
        // Which of a machine's GPUs it is doesn't matter.
        if let Some(kind) = device_kind(self.config.compute.device) {
            identity["device"] = json!(kind);
        }
        identity
    }
}

/// The part of a run's identity that comes from the config alone.
pub(crate) fn identity(config: &Config) -> Value {
    let mut identity = config.digest_value();
    identity["forms"] = config.models.iter().map(|model| json!(model.form)).collect();
    if let Some(identity) = identity.as_object_mut() {
        identity.retain(|key, _| key != "datasets" && key != "models");
    }
    identity
}
