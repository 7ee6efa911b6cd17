//! Run folders made up for the tests of comparisons.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};

use bench::config::Protocol;
use bench::plan::UnitId;
use bench::records::journal::FILE;
use bench::records::{Failure, Record, Unit};
use datasets::Checksum;
use serde_json::{Value, json};
use ucag_core::postprocess::MapState;

/// A folder with run folders in it.
pub struct Runs(tempfile::TempDir);

pub type Line = HashMap<String, String>;

impl Runs {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A run with one unit for each sample, in the order of their first records. What was read of a
    /// sample is its id.
    pub fn make(&self, name: &str, identity: &Value, records: &[Record]) -> PathBuf {
        self.make_of(name, identity, records, |sample| Some(Checksum::of(sample.as_bytes())))
    }

    /// The same with what was read of each sample.
    pub fn make_of(
        &self,
        name: &str,
        identity: &Value,
        records: &[Record],
        read: impl Fn(&str) -> Option<Checksum>,
    ) -> PathBuf {
        let mut units: Vec<Vec<Record>> = Vec::new();
        for record in records {
            match units.iter_mut().find(|unit| unit[0].sample == record.sample) {
                Some(unit) => unit.push(record.clone()),
                None => units.push(vec![record.clone()]),
            }
        }
        let head = json!({"format": 3, "identity": identity});
        std::fs::create_dir_all(self.path(name)).unwrap();
        self.append(name, &head);
        for (index, records) in units.into_iter().enumerate() {
            let sha256 = read(&records[0].sample);
            self.append(name, &Unit { index: UnitId(index), sha256, outcome: Ok(records) });
        }
        self.path(name)
    }

    /// Adds a unit that failed.
    pub fn fail(&self, name: &str, index: usize, sample: &str) {
        let failure =
            Failure { dataset: "mini".into(), sample: sample.into(), model: "M".into(), error: "no image".into() };
        self.append(name, &Unit { index: UnitId(index), sha256: None, outcome: Err(failure) });
    }

    /// Without the lock that a journal has, which a program that another test starts at this moment
    /// would hold for a while, too.
    fn append(&self, name: &str, line: &impl serde::Serialize) {
        let path = self.path(name).join(FILE);
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
        writeln!(file, "{}", serde_json::to_string(line).unwrap()).unwrap();
    }

    pub fn bench(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bench"));
        command.current_dir(self.0.path()).arg("compare").args(arguments).env_remove("RUST_BACKTRACE");
        command.output().unwrap()
    }

    /// The printed text.
    pub fn compare(&self, arguments: &[&str]) -> String {
        let output = self.bench(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The contents of `compare.csv`.
    pub fn table(&self, arguments: &[&str]) -> Vec<Line> {
        self.compare(&[arguments, &["--out", "out"]].concat());
        csv::Reader::from_path(self.path("out/compare.csv")).unwrap().deserialize().map(Result::unwrap).collect()
    }

    /// The complaint, with exit code 2.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.bench(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stderr)
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A run on a data set of four classes with M and N, of GradCAM and LayerCAM without UCAG and with
/// it.
pub fn identity(protocol: &Protocol) -> Value {
    let model = |name: &str| {
        json!({
            "name": name, "dataset": "mini", "variant": "resnet", "sha256": "ab".repeat(32), "layer": "layer4",
            "middle": "layer3", "contrast": "avgpool", "input_size": 128, "classes_from": null,
        })
    };
    let method =
        |id: &str| json!({"id": id, "name": id, "variants": [0, 1], "dataset": null, "settings": {"masks": 10}});
    let metric = |id: &str| json!({"id": id, "version": 1, "step": null});
    let metrics = ["deletion", "insertion", "energy", "pointing", "pixel-accuracy"].map(metric);
    let (methods, models) = (["gradcam", "layercam"].map(method), ["M", "N"].map(model));
    json!({
        "config": {
            "protocol": protocol,
            "variants": [
                {"name": "", "ucag": false, "protocol": protocol},
                {"name": "", "ucag": true, "protocol": protocol},
            ],
            "seed": 5,
            "methods": methods,
            "metrics": metrics,
            "forms": ["pooled", "pooled"],
        },
        "datasets": [{
            "name": "mini", "kind": "mini-voc07", "fingerprint": "cd".repeat(32), "resize": "squash", "classes": 4, "first": "s0",
        }],
        "models": models,
        "metrics": metrics,
    })
}

pub fn official() -> Value {
    identity(&Protocol::official())
}

/// GradCAM without UCAG on M.
pub fn record(sample: &str, class: usize, metric: &str, value: f64) -> Record {
    Record {
        dataset: "mini".to_owned(),
        sample: sample.to_owned(),
        class,
        difficult: false,
        model: "M".to_owned(),
        method: "gradcam".to_owned(),
        ucag: false,
        variant: String::new(),
        metric: metric.to_owned(),
        value: Some(value),
        map: MapState::Ok,
        curve: None,
        counts: Vec::new(),
    }
}

/// Records of samples s0, s1, …
pub fn column(metric: &str, values: &[f64]) -> Vec<Record> {
    values.iter().enumerate().map(|(s, &value)| record(&format!("s{s}"), 0, metric, value)).collect()
}

/// The only line with these fields.
pub fn find<'a>(lines: &'a [Line], wanted: &[(&str, &str)]) -> &'a Line {
    let found: Vec<&Line> =
        lines.iter().filter(|line| wanted.iter().all(|(key, value)| line[*key] == *value)).collect();
    assert_eq!(found.len(), 1, "lines that are {wanted:?}");
    found[0]
}

/// Mean difference, interval, number of samples and verdict.
pub fn difference(line: &Line) -> [&str; 5] {
    ["difference", "difference_low", "difference_high", "difference_n", "verdict"].map(|key| line[key].as_str())
}

pub fn number(line: &Line, key: &str) -> f64 {
    line[key].parse().unwrap_or_else(|_| panic!("{key} is '{}'", line[key]))
}

pub fn near(line: &Line, key: &str, expected: f64) {
    let value = number(line, key);
    assert!((value - expected).abs() < 2e-6, "{key}: {value} is not {expected}");
}
