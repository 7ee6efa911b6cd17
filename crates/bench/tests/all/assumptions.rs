//! Properties that a network's file doesn't prove: refused, stated in a config, or said wherever a
//! run's numbers are.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::lab::{TestRun, text, weights};
use crate::support::{GOOD, Scratch};
use bench::config::{Overrides, load};

const SENTENCE: &str = "conv1 has a bias, as in networks from Caffe";

fn fixture(file: &str) -> String {
    format!("{}/../ucag-core/tests/fixtures/stems/{file}", env!("CARGO_MANIFEST_DIR"))
}

/// A run with two networks; of one of them something must be assumed.
fn lab() -> TestRun {
    let config = format!(
        "[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = 4\n[[model]]\nname = 'biased'\narch = 'resnet'\nweights = '{}'\ninput_size = 64\n\
         [[model]]\nname = 'plain'\narch = 'resnet'\nweights = '{}'\n[[method]]\nid = 'gradcam'\n[[method]]\nid = 'random'\n\
         [[metric]]\nid = 'deletion'\nstep = 2048\n[output]\nresamples = 50\ngallery = 1\n",
        fixture("resnet_bias.safetensors"),
        weights("resnet.safetensors")
    );
    TestRun::with(&config, &[])
}

#[test]
fn an_assumption_is_said_wherever_the_numbers_are() {
    let lab = lab();
    let dry = text(&lab.run(0, &["small.toml", "--out", "run", "--dry-run"]).stdout);
    assert!(dry.contains(SENTENCE), "{dry}");
    let output = lab.run(0, &["small.toml", "--out", "run"]);
    let said = format!("biased: {SENTENCE}");
    assert_eq!(text(&output.stdout).matches(&said).count(), 1);
    assert!(text(&output.stderr).contains(&said), "at the start: {}", text(&output.stderr));
    for file in ["small.md", "report.html"] {
        assert_eq!(lab.read("run", file).matches(&said).count(), 1, "{file}");
    }
    let provenance: serde_json::Value = serde_json::from_str(&lab.read("run", "run.json")).unwrap();
    let models = provenance["models"].as_array().unwrap();
    assert_eq!([&models[0]["name"], &models[1]["name"]], ["biased", "plain"]);
    assert!(models[0]["assumptions"][0].as_str().unwrap().starts_with(SENTENCE));
    assert_eq!(models[1]["assumptions"], serde_json::json!([]));
    // Shards put together say the same.
    for shard in ["1/2", "2/2"] {
        lab.run(0, &["small.toml", "--out", "whole", "--shard", shard]);
    }
    let merged = lab.run(0, &["merge", "whole"]);
    assert_eq!(text(&merged.stdout).matches(&said).count(), 1);
    for file in ["small.md", "report.html", "small.csv"] {
        assert_eq!(lab.read("run", file), lab.read("whole", file), "{file}");
    }
    let merged: serde_json::Value = serde_json::from_str(&lab.read("whole", "run.json")).unwrap();
    assert_eq!(merged["models"], provenance["models"]);
}

fn explain(lab: &TestRun, name: &str, more: &[&str]) -> std::process::Output {
    let (weights, photo) = (fixture(name), fixture("photo.png"));
    let of = ["--arch", name.split('_').next().unwrap(), "--weights", &weights, "--image", &photo, "--class", "3"];
    lab.bench(&[&["explain"][..], &of, &["--method", "gradcam", "--out", "map"], more].concat())
}

#[test]
fn one_image_is_explained_by_what_is_stated() {
    let lab = lab();
    let explained = |output: std::process::Output| -> serde_json::Value {
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_str(&lab.read("map", "explain.json")).unwrap()
    };
    let output = explain(&lab, "resnet_bias.safetensors", &[]);
    assert!(text(&output.stdout).contains(SENTENCE));
    assert!(explained(output)["assumptions"][0].as_str().unwrap().starts_with(SENTENCE));
    let refused = explain(&lab, "resnet_cifar.safetensors", &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("State stem = \"cifar\" (stride 1, no max pool) or \"cifar-pool\""));
    let refused = explain(&lab, "resnet_cifar.safetensors", &["--stem", "cifar"]);
    assert!(text(&refused.stderr).contains("state input_size (32 for CIFAR)"), "{}", text(&refused.stderr));
    let normal = ["--mean", "0.5,0.5,0.5", "--std", "0.25, 0.25,0.25"];
    let stem = ["--stem", "cifar", "--input-size", "32"];
    let said = explained(explain(&lab, "resnet_cifar.safetensors", &[&normal[..], &stem].concat()));
    assert_eq!((&said["assumptions"], &said["input_size"]), (&serde_json::json!([]), &serde_json::json!([32, 32])));
    assert_eq!(said["normalised"], serde_json::json!({"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}));
    assert_eq!(said["arch"], "resnet (basic blocks [1, 2, 1, 1]), cifar stem");
    for (wrong, message) in [
        (&["--mean", "0.5"][..], "--std"),
        (&["--stem", "cifar10"], "is 'cifar10', expected 'imagenet', 'cifar' or 'cifar-pool'"),
        (&["--mean", "a,b,c", "--std", "1,1,1"], "--mean, --std: mean and std: 'a' in 'a,b,c' is no number"),
        (&["--transform-input", "true"], "has no such choice"),
    ] {
        let output = explain(&lab, "resnet_bias.safetensors", wrong);
        assert!(!output.status.success() && text(&output.stderr).contains(message), "{}", text(&output.stderr));
    }
}

#[test]
fn what_a_config_states_belongs_to_the_run() {
    let lab = lab();
    let cifar = format!(
        "model=[{{arch='resnet', weights='{}', input_size=32, stem='cifar'}}]",
        fixture("resnet_cifar.safetensors")
    );
    lab.run(0, &["small.toml", "--out", "cifar", "--limit", "1", "--set", &cifar]);
    assert!(
        lab.read("cifar", "small.md")
            .contains("resnet: Its input is taken to be normalised with ImageNet's statistics")
    );
    // The tensors don't tell this stem from the other one, so a run of one isn't continued with the
    // other.
    let pool = cifar.replace("'cifar'}", "'cifar-pool'}");
    let refused = text(&lab.run(1, &["small.toml", "--out", "cifar", "--limit", "1", "--set", &pool]).stderr);
    assert!(refused.contains("differs in models.0.variant"), "{refused}");
    let own = cifar.replace("stem=", "mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5], stem=");
    let refused = text(&lab.run(1, &["small.toml", "--out", "cifar", "--limit", "1", "--set", &own]).stderr);
    assert!(refused.contains("models.0.normalised"), "{refused}");
    let inception = |transforms: &str| {
        format!("model=[{{arch='inception_v3', weights='{}'{transforms}}}]", weights("inception_v3.safetensors"))
    };
    let run = |code, transforms: &str| {
        let model = inception(transforms);
        text(&lab.run(code, &["small.toml", "--out", "inception", "--limit", "1", "--set", &model]).stderr)
    };
    run(0, "");
    assert!(!lab.read("inception", "small.md").contains("transform_input"), "the file says it");
    assert!(run(1, ", transform_input=true").contains("differs in models.0.transform_input (null there, true here)"));
}

#[test]
fn what_is_wrong_in_a_config_is_said() {
    let error = |more: &str| {
        let scratch = Scratch::new();
        let text = GOOD.replace("weights = 'w.safetensors'", &format!("weights = 'w.safetensors'\n{more}"));
        let errors = load(&scratch.write("x.toml", text), &Overrides::default()).expect_err("it was taken").to_string();
        errors.rsplit_once("x.toml").unwrap().1.to_owned()
    };
    assert_eq!(
        error("stem = 'cifer'"),
        ":7: [[model]] stem: unknown value 'cifer'; did you mean 'cifar'? (one of imagenet, cifar, cifar-pool)"
    );
    assert_eq!(error("mean = 0.5"), ":7: [[model]] mean: needs 'std' beside it");
    assert_eq!(error("std = [1, 1, 1]"), ":7: [[model]] std: needs 'mean' beside it");
    assert!(error("mean = [120, 110, 100]\nstd = [1, 1, 1]").contains("divide numbers for pixels up to 255 by 255"));
    assert!(error("mean = [0.5, 0.5]\nstd = [1, 1]").contains("expected three numbers"));
    assert!(error("mean = 0.5\nstd = 0").contains("a deviation must be above 0, which 0 isn't"));
    assert!(error("transform_input = 'yes'").contains("transform_input: expected true or false"));
}
