//! Devices, as far as a machine without a GPU can tell; and galleries that are asked for when a run
//! is done.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::lab::{TestRun, text, weights};

fn lab() -> TestRun {
    let config = format!(
        "title = 'Small'\nseed = 3\n[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = 3\n\
         [[model]]\nname = 'A'\narch = 'resnet'\nweights = '{}'\n[[method]]\nid = 'gradcam'\n\
         [[metric]]\nid = 'deletion'\nstep = 8192\n[output]\nresamples = 50\ngallery = 0\n",
        weights("resnet.safetensors")
    );
    TestRun::with(&config, &["samples.csv", "small.csv"])
}

/// As if a GPU had made the run.
fn made_on_a_gpu(lab: &TestRun, run: &str) {
    let here = lab.read(run, "records.jsonl");
    let there = here.replacen("\"identity\":{", "\"identity\":{\"device\":\"cuda\",", 1);
    assert_ne!(here, there);
    lab.write(&format!("{run}/records.jsonl"), &there);
}

#[test]
fn explain_takes_a_device() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "1"]);
    let weights = weights("resnet.safetensors");
    let image = lab.path("data/val/star_stripes/star_stripes_0001.png").to_string_lossy().into_owned();
    let arguments = ["explain", "--arch", "resnet", "--weights", &weights, "--image", &image, "--class", "7"];
    let explain = |code: i32, more: &[&str]| lab.run(code, &[&arguments[..], &["--method", "gradcam"], more].concat());
    explain(0, &["--out", "plain"]);
    explain(0, &["--out", "named", "--device", "cpu"]);
    let map = |run: &str| std::fs::read(lab.path(run).join("raw.npy")).unwrap();
    assert_eq!(map("plain"), map("named"));
    let summary: serde_json::Value = serde_json::from_str(&lab.read("named", "explain.json")).unwrap();
    assert_eq!(summary["device"], "cpu");
    for (device, problem) in [
        ("gpu", "--device gpu: unknown device 'gpu'; expected cpu or cuda:N, for instance cuda:0"),
        // However many GPUs there are, they aren't that many.
        ("cuda:4096", "--device cuda:4096: cuda:4096 was asked for, but "),
    ] {
        let said = text(&explain(2, &["--out", "none", "--device", device]).stderr);
        assert!(said.starts_with(&format!("error: {problem}")), "{said}");
    }
    assert!(!lab.path("none").exists());
}

#[test]
fn a_run_on_a_gpu_is_not_continued_without_one() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "one"]);
    lab.run(0, &["small.toml", "--out", "other"]);
    made_on_a_gpu(&lab, "one");
    let refused = text(&lab.run(1, &["small.toml", "--out", "one"]).stderr);
    assert!(refused.contains("holds a run that differs in device (\"cuda\" there, null here)"), "{refused}");
    // They may be compared, and it is said.
    let said = text(&lab.run(0, &["compare", "one", "other"]).stdout);
    assert!(said.contains("run: device is \"cuda\" in one, not said in other"), "{said}");
}

#[test]
fn shards_are_all_of_gpus_or_none_is() {
    let lab = lab();
    for shard in ["1/2", "2/2"] {
        lab.run(0, &["small.toml", "--out", "whole", "--shard", shard]);
    }
    made_on_a_gpu(&lab, "whole/shards/2-of-2");
    let refused = text(&lab.run(1, &["merge", "whole"]).stderr);
    assert!(refused.contains("it differs in device (null there, \"cuda\" here)"), "{refused}");
    // Where they are put together there need be no GPU.
    made_on_a_gpu(&lab, "whole/shards/1-of-2");
    lab.run(0, &["merge", "whole"]);
    assert!(lab.read("whole", "records.jsonl").contains("\"device\":\"cuda\""));
}

#[test]
fn a_gallery_that_is_made_larger_gets_its_sheets() {
    let lab = lab();
    let (one, two) = ("output.gallery=1", "output.gallery=2");
    lab.run(0, &["small.toml", "--out", "grown"]);
    let tables = lab.read("grown", "samples.csv");
    let sheets = || {
        let entries = std::fs::read_dir(lab.path("grown/gallery")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.starts_with("0000") && name.ends_with(".png"));
        names.sort();
        names
    };
    let resumed = || -> u64 {
        let provenance: serde_json::Value = serde_json::from_str(&lab.read("grown", "run.json")).unwrap();
        provenance["units"]["done_by_earlier_runs"].as_u64().unwrap()
    };
    lab.run(0, &["small.toml", "--out", "grown", "--set", one]);
    assert_eq!((sheets().len(), resumed()), (1, 2));
    lab.run(0, &["small.toml", "--out", "grown", "--set", two]);
    assert_eq!((sheets().len(), resumed()), (2, 2), "only the second sample is done again");
    lab.run(0, &["small.toml", "--out", "grown", "--set", two]);
    assert_eq!(resumed(), 3, "nothing is");
    // It is the gallery, and the table, of a run that was made so from the beginning.
    assert_eq!(lab.read("grown", "samples.csv"), tables);
    lab.run(0, &["small.toml", "--out", "whole", "--set", two]);
    for name in sheets() {
        let [grown, whole] = ["grown", "whole"].map(|run| std::fs::read(lab.path(run).join("gallery").join(&name)));
        assert_eq!(grown.unwrap(), whole.unwrap(), "{name}");
    }
    // A smaller one keeps what is there.
    lab.run(0, &["small.toml", "--out", "grown", "--set", one]);
    assert_eq!((sheets().len(), resumed()), (2, 3));
}
