//! Runs in parts: merged, they are the bytes of the run that was made at once.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;

use crate::folders::{assert_same, bytes, copy};
use crate::lab::{TestRun, text, weights};

/// Two data sets, three models, one of which takes its classes from another, published numbers and
/// failures to be.
fn table() -> TestRun {
    let config = "\
title = 'Small'
seed = 3
[[dataset]]
name = 'Scenes'
kind = 'mini-imagefolder'
root = 'data'
limit = 4
[[dataset]]
name = 'Objects'
kind = 'mini-imagenet-seg'
root = 'objects'
limit = 2
[[model]]
dataset = 'Scenes'
name = 'A'
arch = 'resnet'
weights = 'w.safetensors'
[[model]]
dataset = 'Objects'
name = 'A'
arch = 'resnet'
weights = 'w.safetensors'
[[model]]
dataset = 'Objects'
name = 'B'
arch = 'resnet'
weights = 'w.safetensors'
layer = 'layer3'
classes_from = 'A'
[[method]]
id = 'gradcam'
ucag = [false, true]
[[method]]
id = 'random'
[[method]]
id = 'uniform'
[[metric]]
id = 'deletion'
step = 4096
[[metric]]
id = 'insertion'
step = 8192
[output]
resamples = 200
gallery = 2
published = 'published.csv'
remark = 'Made up.'
";
    let lab = TestRun::with(config, &[]);
    std::fs::copy(weights("resnet.safetensors"), lab.path("w.safetensors")).unwrap();
    lab.write(
        "published.csv",
        "table,dataset,model,method,ucag,metric,value\n1,Scenes,A,GradCAM,true,deletion (%),12.5\n",
    );
    lab
}

fn units(lab: &TestRun, run: &str) -> Vec<usize> {
    let unit =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["index"].as_u64().unwrap() as usize;
    lab.read(run, "records.jsonl").lines().skip(1).map(unit).collect()
}

#[test]
fn shards_of_a_table_merge_to_the_bytes_of_the_whole_run() {
    let lab = table();
    // The third scene is no image, so that units fail, with and without shards.
    lab.run(0, &["small.toml", "--out", "first", "--limit", "1"]);
    std::fs::write(lab.path("data/val/disc_checks/disc_checks_0003.png"), "no image").unwrap();
    lab.run(3, &["small.toml", "--out", "whole"]);

    // A shard may begin with fewer samples, and go on.
    lab.run(0, &["small.toml", "--out", "run", "--shard", "1/3", "--limit", "1"]);
    let first = lab.run(0, &["small.toml", "--out", "run", "--shard", "1/3"]);
    assert!(text(&first.stderr).contains("resuming: 1 of 2 units are done"), "{}", text(&first.stderr));
    let second = lab.run(0, &["small.toml", "--out", "run", "--shard", "2/3", "--workers", "1"]);
    let said = text(&second.stdout);
    assert!(said.contains("shard 2 of 3: its 3 of 8 units are done\n"), "{said}");
    assert!(said.contains("When all 3 are done: bench merge run\n"), "{said}");
    let third = lab.run(3, &["small.toml", "--out", "run", "--shard", "3/3"]);
    assert!(text(&third.stdout).contains("its 3 of 8 units are done, 1 of them failed;"), "{}", text(&third.stdout));
    assert!(!lab.path("run/shards/2-of-3/small.md").exists(), "half a table misleads");

    // By hand: unit = sample × 3 models + model. Scenes 0 to 3 with model 0, objects 0 and 1 with
    // models 1 and 2. Shard 1 has every third scene from the first; the objects begin with shard 2.
    let sorted = |shard: &str| {
        let mut units = units(&lab, &format!("run/shards/{shard}"));
        units.sort_unstable();
        units
    };
    assert_eq!(sorted("1-of-3"), [0, 9]);
    assert_eq!(sorted("2-of-3"), [1, 2, 3]);
    assert_eq!(sorted("3-of-3"), [4, 5, 6]);

    // Merged where there is nothing else: no data, weights, config or published numbers.
    let elsewhere = TestRun::with("", &[]);
    std::fs::remove_file(elsewhere.path("small.toml")).unwrap();
    copy(&lab.path("run"), &elsewhere.path("run"));
    let output = elsewhere.run(3, &["merge", "run"]);
    assert_same(&lab.path("whole"), &elsewhere.path("run"));
    assert_eq!(units(&elsewhere, "run"), [0, 1, 2, 3, 4, 5, 6, 9], "in plan order");
    let said = text(&output.stdout);
    assert!(said.contains("GradCAM + UCAG") && said.contains("written to run:"), "{said}");
    let run: serde_json::Value = serde_json::from_str(&elsewhere.read("run", "run.json")).unwrap();
    let whole: serde_json::Value = serde_json::from_str(&lab.read("whole", "run.json")).unwrap();
    assert_eq!(run["units"], serde_json::json!({"planned": 8, "done": 7, "failed": 1, "done_by_earlier_runs": 1}));
    for key in ["title", "identity", "metrics", "versions", "samples", "data"] {
        assert_eq!(run[key], whole[key], "{key}");
    }
    let seconds = |shard: &str| {
        let run: serde_json::Value =
            serde_json::from_str(&lab.read(&format!("run/shards/{shard}"), "run.json")).unwrap();
        run["seconds"]["wall"].as_f64().unwrap()
    };
    let sum = seconds("1-of-3") + seconds("2-of-3") + seconds("3-of-3");
    assert!((run["seconds"]["wall"].as_f64().unwrap() - sum).abs() < 1e-9);
    assert_eq!(run["shards"][1]["command"].as_array().unwrap().last().unwrap(), "1");

    // Again, and under another name, from folders in any order.
    elsewhere.run(3, &["merge", "run"]);
    assert_same(&lab.path("whole"), &elsewhere.path("run"));
    let folders = ["run/shards/3-of-3", "run/shards/1-of-3", "run/shards/2-of-3"];
    elsewhere.run(3, &[&["merge", "--out", "other"], &folders[..]].concat());
    assert_same(&lab.path("whole"), &elsewhere.path("other"));

    // The merged folder is that of a run: only what failed is tried again.
    lab.run(3, &["merge", "run"]);
    let again = lab.run(3, &["small.toml", "--out", "run"]);
    assert!(text(&again.stderr).contains("resuming: 7 of 8 units are done"), "{}", text(&again.stderr));
    assert_eq!(bytes(&lab.path("whole")).remove("report.html"), bytes(&lab.path("run")).remove("report.html"));
    assert_eq!(bytes(&lab.path("whole")).keys().count(), bytes(&lab.path("run")).keys().count());
}

#[test]
fn a_figure_and_more_shards_than_samples() {
    let config = format!(
        "title = 'Small'\n[figure]\ncolumns = 'networks'\n\
         [dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nsamples = ['ring_stripes_0002', 'disc_checks_0001']\n\
         [[model]]\nname = 'A'\narch = 'resnet'\nweights = '{0}'\n\
         [[model]]\nname = 'B'\narch = 'resnet'\nweights = '{0}'\nlayer = 'layer3'\n\
         [[method]]\nid = 'gradcam'\nucag = [false, true]\n[[method]]\nid = 'lrp'\n",
        weights("resnet.safetensors")
    );
    let lab = TestRun::with(&config, &[]);
    lab.run(0, &["small.toml", "--out", "whole"]);
    for shard in ["1/3", "2/3", "3/3"] {
        lab.run(0, &["small.toml", "--out", "run", "--shard", shard]);
    }
    assert!(units(&lab, "run/shards/3-of-3").is_empty());
    assert_eq!(units(&lab, "run/shards/1-of-3").len(), 2, "both models of a sample");
    lab.run(0, &["merge", "run"]);
    assert_same(&lab.path("whole"), &lab.path("run"));
    // All is done, and the plates of all shards are kept.
    let again = lab.run(0, &["small.toml", "--out", "run"]);
    assert!(text(&again.stderr).contains("resuming: 4 of 4 units are done"), "{}", text(&again.stderr));
    assert_same(&lab.path("whole"), &lab.path("run"));
}

#[test]
fn segmentation_in_two_parts() {
    let config = format!(
        "title = 'Small'\n[dataset]\nkind = 'mini-imagenet-seg'\nroot = 'data'\nlimit = 3\n\
         [[model]]\nname = 'V'\narch = 'vgg'\nweights = '{}'\n\
         [[method]]\nid = 'gradcam'\nucag = [false, true]\n[[method]]\nid = 'center'\n[[method]]\nid = 'uniform'\n\
         [[metric]]\nid = 'map'\n[[metric]]\nid = 'pixel-accuracy'\n[[metric]]\nid = 'mean-iou'\n[[metric]]\nid = 'soft-ap'\n\
         [output]\nresamples = 100\ngallery = 1\n",
        weights("vgg.safetensors")
    );
    let lab = TestRun::with(&config, &[]);
    lab.run(0, &["small.toml", "--out", "whole"]);
    lab.run(0, &["small.toml", "--out", "run", "--shard", "2/2"]);
    lab.run(0, &["small.toml", "--out", "run", "--shard", "1/2"]);
    lab.run(0, &["merge", "run"]);
    assert_same(&lab.path("whole"), &lab.path("run"));
}

#[test]
fn maps_from_elsewhere_are_listed_as_in_the_whole_run() {
    let config = format!(
        "title = 'Small'\n[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nsamples = ['ring_stripes_0002', 'disc_checks_0001', 'disc_checks_0002']\n\
         [[model]]\nname = 'A'\narch = 'resnet'\nweights = '{}'\n\
         [[method]]\nkind = 'precomputed'\nname = 'Mine'\nmaps = 'maps'\npost = 'cam'\n\
         [[metric]]\nid = 'deletion'\nstep = 8192\n[output]\nresamples = 100\ngallery = 0\n",
        weights("resnet.safetensors")
    );
    let lab = TestRun::with(&config, &[]);
    lab.run(0, &["export-plan", "small.toml", "--out", "plan.csv"]);
    let mut csv = csv::Reader::from_path(lab.path("plan.csv")).unwrap();
    let files: Vec<BTreeMap<String, String>> = csv.deserialize().map(Result::unwrap).collect();
    // Samples that a config lists, and no others.
    assert_eq!(files.len(), 3);
    assert!(files[0]["file"].contains("ring_stripes_0002"), "{}", files[0]["file"]);
    // Of the last one there is no map: its unit fails, also where it is all that a shard has.
    for (seed, row) in files[..2].iter().enumerate() {
        let file = lab.path("maps").join(&row["file"]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let values: Vec<f32> = (0..16).map(|value| ((value * 7 + seed) % 16) as f32).collect();
        bench::io::npy::write(&file, &values, &[4, 4]).unwrap();
    }
    lab.run(3, &["small.toml", "--out", "whole"]);
    assert_eq!(lab.read("whole", "maps.csv").lines().count(), 3, "a head and two maps");
    for (code, shard, listed) in [(0, 1, 2), (0, 2, 2), (3, 3, 0)] {
        lab.run(code, &["small.toml", "--out", "run", "--shard", &format!("{shard}/3")]);
        assert_eq!(lab.read(&format!("run/shards/{shard}-of-3"), "maps.csv").lines().count(), listed, "its own only");
    }
    lab.run(3, &["merge", "run"]);
    assert_same(&lab.path("whole"), &lab.path("run"));
}
