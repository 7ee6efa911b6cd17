//! Runs of segmentation: the same bytes whatever the workers and however it was stopped; what is
//! wrong is said.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::process::Stdio;
use std::time::Duration;

use crate::lab::{TestRun, text, weights};

const TABLES: &[&str] = &["samples.csv", "small.csv", "small.md"];

fn lab() -> TestRun {
    let config = format!(
        "title = 'Small'\n[dataset]\nkind = 'mini-imagenet-seg'\nroot = 'data'\nlimit = 2\n\
         [[model]]\nname = 'V'\narch = 'vgg'\nweights = '{}'\n\
         [[model]]\nname = 'R'\narch = 'resnet'\nweights = '{}'\n\
         [[method]]\nid = 'fullgrad'\nucag = [false, true]\n[[method]]\nid = 'lrp'\nucag = [false, true]\n\
         [[method]]\nid = 'clrp'\n[[method]]\nid = 'center'\n[[method]]\nid = 'uniform'\n\
         [[metric]]\nid = 'map'\n[[metric]]\nid = 'pixel-accuracy'\n[[metric]]\nid = 'mean-iou'\n[[metric]]\nid = 'pixel-accuracy-mean'\n\
         [[metric]]\nid = 'soft-ap'\n[output]\nresamples = 100\ngallery = 1\n",
        weights("vgg.safetensors"),
        weights("resnet.safetensors")
    );
    TestRun::with(&config, TABLES)
}

#[test]
fn workers_and_kills_change_no_byte() {
    let lab = lab();
    let start = std::time::Instant::now();
    lab.run(0, &["small.toml", "--out", "one", "--workers", "1"]);
    let whole = start.elapsed();
    lab.run(0, &["small.toml", "--out", "two", "--workers", "2"]);
    lab.assert_same_tables("one", "two");
    for moment in 1..=3 {
        let mut child = lab
            .command(&["small.toml", "--out", "killed"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep((whole * moment / 5).max(Duration::from_millis(5)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    lab.run(0, &["small.toml", "--out", "killed"]);
    lab.assert_same_tables("one", "killed");
    lab.run(0, &["small.toml", "--out", "grown", "--limit", "1"]);
    lab.run(0, &["small.toml", "--out", "grown"]);
    lab.assert_same_tables("one", "grown");
}

#[test]
fn the_numbers_in_the_table_are_what_the_samples_come_to() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "run"]);
    let samples: Vec<Vec<String>> = lab
        .read("run", "samples.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    // 2 samples × 2 models × 7 rows × 5 metrics.
    assert_eq!(samples.len(), 140);
    let of = |model: &str, method: &str, ucag: bool, metric: &str| -> Vec<f64> {
        let ucag = ucag.to_string();
        let here = samples.iter().filter(|row| row[4..9] == [model, method, &ucag, "", metric].map(str::to_owned));
        here.map(|row| row[9].parse().unwrap()).collect()
    };
    let table = lab.read("run", "small.csv");
    let shown = |model: &str, method: &str, ucag: bool, metric: &str| -> f64 {
        let head = format!("mini-imagenet-seg,{model},{method},{ucag},,{metric},");
        table.lines().find(|line| line.starts_with(&head)).unwrap().split(',').nth(8).unwrap().parse().unwrap()
    };
    for model in ["V", "R"] {
        for (method, ucag) in [("fullgrad", true), ("lrp", false), ("lrp", true), ("clrp", false), ("center", false)] {
            let accuracy = of(model, method, ucag, "pixel-accuracy");
            // The precision of a thresholded map is a² + (1 − a)/2, of each image.
            for (a, precision) in accuracy.iter().zip(of(model, method, ucag, "map")) {
                assert!((precision - (a * a + (1.0 - a) / 2.0)).abs() < 1e-9, "{method}: {a}, {precision}");
            }
            // Every image has as many pixels, so that the pooled accuracy is the mean.
            let mean = accuracy.iter().sum::<f64>() / 2.0;
            assert!((shown(model, method, ucag, "pixel-accuracy") - mean).abs() < 1e-6);
        }
        // A map that is zero in its corners only, and a degenerate one: nearly all is object, and
        // all is background.
        let (all, none) = (of(model, "center", false, "pixel-accuracy"), of(model, "uniform", false, "pixel-accuracy"));
        all.iter().zip(&none).for_each(|(all, none)| assert!((all + none - 1.0).abs() < 1e-3, "{all} and {none}"));
        // Mean IoU is pooled: Σ background / Σ pixels for the one class, and nothing for the other.
        assert!((shown(model, "uniform", false, "mean-iou") - none.iter().sum::<f64>() / 2.0 / 2.0).abs() < 1e-6);
        assert!(shown(model, "center", false, "pixel-accuracy-mean") > 0.5, "objects lie around the middle");
    }
    let page = lab.read("run", "small.md");
    for part in
        ["mAP ↑", "Pixel accuracy ↑", "Mean IoU ↑", "mean, or quotient of sums as the metric has it, over 2 samples"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(std::fs::read_dir(lab.path("run/gallery")).unwrap().count() > 2);
    assert!(lab.path("run/small.svg").exists() && !lab.path("run/curves.svg").exists());
}

#[test]
fn a_dry_run_says_whose_class_is_explained_and_what_that_takes() {
    let lab = lab();
    let dry = |more: &[&str]| text(&lab.run(0, &[&["small.toml", "--out", "run", "--dry-run"], more].concat()).stdout);
    let said = dry(&[]);
    for part in [
        "mini-imagenet-seg in data, 2 of ",
        "explains its likeliest class of an image, which takes 1 image more",
        "in all     4 units of work",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = dry(&["--set", "model.1.classes_from=V"]);
    assert!(said.contains("explains V's likeliest class of an image"), "{said}");
    // What it says is what goes through the networks, for both samples: 1 for the class, and 1 and
    // 36 views twice, as FullGrad looks at what LRP needn't see.
    lab.run(0, &["small.toml", "--out", "run"]);
    let run: serde_json::Value = serde_json::from_str(&lab.read("run", "run.json")).unwrap();
    assert_eq!(run["views_through_the_networks"][0]["views"], 2 * (1 + 2 * 37));
}

#[test]
fn classes_of_another_model_make_another_run() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "1"]);
    let refused = lab.run(1, &["small.toml", "--out", "run", "--limit", "1", "--set", "model.1.classes_from=V"]);
    assert!(
        text(&refused.stderr).contains("differs in models.1.classes_from (null there, 0 here)"),
        "{}",
        text(&refused.stderr)
    );
}

#[test]
fn what_is_wrong_is_said() {
    let lab = lab();
    let refused = |code, arguments: &[&str]| {
        let arguments = [&["small.toml", "--out", "run"], arguments].concat();
        text(&lab.run(code, &arguments).stderr)
    };
    let says = |said: String, part: &str| assert!(said.contains(part), "{part}: {said}");
    says(
        refused(1, &["--set", "dataset.kind=mini-imagefolder", "--set", "dataset.root=f"]),
        "metric 'map' needs to know what of an image is the object, which data set 'mini-imagefolder' (mini-imagefolder) doesn't say",
    );
    says(
        refused(1, &["--set", "metric.1.id=pointing"]),
        "metric 'pointing' needs to know where a class is in an image, which data set 'mini-imagenet-seg' (mini-imagenet-seg) doesn't say",
    );
    says(
        refused(2, &["--set", "metric.1.id=pixel-acuracy"]),
        "unknown metric 'pixel-acuracy'; did you mean 'pixel-accuracy'?",
    );
    says(
        refused(2, &["--set", "model.0.classes_from=R"]),
        "no model above this one, on the same data set, is called 'R'",
    );
    says(refused(2, &["--set", "model.1.classes_from=W"]), "is called 'W'");
}
