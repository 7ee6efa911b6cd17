//! Whole runs of the program: same bytes whatever the workers, however it was stopped; what fails
//! is reported and loses nothing.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::process::Stdio;
use std::time::Duration;

use crate::lab::{TestRun, text, weights};

const TABLES: &[&str] = &["samples.csv", "curves.csv", "small.csv", "small.md"];

fn lab() -> TestRun {
    let config = format!(
        "title = 'Small'\nseed = 3\n[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = 4\n\
         [[model]]\nname = 'A'\narch = 'resnet'\nweights = '{0}'\n\
         [[model]]\nname = 'B'\narch = 'resnet'\nweights = '{0}'\nlayer = 'layer3'\ninput_size = 96\n\
         [[method]]\nid = 'gradcam'\nucag = [false, true]\n[[method]]\nid = 'random'\nucag = [false, true]\n[[method]]\nid = 'uniform'\n\
         [[metric]]\nid = 'deletion'\nstep = 4096\n[[metric]]\nid = 'insertion'\nstep = 4096\n[output]\nresamples = 200\ngallery = 1\n",
        weights("resnet.safetensors")
    );
    TestRun::with(&config, TABLES)
}

/// Puts a file that is no image into the data, in place of its third scene.
fn break_an_image(lab: &TestRun) {
    lab.run(0, &["small.toml", "--out", "first", "--limit", "1"]);
    std::fs::write(lab.path("data/val/disc_checks/disc_checks_0003.png"), "no image").unwrap();
}

#[test]
fn the_number_of_workers_changes_no_byte() {
    let lab = lab();
    let output = lab.run(0, &["small.toml", "--out", "one", "--workers", "1"]);
    lab.run(0, &["small.toml", "--out", "two", "--workers", "2"]);
    lab.assert_same_tables("one", "two");
    let samples = lab.read("one", "samples.csv");
    assert!(samples.starts_with("dataset,sample,class,difficult,model,method,ucag,variant,metric,value,map\n"));
    // 4 samples × 2 models × 5 rows × 2 metrics, and the head.
    assert_eq!(samples.lines().count(), 81);
    assert_eq!(
        samples.lines().filter(|line| line.ends_with(",constant")).count(),
        16,
        "the uniform map is degenerate, and kept"
    );
    let said = text(&output.stdout);
    assert!(said.contains("GradCAM + UCAG") && said.contains("samples.csv"), "{said}");
    for file in ["small.png", "small.svg", "curves.png", "run.json", "gallery/index.png", "records.jsonl"] {
        assert!(lab.path("one").join(file).exists(), "{file}");
    }
    let provenance: serde_json::Value = serde_json::from_str(&lab.read("one", "run.json")).unwrap();
    assert_eq!(provenance["units"]["done"], 8);
    // What the dry run says of a sample is what went through the network: one image, 36 views, and
    // the metrics' images, three ends and the points between them for each row and metric: three in
    // 16384 pixels, two in 9216. At layer3 GradCAM looks less deep than the controls, which have
    // UCAG's views for themselves.
    let went = |model: usize| provenance["views_through_the_networks"][model]["views"].as_u64().unwrap();
    assert_eq!((went(0), went(1)), (4 * (1 + 36 + 3 + 5 * 2 * 3), 4 * (1 + 2 * 36 + 3 + 5 * 2 * 2)));
    assert_eq!(provenance["identity"]["models"][0]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn a_run_that_is_killed_resumes_to_the_same_bytes() {
    let lab = lab();
    let start = std::time::Instant::now();
    lab.run(0, &["small.toml", "--out", "whole"]);
    let whole = start.elapsed();
    for moment in 1..=10u32 {
        // Moments spread over the run, by a multiplier that visits every tenth once.
        let moment = whole * (moment * 7 % 10 + 1) / 11;
        let mut child = lab
            .command(&["small.toml", "--out", "killed"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(moment.max(Duration::from_millis(5)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    lab.run(0, &["small.toml", "--out", "killed"]);
    lab.assert_same_tables("whole", "killed");
    // Nothing is left to do, and nothing changes.
    let journal = lab.read("killed", "records.jsonl");
    lab.run(0, &["small.toml", "--out", "killed"]);
    assert_eq!(lab.read("killed", "records.jsonl"), journal);
    lab.assert_same_tables("whole", "killed");
}

#[test]
fn a_run_is_extended_by_a_higher_limit() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "whole"]);
    lab.run(0, &["small.toml", "--out", "grown", "--limit", "1"]);
    let output = lab.run(0, &["small.toml", "--out", "grown"]);
    assert!(text(&output.stderr).contains("resuming: 2 of 8 units are done"));
    lab.assert_same_tables("whole", "grown");
}

#[test]
fn another_experiment_does_not_go_on_in_an_old_folder() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "1"]);
    let refused = lab.run(1, &["small.toml", "--out", "run", "--limit", "1", "--set", "protocol.coverage=true"]);
    let message = text(&refused.stderr);
    assert!(
        message.contains("holds a run that differs in config.protocol.coverage (\"plus-one\" there, \"true\" here)"),
        "{message}"
    );
    assert!(message.contains("--fresh"), "{message}");
    lab.run(0, &["small.toml", "--out", "run", "--limit", "1", "--set", "protocol.coverage=true", "--fresh"]);
    assert!(lab.read("run", "small.md").contains("official+coverage=true"));
}

#[test]
fn one_bad_sample_is_reported_and_the_rest_is_done() {
    let lab = lab();
    break_an_image(&lab);
    let output = lab.run(3, &["small.toml", "--out", "run"]);
    assert!(text(&output.stderr).contains("disc_checks_0003"), "{}", text(&output.stderr));
    let failures = lab.read("run", "failures.csv");
    assert_eq!(failures.lines().count(), 3, "a head and one line a model: {failures}");
    assert!(failures.contains("disc_checks_0003.png: "), "{failures}");
    assert_eq!(lab.read("run", "samples.csv").lines().count(), 61, "the other three samples are there");
    let strict = lab.run(1, &["small.toml", "--out", "strict", "--strict", "--workers", "1"]);
    assert!(text(&strict.stderr).contains("--strict stops at the first failure"));
    // Put right, the same command does only what is missing.
    std::fs::remove_dir_all(lab.path("data")).unwrap();
    let output = lab.run(1, &["small.toml", "--out", "run"]);
    assert!(text(&output.stderr).contains("differs in datasets.0.fingerprint"), "other data are another run");
    lab.run(0, &["small.toml", "--out", "run", "--fresh"]);
    assert!(!lab.path("run").join("failures.csv").exists());
}

#[test]
fn batches_of_views_change_nothing_beyond_rounding() {
    let lab = lab();
    let values = |run: &str| -> Vec<f64> {
        let text = lab.read(run, "samples.csv");
        text.lines().skip(1).map(|line| line.split(',').nth(9).unwrap().parse().unwrap()).collect()
    };
    for (run, batch) in [("a", "1"), ("b", "7"), ("c", "36")] {
        let set = format!("compute.views_per_batch={batch}");
        lab.run(0, &["small.toml", "--out", run, "--limit", "2", "--set", &set]);
    }
    let close = |a: Vec<f64>, b: Vec<f64>| a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-3) && a.len() == b.len();
    assert!(close(values("a"), values("b")) && close(values("a"), values("c")));
}

#[test]
fn a_dry_run_writes_nothing() {
    let lab = lab();
    let output = lab.run(0, &["small.toml", "--out", "run", "--dry-run"]);
    let plan = text(&output.stdout);
    assert!(plan.contains("4 of 100 samples") && plan.contains("8 units of work"), "{plan}");
    // A: the image, blurred and deleted; 5 rows × 2 metrics × 3 points between (16384 pixels in
    // steps of 4096).
    assert!(plan.contains("metrics: 3 images, and 30 images for each class"), "{plan}");
    assert!(plan.contains("with UCAG: 36 views of 182 × 182 in 6 passes, shared by 2 methods"), "{plan}");
    assert!(!lab.path("run").exists());
}

#[test]
fn embedded_data_is_made_where_the_config_says_only_by_a_run() {
    let lab = lab();
    let cache = lab.path("cache");
    let bench = |arguments: &[&str]| {
        let mut command = lab.command(&["small.toml", "--set", "dataset.root=fresh", "--limit", "1", "--out", "run"]);
        let output = command.args(arguments).env("XDG_CACHE_HOME", &cache).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        output
    };
    for _ in 0..2 {
        let plan = text(&bench(&["--dry-run"]).stdout);
        assert!(plan.contains("in fresh, 1 of 100 samples"), "{plan}");
        assert!(!lab.path("fresh").exists() && !lab.path("run").exists());
    }
    assert!(cache.join("ucag-bench/imagefolder/VERSION").exists());
    let said = text(&bench(&[]).stderr);
    assert!(said.contains(": drawing its scenes into fresh\n") && said.contains("made on this first use"), "{said}");
    assert!(lab.path("fresh/VERSION").exists());
    let said = text(&bench(&["--fresh"]).stderr);
    assert!(!said.contains("first use") && !said.contains("drawing"), "{said}");
}

#[test]
fn missing_files_are_named_all_at_once() {
    let lab = lab();
    let output = lab.run(
        2,
        &[
            "small.toml",
            "--set",
            "dataset.kind=imagenet",
            "--set",
            "dataset.root=nowhere",
            "--set",
            "model.0.weights=no.safetensors",
            "--set",
            "output.published=none.csv",
        ],
    );
    let message = text(&output.stderr);
    for part in [
        "no.safetensors",
        "nowhere",
        "none.csv",
        "scripts/convert_weights.py",
        "expected layout",
        "configs/mini/table1.toml",
    ] {
        assert!(message.contains(part), "{part} in\n{message}");
    }
}

#[test]
fn a_model_that_does_not_fit_the_run_is_refused_before_it_starts() {
    let lab = lab();
    let refused = |set: &str| text(&lab.run(1, &["small.toml", "--out", "run", "--set", set]).stderr);
    assert!(refused("model.0.layer=layr4").contains("model 'A': unknown layer 'layr4'; did you mean 'layer4'?"));
    assert!(refused("model.0.arch=resnet50").contains("not resnet50"));
    assert!(refused("model.0.arch=vgg").contains("features.0.weight: is missing"));
    std::fs::write(lab.path("short.safetensors"), [9, 0, 0, 0, 0, 0, 0, 0, b'{']).unwrap();
    assert!(refused("model.0.weights=short.safetensors").contains("short.safetensors: can't be read as safetensors"));
    assert!(refused("dataset.root=.").contains("this program didn't make it"));
    assert!(!lab.path("run").exists());
}

#[test]
fn explain_writes_what_it_says() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "1"]);
    let weights = weights("resnet.safetensors");
    let image = lab.path("data/val/star_stripes/star_stripes_0001.png").to_string_lossy().into_owned();
    let explain = |code: i32, more: &[&str]| {
        let base = ["explain", "--arch", "resnet", "--weights", &weights, "--method", "gradcam"];
        lab.run(code, &[&base, more].concat())
    };
    explain(0, &["--image", &image, "--class", "7", "--ucag", "--out", "e"]);
    let summary: serde_json::Value = serde_json::from_str(&lab.read("e", "explain.json")).unwrap();
    assert_eq!(summary["input_size"], serde_json::json!([128, 128]));
    let probability = summary["probability"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&probability) && summary["logit"].is_f64() && summary["predicted_class"].is_u64());
    let shape = |file: &str| {
        let bytes = std::fs::read(lab.path("e").join(file)).unwrap();
        npyz::NpyFile::new(&bytes[..]).unwrap().shape().to_vec()
    };
    // Views of 70 pixels at a stride of 12: a canvas of 130, resized to 128 for the metrics.
    assert_eq!(shape("raw.npy"), [130, 130]);
    assert_eq!(shape("saliency.npy"), [128, 128]);
    assert!(image::open(lab.path("e/overlay.png")).unwrap().to_rgb8().dimensions() == (128, 128));
    // Without UCAG the raw map has the layer's resolution.
    explain(0, &["--image", &image, "--class", "7", "--out", "e"]);
    assert_eq!(shape("raw.npy"), [4, 4]);

    let refused = |more: &[&str]| text(&explain(1, more).stderr);
    assert!(
        refused(&["--image", &image, "--class", "10", "--out", "x"])
            .contains("class 10: the network has 10 classes, 0 to 9")
    );
    assert!(refused(&["--image", "none.png", "--class", "0", "--out", "x"]).contains("none.png"));
    std::fs::write(lab.path("bad.npy"), "not numbers").unwrap();
    assert!(refused(&["--input", "bad.npy", "--class", "0", "--out", "x"]).contains("isn't a .npy file"));
    let npy = |name: &str, shape: &[u64], values: &[f32]| {
        use npyz::WriterBuilder;
        let mut bytes = Vec::new();
        let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        std::fs::write(lab.path(name), bytes).unwrap();
    };
    npy("grey.npy", &[1, 4, 4], &[0.0; 16]);
    assert!(
        refused(&["--input", "grey.npy", "--class", "0", "--out", "x"])
            .contains("has shape [1, 4, 4], expected [3, H, W]")
    );
    npy("nan.npy", &[3, 1, 1], &[0.0, f32::NAN, 0.0]);
    assert!(refused(&["--input", "nan.npy", "--class", "0", "--out", "x"]).contains("value 1 is not finite"));
    npy("wide.npy", &[3, 64, 96], &[0.5; 3 * 64 * 96]);
    explain(0, &["--input", "wide.npy", "--class", "0", "--ucag", "--out", "e"]);
    assert_eq!(shape("saliency.npy"), [64, 96]);
    assert_eq!(shape("raw.npy"), [65, 98]);
}
