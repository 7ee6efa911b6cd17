//! Exit codes are those that the help and the docs promise.

use std::path::Path;

use super::victim::{signal, small, start, wait_for_units};
use crate::lab::text;

#[test]
fn every_exit_code_is_documented_and_given() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "1"]);
    lab.run(0, &["small.toml", "--out", "run", "--limit", "1", "--dry-run"]);
    lab.run(0, &["--version"]);
    // 1: what is there can't be used.
    lab.run(1, &["small.toml", "--out", "run", "--limit", "1", "--set", "seed=1"]);
    lab.run(1, &["small.toml", "--out", "small.toml"]);
    // 2: nothing could be begun.
    lab.run(2, &[]);
    lab.run(2, &["small.toml", "--no-such-flag"]);
    lab.run(2, &["none.toml"]);
    lab.run(2, &["small.toml", "--set", "seeed=1"]);
    lab.run(2, &["small.toml", "--set", "model.0.weights=none.safetensors"]);
    lab.run(2, &["compare", "run", "nowhere"]);
    // 3: some samples failed; 1: with --strict.
    std::fs::write(lab.path("data/val/disc_checks/disc_checks_0002.png"), "no image").unwrap();
    lab.run(3, &["small.toml", "--out", "some", "--limit", "3"]);
    lab.run(1, &["small.toml", "--out", "strict", "--limit", "3", "--strict"]);
    // Of several configs, the worst.
    lab.write("other.toml", &lab.read("", "small.toml").replace("'Small'", "'Other'"));
    lab.run(3, &["small.toml", "other.toml", "--set", "dataset.limit=3"]);
    lab.run(3, &["other.toml", "--limit", "3", "--out", "some"]);
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let mut child = start(&lab, "said", &["small.toml", "--out", name, "--workers", "1"]);
        wait_for_units(&lab, &mut child, name, 1);
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code));
    }

    let help = text(&lab.run(0, &["--help"]).stdout);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/exit-codes.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    for code in [0, 1, 2, 3, 130] {
        assert!(help.lines().any(|line| line.starts_with(&format!("  {code} "))), "{code} in {help}");
    }
    for code in [0, 1, 2, 3, 130, 143] {
        assert!(docs.lines().any(|line| line.starts_with(&format!("| {code} |"))), "{code} in {docs}");
    }
}
