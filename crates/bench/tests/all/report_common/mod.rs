//! Configs and records made up for the tests of reports.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use bench::config::{
    Compute, Computed, Config, Dataset, Form, Method, Metric, Model, Output, Protocol, Source, Variant,
};
use bench::records::Record;
use bench::report::{DatasetFacts, Summary};
use ucag_core::explain::Settings;
use ucag_core::network::Stated;
use ucag_core::postprocess::MapState;

/// Methods with both rows, controls with one, models on the one data set.
pub fn config(models: &[&str], methods: &[&str], metrics: &[&str]) -> Config {
    let models: Vec<(usize, &str)> = models.iter().map(|&model| (0, model)).collect();
    config_on(&["mini"], &models, methods, metrics)
}

/// [`config`] with these data sets, and models that say by its place on which they are.
pub fn config_on(datasets: &[&str], models: &[(usize, &str)], methods: &[&str], metrics: &[&str]) -> Config {
    let dataset = |name: &&str| Dataset {
        name: (*name).to_owned(),
        kind: "mini".to_owned(),
        root: PathBuf::from("data/mini"),
        limit: None,
        samples: None,
        difficult: None,
        resize: None,
        void: None,
        threshold: None,
    };
    let model = |&(dataset, name): &(usize, &str)| Model {
        dataset,
        arch: name.to_lowercase(),
        weights: PathBuf::from("weights.safetensors"),
        scripted: None,
        output: None,
        stated: Stated::default(),
        layer: None,
        middle: None,
        name: name.to_owned(),
        form: Form::Pooled,
        input_size: None,
        classes_from: None,
    };
    let method = |id: &&str| {
        let entry = ucag_core::explain::method(id).unwrap();
        let control = entry.role == ucag_core::explain::Role::Control;
        Method {
            id: entry.id.to_owned(),
            name: entry.name.to_owned(),
            source: Source::Computed(Computed {
                entry,
                settings: Settings::defaults(entry.settings),
                explainer: entry.explainer(),
            }),
            map_kind: entry.map_kind,
            dataset: None,
            variants: if control { vec![0] } else { vec![0, 1] },
        }
    };
    Config {
        path: PathBuf::from("made-up.toml"),
        text: String::new(),
        name: "made-up".to_owned(),
        title: "Deletion and insertion, made up".to_owned(),
        protocol: Protocol::official(),
        variants: Variant::usual(&Protocol::official()),
        grid: Vec::new(),
        seed: 7,
        datasets: datasets.iter().map(dataset).collect(),
        models: models.iter().map(model).collect(),
        methods: methods.iter().map(method).collect(),
        metrics: metrics.iter().map(|id| Metric { metric: metrics::metric(id).unwrap(), step: None }).collect(),
        figure: None,
        output: Output {
            dir: PathBuf::from("results/made-up"),
            published: None,
            remark: None,
            gallery: 0,
            resamples: 1000,
        },
        compute: Compute {
            device: tch::Device::Cpu,
            precision: Default::default(),
            workers: 1,
            views_per_batch: 1,
            images_per_batch: 1,
        },
    }
}

/// The facts of the config's data sets: 20 classes each, s0 first.
pub fn facts(config: &Config) -> Vec<DatasetFacts> {
    let facts = |dataset: &Dataset| DatasetFacts {
        name: dataset.name.clone(),
        kind: dataset.kind.clone(),
        classes: (0..20).map(|class| format!("class {class}")).collect(),
        first: "s0".to_owned(),
        samples: vec!["s0".to_owned()],
        remarks: Vec::new(),
        models: Vec::new(),
    };
    config.datasets.iter().map(facts).collect()
}

/// The input of a report where nothing failed.
pub fn summary<'a>(
    config: &'a Config,
    datasets: &'a [DatasetFacts],
    records: &'a [Record],
    out: &'a Path,
) -> Summary<'a> {
    Summary { config, datasets, records: records.into(), failures: &[], out }
}

pub fn record(sample: &str, model: &str, method: &str, ucag: bool, metric: &str, value: f64) -> Record {
    Record {
        dataset: "mini".to_owned(),
        sample: sample.to_owned(),
        class: 0,
        difficult: false,
        model: model.to_owned(),
        method: method.to_owned(),
        ucag,
        variant: String::new(),
        metric: metric.to_owned(),
        value: Some(value),
        map: MapState::Ok,
        curve: None,
        counts: Vec::new(),
    }
}

/// Values without and with UCAG of GradCAM's `metric` on M, samples s0, s1, ...
pub fn pairs(metric: &str, plain: &[f64], with: &[f64]) -> Vec<Record> {
    let row = |ucag: bool, values: &[f64]| -> Vec<Record> {
        let one = |(s, &value): (usize, &f64)| record(&format!("s{s}"), "M", "gradcam", ucag, metric, value);
        values.iter().enumerate().map(one).collect()
    };
    [row(false, plain), row(true, with)].concat()
}

/// Numbers of mean 0 and variance 1, close to normal: sums of twelve outputs of a linear
/// congruential generator, standardised.
pub fn normals(n: usize) -> Vec<f64> {
    let mut state = 12345_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let raw: Vec<f64> = (0..n).map(|_| (0..12).map(|_| uniform()).sum::<f64>()).collect();
    let mean = raw.iter().sum::<f64>() / n as f64;
    let deviation = (raw.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
    raw.iter().map(|v| (v - mean) / deviation).collect()
}

/// A CSV as rows of named fields.
pub fn rows(path: &Path) -> Vec<std::collections::HashMap<String, String>> {
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}
