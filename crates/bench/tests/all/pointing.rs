//! Runs of the pointing games: two data sets in one table, the same bytes whatever the workers and
//! however it was stopped.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::process::Stdio;
use std::time::Duration;

use crate::lab::{TestRun, weights};

const TABLES: &[&str] = &["samples.csv", "classes.csv", "small.csv", "small.md"];

const METHODS: &str = "\
[[method]]
id = 'center-point'
[[method]]
id = 'gradient'
[[method]]
id = 'cmwp'
[[method]]
id = 'rise'
masks = 12
[[method]]
id = 'gradcam'
ucag = [false, true]
[[method]]
id = 'extremal'
dataset = 'V'
areas = [0.1, 0.2]
iterations = 3
[[method]]
id = 'cameras'
resolutions = [128, 160]
[[metric]]
id = 'pointing'
[[metric]]
id = 'energy'
[output]
resamples = 100
gallery = 1
";

fn lab() -> TestRun {
    let data = "[[dataset]]\nname = 'V'\nkind = 'mini-voc07'\nroot = 'voc'\nlimit = 3\n\
                [[dataset]]\nname = 'C'\nkind = 'mini-coco14'\nroot = 'coco'\nlimit = 2\n";
    let weights = weights("vgg_multilabel.safetensors");
    let model = |on: &str| format!("[[model]]\nname = 'A'\ndataset = '{on}'\narch = 'vgg'\nweights = '{weights}'\n");
    TestRun::with(&format!("title = 'Small'\n{data}{}{}{METHODS}", model("V"), model("C")), TABLES)
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
        std::thread::sleep((whole * moment / 4).max(Duration::from_millis(5)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    lab.run(0, &["small.toml", "--out", "killed"]);
    lab.assert_same_tables("one", "killed");
    let grown = ["small.toml", "--out", "grown", "--set", "dataset.0.limit=1"];
    lab.run(0, &grown);
    lab.run(0, &["small.toml", "--out", "grown"]);
    lab.assert_same_tables("one", "grown");
}

#[test]
fn pairs_subsets_and_remarks_are_in_the_tables() {
    let lab = lab();
    let output = lab.run(0, &["small.toml", "--out", "run"]);
    let samples = lab.read("run", "samples.csv");
    assert!(
        samples.starts_with("dataset,sample,class,difficult,model,method,ucag,variant,metric,value,map\n"),
        "{samples}"
    );
    let count = |what: &[&str]| samples.lines().filter(|line| what.iter().all(|part| line.contains(part))).count();
    let pairs = count(&["V,", ",gradcam,true,,pointing,"]);
    assert!(pairs > 3, "several classes an image");
    assert_eq!(count(&["V,", ",extremal,false,,pointing,"]), pairs);
    assert_eq!(count(&["C,", ",extremal,"]), 0, "it is for the other data set only");
    for line in samples.lines().filter(|line| line.contains(",pointing,")) {
        let value = line.split(',').nth(9).unwrap();
        assert!(value == "0" || value == "1", "{line}");
    }
    let page = lab.read("run", "small.md");
    assert!(page.contains("## V") && page.contains("## C") && page.contains("difficult"), "{page}");
    assert!(page.contains("definition"), "where the difficult subset comes from: {page}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("GradCAM + UCAG"));
    assert!(std::fs::read_dir(lab.path("run/gallery")).unwrap().count() > 2);
}

#[test]
fn a_dry_run_says_what_methods_share_and_what_each_adds() {
    let lab = lab();
    let text = String::from_utf8(lab.run(0, &["small.toml", "--out", "run", "--dry-run"]).stdout).unwrap();
    for part in [
        "data       V: mini-voc07 in voc, 3 of ",
        "without UCAG: 1 image, shared by 7 methods and all classes",
        "RISE 12",
        "for each class Gradient 1, ExtremalPerturbation 18 forward passes",
        "with UCAG: 36 views of ",
        "in all     5 units of work",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let lab = lab();
    let refused = |code, arguments: &[&str]| {
        let arguments = [&["small.toml", "--out", "run"], arguments].concat();
        String::from_utf8(lab.run(code, &arguments).stderr).unwrap()
    };
    let imagefolder = refused(
        1,
        &["--set", "dataset.0.kind=mini-imagefolder", "--set", "dataset.0.root=f", "--set", "dataset.0.name=V"],
    );
    assert!(imagefolder.contains("metric 'pointing' needs to know where a class is"), "{imagefolder}");
    lab.write("flags.txt", "000001\t1\n");
    let flags = refused(1, &["--set", "dataset.0.difficult=flags.txt"]);
    assert!(flags.contains("flags.txt:1: "), "{flags}");
    let flags = refused(1, &["--set", "dataset.0.difficult=none.txt"]);
    assert!(flags.contains("none.txt"), "{flags}");
    let predicted = refused(1, &["--set", "protocol.target=predicted"]);
    assert!(predicted.contains("metric 'pointing' is played with every class that is annotated"), "{predicted}");
    let layer = refused(1, &["--set", "model.0.middle=layer3"]);
    assert!(layer.contains("unknown layer 'layer3'"), "{layer}");
    // The photos are too small for this form: each of them fails, the other data set's don't.
    let form = refused(3, &["--set", "model.0.form=convolutional"]);
    assert!(form.contains("failed: JPEGImages/000001 with A: layer classifier.0, for an input of ["), "{form}");
}
