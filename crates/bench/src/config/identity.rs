//! A config as JSON, with all defaults filled in: what a run folder keeps, and what decides whether
//! it may go on.

use serde_json::{Value, json};
use ucag_core::network::{Output, Preprocessing};

use super::{Computed, Config, Dataset, Method, Metric, Model, Precomputed, Source, Variant};

impl Config {
    /// Everything, for a run's own record of itself.
    pub fn resolved(&self) -> Value {
        let mut all = self.digest_value();
        all["path"] = json!(self.path);
        all["name"] = json!(self.name);
        all["title"] = json!(self.title);
        all["maps"] = self.methods.iter().filter_map(folders).collect();
        all["output"] = json!({
            "dir": self.output.dir,
            "published": self.output.published,
            "remark": self.output.remark,
            "gallery": self.output.gallery,
            "resamples": self.output.resamples,
        });
        all["figure"] = json!(self.figure);
        all["compute"] = json!({
            "device": device_name(self.compute.device),
            "precision": self.compute.precision,
            "workers": self.compute.workers,
            "views_per_batch": self.compute.views_per_batch,
            "images_per_batch": self.compute.images_per_batch,
        });
        all
    }

    /// The keys that records depend on. Tables and plots are made anew from the records, so that
    /// nothing of `[output]` is in it, nor of `[compute]` but its precision.
    pub fn digest_value(&self) -> Value {
        json!({
            "protocol": self.protocol,
            "variants": self.variants.iter().map(variant).collect::<Vec<_>>(),
            "seed": self.seed,
            "precision": self.compute.precision,
            "datasets": self.datasets.iter().map(dataset).collect::<Vec<_>>(),
            "models": self.models.iter().map(model).collect::<Vec<_>>(),
            "methods": self.methods.iter().map(method).collect::<Vec<_>>(),
            "metrics": self.metrics.iter().map(metric).collect::<Vec<_>>(),
        })
    }
}

fn dataset(dataset: &Dataset) -> Value {
    let mut value = json!({
        "name": dataset.name,
        "kind": dataset.kind,
        "root": dataset.root,
        "limit": dataset.limit,
        "samples": dataset.samples,
        "difficult": dataset.difficult,
        "resize": dataset.resize,
    });
    for (key, set) in [("void", dataset.void), ("threshold", dataset.threshold)] {
        if let Some(set) = set {
            value[key] = json!(set);
        }
    }
    value
}

fn model(model: &Model) -> Value {
    let mut value = json!({
        "dataset": model.dataset,
        "name": model.name,
        "arch": model.arch,
        "weights": model.weights,
        "normalised": model.scripted.or(model.stated.preprocessing).map(normalisation),
        "stem": model.stated.stem,
        "transform_input": model.stated.transform_input,
        "layer": model.layer,
        "middle": model.middle,
        "form": model.form,
        "input_size": model.input_size,
        "classes_from": model.classes_from,
    });
    with_output(&mut value, model.output);
    value
}

/// Adds what a module was stated to give, where that isn't the default: other runs keep their
/// identity.
pub(crate) fn with_output(model: &mut Value, output: Option<Output>) {
    if let Some(output) = output.filter(|output| *output != Output::default()) {
        model["output"] = json!(output);
    }
}

/// An input's normalization, as a document has it.
pub(crate) fn normalisation(preprocessing: Preprocessing) -> Value {
    json!({ "mean": preprocessing.mean(), "std": preprocessing.std() })
}

/// The folders of precomputed maps. Numbers depend on their contents, whose checksums are in the
/// run folder's list of maps.
fn folders(method: &Method) -> Option<Value> {
    let Source::Precomputed(Precomputed { maps, maps_with_ucag }) = &method.source else { return None };
    Some(json!({ "name": method.id, "maps": maps, "maps_with_ucag": maps_with_ucag }))
}

fn method(method: &Method) -> Value {
    let Some(Computed { entry, settings, .. }) = method.computed() else {
        return json!({
            "kind": "precomputed",
            "name": method.id,
            "variants": method.variants,
            "dataset": method.dataset,
            "post": method.map_kind.word(),
        });
    };
    json!({
        "id": entry.id,
        "name": method.id,
        "variants": method.variants,
        "dataset": method.dataset,
        "settings": settings.recorded(),
    })
}

fn variant(variant: &Variant) -> Value {
    json!({ "name": variant.name, "ucag": variant.ucag, "protocol": variant.protocol })
}

fn metric(metric: &Metric) -> Value {
    json!({ "id": metric.metric.id, "version": metric.metric.version, "step": metric.step })
}

/// A device, as configs have it.
pub(crate) fn device_name(device: tch::Device) -> String {
    match device {
        tch::Device::Cuda(index) => format!("cuda:{index}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// The kind of a device, on which the last digits of numbers depend; nothing where it is the
/// processor, as in the identities of all runs so far.
pub(crate) fn device_kind(device: tch::Device) -> Option<&'static str> {
    matches!(device, tch::Device::Cuda(_)).then_some("cuda")
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    #[test]
    fn which_gpu_it_is_does_not_matter_but_that_it_is_one() {
        assert_eq!(
            [Device::Cpu, Device::Cuda(0), Device::Cuda(3)].map(device_kind),
            [None, Some("cuda"), Some("cuda")]
        );
        assert_eq!([Device::Cpu, Device::Cuda(3)].map(device_name), ["cpu", "cuda:3"]);
    }
}
