//! Imports go one way: no stage of the program knows a later one.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders of `crates/bench/src`, each of which may import those before it. `run` comes behind
/// `report` since its workers draw the gallery's sheets.
const BENCH: &[&str] = &["io", "config", "plan", "records", "analysis", "report", "run", "commands"];

/// Modules of `crates/ucag-core/src`, likewise.
const CORE: &[&str] =
    &["suggest", "error", "image_ops", "protocol", "network", "forward", "pass", "propagate", "explain", "ucag"];

/// Modules of `crates/metrics/src`, likewise: metrics don't know the registry.
const METRICS: &[&str] = &[
    "error",
    "protocol",
    "averaging",
    "blur",
    "input",
    "endpoints",
    "metric",
    "deletion_insertion",
    "pointing_game",
    "energy_pointing_game",
    "segmentation",
    "density",
    "registry",
];

/// Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
}

/// The first names behind `crate::` in a text, those in braces included.
fn imports(text: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for (at, found) in text.match_indices("crate::") {
        if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &text[at + found.len()..];
        match rest.strip_prefix('{') {
            None => names.extend([word(rest)]),
            Some(list) => names.extend(list.split('}').next().unwrap().split(',').map(|item| word(item.trim_start()))),
        }
    }
    names
}

/// Imports of a later stage, a line each.
fn wrong(source: &Path, order: &[&str]) -> Vec<String> {
    let stage = |name: &str| order.iter().position(|known| *known == name);
    let mut wrong = Vec::new();
    for file in files(source) {
        let inside = file.strip_prefix(source).unwrap();
        let first = inside.iter().next().unwrap().to_string_lossy();
        let Some(own) = stage(first.trim_end_matches(".rs")) else { continue };
        let text = std::fs::read_to_string(&file).unwrap();
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for name in imports(&code) {
            if stage(&name).is_some_and(|other| other > own) {
                wrong.push(format!("{} imports crate::{name}", inside.display()));
            }
        }
    }
    wrong.sort();
    wrong
}

#[test]
fn no_stage_imports_a_later_one() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (name, order) in [("bench", BENCH), ("ucag-core", CORE), ("metrics", METRICS)] {
        let source = crates.join(name).join("src");
        for stage in order {
            let found = source.join(stage).is_dir() || source.join(format!("{stage}.rs")).is_file();
            assert!(found, "{name} has no stage '{stage}' any more; take it out of the list");
        }
        assert_eq!(wrong(&source, order), Vec::<String>::new(), "{name}: these imports go the wrong way");
    }
}

#[test]
fn libraries_stand_without_each_other() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for name in ["ucag-core", "metrics", "datasets"] {
        let text = std::fs::read_to_string(crates.join(name).join("Cargo.toml")).unwrap();
        let needed = text.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
        for line in needed.lines() {
            let other = line.split(['.', ' ']).next().unwrap();
            let own = ["ucag-core", "metrics", "datasets", "bench", "fuzzing"].contains(&other);
            assert!(!own, "{name} depends on {other}: convert between the two in bench");
        }
    }
}

#[test]
fn an_import_of_a_later_stage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("io/a.rs", "use crate::{plan::Plan, config};"),
        ("plan/b.rs", "fn f() { crate::io::write(); crate::report::draw() }"),
        ("report/c.rs", "use crate::plan::Plan;"),
    ] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let found = wrong(folder.path(), &["io", "plan", "report"]);
    assert_eq!(found, ["io/a.rs imports crate::plan", "plan/b.rs imports crate::report"]);
}
