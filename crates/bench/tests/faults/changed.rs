//! Configs, weights and data that change between runs or under them.

use std::path::Path;

use crate::lab::{Lab, text};
use crate::victim::{assert_same, journal, report, signal, small, start, wait_for_units};

/// Refused with these words; the folder stays as it is, to the byte.
fn refused(lab: &Lab, arguments: &[&str], words: &[&str]) {
    let before = (std::fs::read(lab.path("run/records.jsonl")).unwrap(), report(lab, "run"));
    let said = text(&lab.run(1, &[&["small.toml", "--out", "run"], arguments].concat()).stderr);
    for word in words.iter().chain(&["holds a run that differs in", "start over with --fresh"]) {
        assert!(said.contains(word), "'{word}' in {said}");
    }
    assert!(before == (std::fs::read(lab.path("run/records.jsonl")).unwrap(), report(lab, "run")));
}

/// Other weights of the same shapes: the last value has another sign.
fn change_weights(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 0x80;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn what_a_run_depends_on_may_not_change_between_runs() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "3"]);
    let config = lab.read("", "small.toml");
    lab.write("small.toml", &config.replace("[dataset]", "seed = 7\n[dataset]"));
    refused(&lab, &["--limit", "3"], &["config.seed (0 there, 7 here)"]);
    lab.write("small.toml", &config.replace("[[method]]\nid = 'random'\n", ""));
    refused(&lab, &["--limit", "3"], &["config.methods"]);
    // What no number depends on may change.
    lab.write("small.toml", &config.replace("'Small'", "'Another title'"));
    lab.run(0, &["small.toml", "--out", "run", "--limit", "3"]);
    lab.write("small.toml", &config);

    change_weights(&lab.path("resnet.safetensors"));
    refused(&lab, &["--limit", "3"], &["models.0.sha256"]);
    let old = lab.read("run", "samples.csv");
    lab.run(0, &["small.toml", "--out", "run", "--limit", "3", "--fresh"]);
    assert_ne!(lab.read("run", "samples.csv"), old, "the new weights are those that count");

    let image = lab.path("data/val/disc_checks/disc_checks_0001.png");
    let mut bytes = std::fs::read(&image).unwrap();
    bytes.push(0);
    std::fs::write(&image, bytes).unwrap();
    refused(&lab, &["--limit", "3"], &["datasets.0.fingerprint"]);
    lab.run(0, &["small.toml", "--out", "run", "--limit", "3", "--fresh"]);
    lab.run(0, &["small.toml", "--out", "new", "--limit", "3"]);
    assert_same(&lab, "new", "run");
}

#[test]
fn weights_that_change_under_a_run_do_not_count_until_the_next() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    let mut child = start(&lab, "said", &["small.toml", "--out", "run", "--workers", "1"]);
    wait_for_units(&lab, &mut child, "run", 2);
    signal(&child, "STOP");
    // In its place, cut short, and gone.
    change_weights(&lab.path("resnet.safetensors"));
    let changed = std::fs::read(lab.path("resnet.safetensors")).unwrap();
    std::fs::write(lab.path("resnet.safetensors"), &changed[..100]).unwrap();
    std::fs::remove_file(lab.path("resnet.safetensors")).unwrap();
    lab.write("small.toml", &lab.read("", "small.toml").replace("random", "uniform"));
    signal(&child, "CONT");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", lab.read("", "said"));
    assert_same(&lab, "whole", "run");
    let before = journal(&lab, "run");
    std::fs::write(lab.path("resnet.safetensors"), changed).unwrap();
    refused(&lab, &[], &["models.0.sha256", "config.methods"]);
    assert_eq!(journal(&lab, "run"), before);
}
