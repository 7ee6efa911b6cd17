//! Configs, weights and data that change between runs or under them.

use std::path::Path;

use super::victim::{SAMPLES, assert_same, journal, report, signal, small, start, units, wait_for_units};
use crate::lab::{TestRun, text};

/// Refused with these words; the folder stays as it is, to the byte.
fn refused(lab: &TestRun, arguments: &[&str], words: &[&str]) {
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

/// The photo of the first sample.
const PHOTO: &str = "data/val/disc_checks/disc_checks_0001.png";

/// Puts another photo of as many bytes in a photo's place, and returns the old one.
fn change_photo(lab: &TestRun, path: &str) -> Vec<u8> {
    let old = std::fs::read(lab.path(path)).unwrap();
    let mut pixels = image::load_from_memory(&old).unwrap().into_rgb8();
    // A pixel that is another one leaves the length as it is, if not the first one that is tried.
    let new = (0..pixels.width()).find_map(|x| {
        let pixel = pixels.get_pixel_mut(x, 0);
        pixel.0[0] ^= 1;
        let mut bytes = std::io::Cursor::new(Vec::new());
        pixels.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        Some(bytes.into_inner()).filter(|bytes| bytes.len() == old.len())
    });
    std::fs::write(lab.path(path), new.unwrap()).unwrap();
    old
}

/// Two models, so that a sample has two units.
fn pair() -> TestRun {
    let lab = small();
    let config = lab.read("", "small.toml");
    lab.write(
        "small.toml",
        &config.replace("[[method]]\nid = 'gradcam'", "[[model]]\nname = 'B'\narch = 'resnet'\nweights = 'resnet.safetensors'\nlayer = 'layer3'\n[[method]]\nid = 'gradcam'"),
    );
    lab
}

/// Leaves the first `lines` of a run's journal.
fn cut(lab: &TestRun, run: &str, lines: usize) {
    let text = lab.read(run, "records.jsonl");
    lab.write(&format!("{run}/records.jsonl"), &text.split_inclusive('\n').take(lines).collect::<String>());
}

#[test]
fn a_photo_of_the_same_length_may_not_change_between_runs() {
    let lab = pair();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "3", "--workers", "1"]);
    lab.run(0, &["small.toml", "--out", "whole", "--limit", "5"]);
    let old = change_photo(&lab, PHOTO);
    assert_eq!(old.len(), std::fs::read(lab.path(PHOTO)).unwrap().len());
    let words = ["a sample: 'val/disc_checks/disc_checks_0001' (done with A, B)", PHOTO, "has changed (SHA-256 "];
    // Whether there is something to do or not.
    refused(&lab, &["--limit", "3"], &words);
    refused(&lab, &["--limit", "5"], &words);
    std::fs::rename(lab.path("run/gallery"), lab.path("kept")).unwrap();
    refused(&lab, &["--limit", "3"], &words);
    std::fs::rename(lab.path("kept"), lab.path("run/gallery")).unwrap();
    // One of the two units is done.
    cut(&lab, "run", 2);
    refused(&lab, &["--limit", "3"], &["(done with A) data/"]);
    // A run that doesn't have the sample isn't concerned, and one that hasn't begun takes the photo
    // as it is.
    lab.run(0, &["small.toml", "--out", "new", "--limit", "3"]);
    assert_ne!(lab.read("new", "records.jsonl"), lab.read("run", "records.jsonl"));
    // The photo back in its place, all goes on.
    std::fs::write(lab.path(PHOTO), old).unwrap();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "5"]);
    assert_same(&lab, "whole", "run");
    // Of many, a few are named.
    let scenes = ["disc_checks_0001", "disc_checks_0002", "disc_checks_0003", "disc_checks_0004", "disc_checks_0005"];
    scenes.iter().for_each(|scene| drop(change_photo(&lab, &format!("data/val/disc_checks/{scene}.png"))));
    refused(
        &lab,
        &["--limit", "5"],
        &["what was read of 5 samples: 'val/disc_checks/disc_checks_0001'", " and 2 more; put the files back"],
    );
    lab.run(0, &["small.toml", "--out", "run", "--limit", "5", "--fresh"]);
    lab.run(0, &["small.toml", "--out", "other", "--limit", "5"]);
    assert_same(&lab, "other", "run");
}

#[test]
fn a_photo_that_changes_under_a_run_fails_what_reads_it_later() {
    let lab = pair();
    lab.run(0, &["small.toml", "--out", "whole"]);
    lab.run(0, &["small.toml", "--out", "run"]);
    // Of every sample, the unit with A is done: even ones are.
    let text = lab.read("run", "records.jsonl");
    let even = |line: &&str| {
        !line.starts_with("{\"index\"")
            || line[9..].find([',']).is_some_and(|end| line[9..9 + end].parse::<usize>().unwrap() % 2 == 0)
    };
    lab.write("run/records.jsonl", &text.split_inclusive('\n').filter(even).collect::<String>());
    let mut child = start(&lab, "said", &["small.toml", "--out", "run", "--workers", "1"]);
    wait_for_units(&lab, &mut child, "run", SAMPLES + 2);
    signal(&child, "STOP");
    let last = "data/val/disc_stripes/disc_stripes_0010.png";
    let old = change_photo(&lab, last);
    signal(&child, "CONT");
    assert_eq!(child.wait().unwrap().code(), Some(3), "{}", lab.read("", "said"));
    let failures = lab.read("run", "failures.csv");
    assert_eq!(failures.lines().count(), 2, "{failures}");
    for word in
        ["disc_stripes_0010,B,", "disc_stripes_0010.png has changed (SHA-256 ", "since it was read first; put it back"]
    {
        assert!(failures.contains(word), "'{word}' in {failures}");
    }
    // What was computed from the photo as it was is there, and nothing of the other one.
    assert_eq!(units(&journal(&lab, "run")).0.len(), 2 * SAMPLES - 1);
    refused(&lab, &[], &["disc_stripes_0010' (done with A) data/"]);
    std::fs::write(lab.path(last), old).unwrap();
    lab.run(0, &["small.toml", "--out", "run"]);
    assert_eq!(units(&journal(&lab, "run")).0.len(), 2 * SAMPLES);
}

#[test]
fn journals_from_before_checksums_go_on() {
    let lab = pair();
    lab.run(0, &["small.toml", "--out", "whole", "--limit", "4"]);
    lab.run(0, &["small.toml", "--out", "run", "--limit", "3"]);
    let with = lab.read("run", "records.jsonl");
    let without: String = with
        .split_inclusive('\n')
        .map(|line| match line.find(",\"sha256\":\"") {
            Some(at) if line.starts_with("{\"index\"") => line[..at].to_owned() + &line[at + 76..],
            _ => line.to_owned(),
        })
        .collect();
    assert_eq!(with.len() - without.len(), 6 * 76);
    lab.write("run/records.jsonl", &without);
    let said = text(&lab.run(0, &["small.toml", "--out", "run", "--limit", "4"]).stderr);
    assert!(
        said.contains("6 units were recorded before checksums of samples were kept and can't be compared"),
        "{said}"
    );
    assert_same(&lab, "whole", "run");
    // What can't be told isn't; what is recorded since then is.
    change_photo(&lab, PHOTO);
    lab.run(0, &["small.toml", "--out", "run", "--limit", "4"]);
    change_photo(&lab, "data/val/disc_checks/disc_checks_0004.png");
    refused(&lab, &["--limit", "4"], &["a sample: 'val/disc_checks/disc_checks_0004'"]);
}
