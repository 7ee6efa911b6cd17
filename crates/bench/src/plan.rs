//! A plan: a config whose data set and weights were found, and what running it will take.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use datasets::Dataset;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use ucag_core::network::{Network, NodeId};
use ucag_core::unfold::Geometry;

use crate::config::Config;

/// A model that is loaded.
pub struct Model {
    /// Its name in tables.
    pub name: String,
    /// The network.
    pub network: Network,
    /// The layer that is explained.
    pub layer: NodeId,
    /// Side of its square input in pixels.
    pub input_size: usize,
    /// SHA-256 of its checkpoint, in hex.
    pub checksum: String,
}

impl Model {
    /// The same model for another worker, on the same weights.
    ///
    /// # Errors
    /// As [`Network::share`].
    pub fn share(&self) -> Result<Self> {
        Ok(Self { name: self.name.clone(), network: self.network.share()?, checksum: self.checksum.clone(), ..*self })
    }
}

/// A config with its data set opened and its networks loaded.
pub struct Plan {
    /// The config.
    pub config: Config,
    /// The data set.
    pub dataset: Box<dyn Dataset>,
    /// The models, in the config's order.
    pub models: Vec<Model>,
    /// Number of samples to run.
    pub samples: usize,
}

/// Files that a config names and that aren't there: every one of them, with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0)]
pub struct Missing(String);

impl Plan {
    /// Opens everything that the config names.
    ///
    /// # Errors
    /// [`Missing`] where files aren't there; otherwise whatever is wrong with the data set, a checkpoint or a layer.
    pub fn new(config: Config) -> Result<Self> {
        let dataset = find(&config)?;
        let samples = config.dataset.limit.map_or(dataset.len(), |limit| limit.min(dataset.len()));
        let models = config
            .models
            .iter()
            .map(|model| load(model, &*dataset, config.compute.device))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { config, dataset, models, samples })
    }

    /// Number of units of work: one for each sample and model, samples first.
    pub fn units(&self) -> usize {
        self.samples * self.models.len()
    }

    /// Everything that numbers depend on: a run may only be resumed by one whose identity is the same. The number of samples is not part of it, so a
    /// run can be extended.
    pub fn identity(&self) -> Value {
        let models: Vec<Value> = self
            .models
            .iter()
            .map(|m| {
                let layer = &m.network.graph.nodes()[m.layer].name;
                json!({"name": m.name, "variant": m.network.variant, "sha256": m.checksum, "layer": layer, "input_size": m.input_size})
            })
            .collect();
        let versions: Vec<Value> =
            self.config.metrics.iter().map(|m| json!({"id": m.metric.id, "version": m.metric.version})).collect();
        // Files count by what is in them, not by where they are.
        let mut config = self.config.digest_value();
        if let Some(config) = config.as_object_mut() {
            config.retain(|key, _| key != "dataset" && key != "models");
        }
        json!({
            "config": config,
            "dataset": {"kind": self.config.dataset.kind, "fingerprint": self.dataset.fingerprint()},
            "models": models,
            "metrics": versions,
        })
    }

    /// What a run will do and take, for `--dry-run`.
    ///
    /// # Errors
    /// Where an image of some model's input size can't be unfolded.
    pub fn describe(&self) -> Result<String> {
        let config = &self.config;
        let rows = |ucag| config.methods.iter().filter(|m| m.ucag.contains(&ucag)).count();
        let (plain, unfolded) = (rows(false), rows(true));
        let mut text = format!("{}\n", config.title);
        let _ = writeln!(text, "protocol   {} (version {})", config.protocol.name, config.protocol.version);
        let _ = writeln!(
            text,
            "data       {} in {}: {} of {} samples",
            config.dataset.kind,
            config.dataset.root.display(),
            self.samples,
            self.dataset.len()
        );
        let _ = writeln!(
            text,
            "rows       {} without UCAG, {} with: {} maps a sample and model",
            plain,
            unfolded,
            plain + unfolded
        );
        let mut total = 0usize;
        for model in &self.models {
            let side = model.input_size as i64;
            let geometry = Geometry::new([side, side], &config.protocol)?;
            let views = if unfolded > 0 { geometry.len() } else { 0 };
            let passes = usize::from(plain > 0) + views.div_ceil(config.compute.views_per_batch);
            let asked = |m: &crate::config::Metric| (m.metric.forwards)(model.input_size, model.input_size, m.step);
            let scored: usize = config.metrics.iter().map(asked).sum::<usize>() * (plain + unfolded);
            let forwards = usize::from(plain > 0) + views + scored;
            total += forwards * self.samples;
            let _ = writeln!(
                text,
                "model      {}: {}, layer {}, input {side} × {side}; a sample takes {passes} passes shared by all methods \
                 ({} image, {views} views of {} × {}), {scored} images scored, {forwards} forward passes",
                model.name,
                model.network.variant,
                model.network.graph.nodes()[model.layer].name,
                usize::from(plain > 0),
                geometry.view[0],
                geometry.view[1],
            );
        }
        let _ = writeln!(
            text,
            "in all     {} units of work, {total} forward passes of single images or views",
            self.units()
        );
        let _ = writeln!(
            text,
            "memory     about {} MiB: weights, and {} workers with {} views each at a time",
            self.memory_mib()?,
            config.compute.workers,
            config.compute.views_per_batch
        );
        let _ = writeln!(text, "output     {}", config.output.dir.display());
        Ok(text)
    }

    /// An estimate: weights once, and for each worker the largest live activations of a batch of views, four times over for the
    /// operation at work and the allocator. libtorch itself takes some 300 MiB.
    fn memory_mib(&self) -> Result<usize> {
        let mut weights = 0;
        let mut live = 0;
        for (model, named) in self.models.iter().zip(&self.config.models) {
            weights += std::fs::metadata(&named.weights).map_or(0, |m| m.len() as usize);
            let side = model.input_size as i64;
            let view = Geometry::new([side, side], &self.config.protocol)?.view;
            // The stem's output is the largest: a quarter of the pixels, or all of them in a VGG, times its channels.
            let stem = model.network.graph.nodes().iter().find_map(|node| match &node.op {
                ucag_core::network::Op::Conv(conv) => Some((conv.weight.size()[0], conv.stride)),
                _ => None,
            });
            let (channels, stride) = stem.unwrap_or((3, 1));
            let floats =
                channels * (view[0] / stride) * (view[1] / stride) * self.config.compute.views_per_batch as i64;
            live = live.max(floats as usize * 4 * 4);
        }
        Ok(300 + (weights + live * self.config.compute.workers) / (1 << 20))
    }
}

/// Opens the data set, once it is sure that nothing is missing: people should hear of all missing files at once.
fn find(config: &Config) -> Result<Box<dyn Dataset>> {
    let mut missing = String::new();
    let published = config.output.published.iter().filter(|path| !path.exists());
    for path in config.models.iter().map(|m| &m.weights).filter(|path| !path.exists()).chain(published) {
        let _ = write!(missing, "\n  {}", path.display());
    }
    let weights = !missing.is_empty();
    let mut advice = String::new();
    if weights {
        advice.push_str(
            "\n\nweights: convert torchvision's with `python3 scripts/convert_weights.py`; see data/README.md",
        );
    }
    let dataset = match datasets::open(&config.dataset.kind, &datasets::Source::at(&config.dataset.root)) {
        Ok(dataset) => Some(dataset),
        Err(datasets::Error::Missing { paths, layout, obtain }) => {
            for path in paths {
                let _ = write!(missing, "\n  {}", path.display());
            }
            let _ = write!(
                advice,
                "\n\ndata set {}: expected layout\n{layout}\nhow to get it\n{obtain}",
                config.dataset.kind
            );
            None
        }
        Err(error) => return Err(error.into()),
    };
    match dataset {
        Some(dataset) if missing.is_empty() => Ok(dataset),
        _ => {
            let example = "to see the same table on data that comes with the project: cargo run -p bench -- configs/mini/table1.toml";
            let config = config.path.display();
            Err(Missing(format!("{config}: these files are missing:{missing}{advice}\n\n{example}")).into())
        }
    }
}

fn load(model: &crate::config::Model, dataset: &dyn Dataset, device: tch::Device) -> Result<Model> {
    let about = || format!("model '{}'", model.name);
    let network =
        Network::load(&model.arch, &model.weights).and_then(|network| network.on_device(device)).with_context(about)?;
    let layer = network.graph.resolve(model.layer.as_deref().unwrap_or(&network.layer)).with_context(about)?;
    let classes = dataset.classes().len();
    if network.classes != classes {
        anyhow::bail!("model '{}' has {} classes, the data set {classes}", model.name, network.classes);
    }
    let input_size = model.input_size.unwrap_or(network.input_size);
    Ok(Model { name: model.name.clone(), network, layer, input_size, checksum: checksum(&model.weights)? })
}

/// SHA-256 of a file, in hex.
///
/// # Errors
/// Where it can't be read.
pub fn checksum(path: &Path) -> Result<String> {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
        Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    };
    read().with_context(|| format!("{}: can't be read", path.display()))
}
