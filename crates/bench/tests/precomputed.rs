//! Maps from files: those that this program wrote itself score as the methods that they are of, to the last bit; the others are found, missed and
//! refused as they should be.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod lab;

use std::collections::BTreeMap;
use std::path::PathBuf;

use lab::{Lab, text, weights};

const TABLES: &[&str] = &["samples.csv", "small.csv"];

/// A config with one data set; `methods` and `metrics` are TOML.
fn lab(kind: &str, limit: usize, methods: &str, metrics: &[&str]) -> Lab {
    let metrics: String = metrics.iter().map(|id| format!("[[metric]]\nid = '{id}'\n")).collect();
    let config = format!(
        "title = 'Small'\nseed = 3\n[dataset]\nname = 'Scenes'\nkind = '{kind}'\nroot = 'data'\nlimit = {limit}\n\
         [[model]]\nname = 'A/1'\narch = 'resnet'\nweights = '{}'\n{methods}{metrics}[output]\nresamples = 50\ngallery = 1\n",
        weights("resnet.safetensors")
    );
    Lab::with(&config, TABLES)
}

/// The plan's rows, by column.
fn plan(lab: &Lab, arguments: &[&str]) -> Vec<BTreeMap<String, String>> {
    lab.run(0, &[&["export-plan", "small.toml", "--out", "plan.csv"], arguments].concat());
    let mut csv = csv::Reader::from_path(lab.path("plan.csv")).unwrap();
    csv.deserialize().map(Result::unwrap).collect()
}

/// Explains every row of the plan and puts the raw maps where they belong in `folder`.
fn explain(lab: &Lab, plan: &[BTreeMap<String, String>], folder: &str, more: &[&str]) {
    for row in plan {
        let arguments = ["explain", "--arch", &row["arch"], "--weights", &row["weights"], "--class", &row["class"]];
        lab.run(0, &[&arguments[..], &["--image", &row["photo"], "--out", "one"], more].concat());
        let file = lab.path(folder).join(&row["file"]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::rename(lab.path("one/raw.npy"), file).unwrap();
    }
}

/// The values of a method's records, with what they are of.
fn values(lab: &Lab, run: &str, method: &str) -> Vec<(String, String)> {
    let journal = lab.read(run, "records.jsonl");
    let mut values = Vec::new();
    for line in journal.lines().skip(1) {
        let unit: serde_json::Value = serde_json::from_str(line).unwrap();
        for record in unit["outcome"]["Ok"].as_array().unwrap() {
            if record["method"] == method {
                let mut record = record.clone();
                let value = (record["value"].clone(), record["curve"].take(), record["counts"].take(), record["map"].take());
                record["value"].take();
                record["method"].take();
                values.push((record.to_string(), format!("{value:?}")));
            }
        }
    }
    values
}

const GRADCAM: &str = "[[method]]\nid = 'gradcam'\nucag = [false, true]\n";
const MINE: &str = "[[method]]\nkind = 'precomputed'\nname = 'Mine'\nmaps = 'maps'\npost = 'cam'\n";

#[test]
fn maps_that_were_written_here_score_as_their_methods() {
    let methods = format!("{GRADCAM}{MINE}maps_with_ucag = 'folded'\n");
    let lab = lab("mini-imagefolder", 3, &methods, &["deletion", "insertion"]);
    let plan = plan(&lab, &[]);
    assert_eq!(plan.len(), 3);
    explain(&lab, &plan, "maps", &["--method", "gradcam"]);
    explain(&lab, &plan, "folded", &["--method", "gradcam", "--ucag"]);
    lab.run(0, &["small.toml", "--out", "run"]);
    let mine = values(&lab, "run", "Mine");
    // Samples, with UCAG and without, metrics.
    assert_eq!(mine.len(), 3 * 2 * 2);
    assert_eq!(mine, values(&lab, "run", "gradcam"));
    // UCAG's maps are other maps, so that the comparison says something.
    let with: Vec<_> = mine.iter().filter(|(of, _)| of.contains("\"ucag\":true")).map(|(_, value)| value).collect();
    assert!(with.len() == 6 && mine.iter().filter(|(_, value)| with.contains(&value)).count() == 6);
    let table = lab.read("run", "small.csv");
    assert!(table.lines().any(|line| line.contains(",Mine,true,") && line.contains(",precomputed,")), "{table}");
    let page = lab.read("run", "small.md");
    assert!(page.contains("| Mine + UCAG    |"), "{page}");
    assert!(page.contains("- Mine: maps that were made elsewhere, `maps` and `folded` (with UCAG), finished as cam maps are."));
    assert!(lab.path("run/gallery/index.png").exists());
}
