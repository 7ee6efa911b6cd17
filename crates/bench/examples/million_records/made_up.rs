//! A run of Table 1's shape that nobody ran: three models, three methods without UCAG and with it,
//! deletion and insertion.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use bench::config::{self, Config, Overrides};
use bench::plan::UnitId;
use bench::records::journal::{FILE, Journal};
use bench::records::{Record, Unit};
use bench::report::{self, DatasetFacts, Records, Summary};
use datasets::Checksum;
use serde_json::json;
use ucag_core::postprocess::MapState;

const MODELS: [&str; 3] = ["ResNet50", "DenseNet121", "InceptionV3"];
const METHODS: [&str; 3] = ["gradcam", "gradcam++", "wgradcam"];
const METRICS: [&str; 2] = ["deletion", "insertion"];
/// Points of a curve: 224 × 224 pixels in steps of a row.
const POINTS: usize = 225;
/// Records of one sample.
pub(crate) const RECORDS: usize = MODELS.len() * METHODS.len() * 2 * METRICS.len();

/// Writes its config and its journal into the folder.
pub(crate) fn write(dir: &Path, samples: usize) -> Result<()> {
    let list = |table: &str, key: &str, ids: &[&str], more: &str| -> String {
        ids.iter().map(|id| format!("[[{table}]]\n{key} = '{id}'\n{more}")).collect()
    };
    let text = format!(
        "[dataset]\nkind = 'imagenet'\nroot = 'nowhere'\n{}{}{}[output]\ndir = '{}'\n",
        list("model", "name", &MODELS, "arch = 'resnet50'\nweights = 'none.safetensors'\n"),
        list("method", "id", &METHODS, "ucag = [false, true]\n"),
        list("metric", "id", &METRICS, ""),
        dir.display()
    );
    std::fs::write(dir.join("table1.toml"), text)?;
    // Its head is the journal's own. Units follow without each being synced, which would take
    // longer than all the rest.
    drop(Journal::open(dir, &json!({}), false)?);
    let mut file = BufWriter::new(OpenOptions::new().append(true).open(dir.join(FILE))?);
    for index in 0..samples * MODELS.len() {
        serde_json::to_writer(&mut file, &unit(index))?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}

/// The records of one sample with one model.
pub(crate) fn unit(index: usize) -> Unit {
    let (sample, model) = (index / MODELS.len(), MODELS[index % MODELS.len()]);
    let rows = METHODS.iter().flat_map(|method| [false, true].map(|ucag| (method, ucag)));
    let all = rows.flat_map(|row| METRICS.map(|metric| (row, metric))).enumerate();
    let record = |(place, ((method, ucag), metric)): (usize, ((&&str, bool), &str))| {
        let value = noise((index * 100 + place) as u64);
        Record {
            dataset: "imagenet".to_owned(),
            sample: format!("ILSVRC2012_val_{:08}.JPEG", sample + 1),
            class: sample % 1000,
            difficult: false,
            model: model.to_owned(),
            method: (*method).to_owned(),
            ucag,
            variant: String::new(),
            metric: metric.to_owned(),
            value: Some(value),
            map: MapState::Ok,
            curve: Some((0..POINTS).map(|point| (noise(point as u64) * value) as f32).collect()),
            counts: Vec::new(),
        }
    };
    let sha256 = Some(Checksum::of(&sample.to_le_bytes()));
    Unit { index: UnitId(index), sha256, outcome: Ok(all.map(record).collect()) }
}

/// Numbers in [0, 1) that look random: the mixing steps of SplitMix64.
pub(crate) fn noise(seed: u64) -> f64 {
    let mut bits = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Everything after the last unit: the journal is opened and the report written. Gives the table
/// for a terminal.
pub(crate) fn report(dir: &Path, resamples: usize) -> Result<String> {
    let mut config: Config = config::load(&dir.join("table1.toml"), &Overrides::default())?;
    config.output.resamples = resamples;
    let journal = Journal::open(dir, &json!({}), false)?;
    let units: Vec<UnitId> = journal.units().map(|(unit, _)| unit).collect();
    let datasets = [DatasetFacts {
        name: "imagenet".to_owned(),
        kind: "imagenet".to_owned(),
        classes: (0..1000).map(|class| class.to_string()).collect(),
        first: String::new(),
        samples: Vec::new(),
        remarks: Vec::new(),
        models: Vec::new(),
    }];
    let records = Records::Journal(&journal, &units);
    let written = report::write(&Summary { config: &config, datasets: &datasets, records, failures: &[], out: dir })?;
    Ok(written.table)
}

/// The most memory that this process has had so far, in bytes. Linux alone says.
pub(crate) fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("/proc/self/status: only Linux has it")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
