//! `run.json`: what a run was, so that its numbers can be traced and repeated.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::config::{self, Config};
use crate::io::atomic;
use crate::plan::Plan;
use crate::plan::dataset_facts::{DatasetFacts, ModelFacts};
use crate::run::CompletedRun;

/// Its name in a run folder.
pub(crate) const FILE: &str = "run.json";

/// Writes `run.json` into the run folder.
///
/// # Errors
/// Where it can't be written.
pub fn write(plan: &Plan, finished: &CompletedRun, failed: usize) -> Result<()> {
    let config = &plan.config;
    let document = json!({
        "title": config.title,
        "config": config.resolved(),
        "identity": plan.identity(),
        "metrics": metrics(config),
        "versions": versions(),
        "device": format!("{:?}", config.compute.device),
        "workers": config.compute.workers,
        "samples": plan.data.iter().map(|data| (data.name.as_str(), data.samples)).collect::<BTreeMap<_, _>>(),
        "data": plan.data.iter().map(|data| json!({"name": data.name, "kind": data.kind, "remarks": data.remarks})).collect::<Vec<_>>(),
        "models": models(&plan.facts()),
        "units": {"planned": plan.units().len(), "done": finished.units.len() - failed, "failed": failed, "done_by_earlier_runs": finished.resumed},
        "views_through_the_networks": plan.models.iter().map(|model| json!({"dataset": plan.data[model.dataset].name, "model": model.name, "views": model.views()})).collect::<Vec<_>>(),
        "remarks": finished.remarks,
        "seconds": {"wall": finished.wall, "by_stage_all_workers": finished.stages},
        "command": std::env::args().collect::<Vec<_>>(),
    });
    save(&config.output.dir, &document)
}

/// The networks, and what was assumed of each.
pub(crate) fn models(datasets: &[DatasetFacts]) -> Value {
    let model = |(dataset, model): (&DatasetFacts, &ModelFacts)| json!({"dataset": dataset.name, "name": model.name, "assumptions": model.assumptions});
    datasets.iter().flat_map(|dataset| dataset.models.iter().map(move |of| (dataset, of))).map(model).collect()
}

/// The config's metrics.
pub(crate) fn metrics(config: &Config) -> Value {
    let metric = |m: &config::Metric| json!({"id": m.metric.id, "version": m.metric.version, "unit": m.metric.unit, "direction": m.metric.direction.words(), "source": m.metric.source});
    config.metrics.iter().map(metric).collect()
}

/// Versions of the program and of what it computes with.
pub(crate) fn versions() -> Value {
    json!({"bench": env!("CARGO_PKG_VERSION"), "libtorch": LIBTORCH})
}

pub(crate) fn save(dir: &Path, document: &Value) -> Result<()> {
    atomic::write(&dir.join(FILE), (serde_json::to_string_pretty(document)? + "\n").as_bytes())
}

/// The libtorch that scripts/setup gets and crate tch 0.24 wants.
const LIBTORCH: &str = "2.11.0";
