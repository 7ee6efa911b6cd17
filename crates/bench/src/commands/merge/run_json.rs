//! `run.json` of a merged run: what all shards together took, and each shard's own account.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::Merged;
use super::shard::Part;
use crate::run::run_json;

/// Writes it into the run's folder.
///
/// # Errors
/// Where it can't be written.
pub(super) fn write(merged: &Merged, failed: usize) -> Result<()> {
    let Merged { config, datasets, parts, .. } = merged;
    let [first, ..] = &parts[..] else { return Ok(()) };
    let runs: Vec<&Value> = parts.iter().filter_map(|part| part.run.as_ref()).collect();
    let sum = |pointer: &str| runs.iter().filter_map(|run| run.pointer(pointer)?.as_f64()).sum::<f64>();
    let count = |pointer: &str| runs.iter().filter_map(|run| run.pointer(pointer)?.as_u64()).sum::<u64>();
    // Each shard has its own devices and workers.
    let mut resolved = config.resolved();
    if let Some(resolved) = resolved.as_object_mut() {
        resolved.remove("compute");
    }
    resolved["output"]["published"] =
        first.run.as_ref().map_or(Value::Null, |run| run["config"]["output"]["published"].clone());
    let stages = keys(&runs, "/seconds/by_stage_all_workers");
    let stages: BTreeMap<&str, f64> =
        stages.into_iter().map(|stage| (stage, sum(&format!("/seconds/by_stage_all_workers/{stage}")))).collect();
    let views = |(place, model): (usize, &crate::config::Model)| {
        let views = count(&format!("/views_through_the_networks/{place}/views"));
        json!({"dataset": config.datasets[model.dataset].name, "model": model.name, "views": views})
    };
    let planned = merged.units.len();
    let document = json!({
        "title": config.title,
        "config": resolved,
        "identity": merged.journal.identity(),
        "metrics": run_json::metrics(config),
        "versions": run_json::versions(),
        "samples": datasets.iter().map(|data| (data.name.as_str(), data.samples.len())).collect::<BTreeMap<_, _>>(),
        "data": datasets.iter().map(|data| json!({"name": data.name, "kind": data.kind, "remarks": data.remarks})).collect::<Vec<_>>(),
        "models": run_json::models(datasets),
        "units": {"planned": planned, "done": planned.saturating_sub(failed), "failed": failed, "done_by_earlier_runs": count("/units/done_by_earlier_runs")},
        "views_through_the_networks": config.models.iter().enumerate().map(views).collect::<Vec<_>>(),
        "seconds": {"wall": sum("/seconds/wall"), "by_stage_all_workers": stages},
        "command": std::env::args().collect::<Vec<_>>(),
        "shards": parts.iter().map(account).collect::<Vec<_>>(),
    });
    run_json::save(&config.output.dir, &document)
}

/// A shard's account of its own run.
fn account(part: &Part) -> Value {
    let own = |key: &str| part.run.as_ref().map_or(Value::Null, |run| run[key].clone());
    json!({
        "shard": part.shard,
        "versions": own("versions"),
        "device": own("device"),
        "workers": own("workers"),
        "units": own("units"),
        "seconds": own("seconds"),
        "command": own("command"),
    })
}

/// The keys of the objects there, each once.
fn keys<'a>(runs: &[&'a Value], pointer: &str) -> Vec<&'a str> {
    let objects = runs.iter().filter_map(|run| run.pointer(pointer)?.as_object());
    let mut keys: Vec<&str> = objects.flat_map(|object| object.keys().map(String::as_str)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
