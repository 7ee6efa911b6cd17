//! Commands that only look write nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::victim::small;
use crate::lab::{TestRun, text};

/// Every file and folder below, with its time and its bytes.
fn tree(folder: &Path) -> BTreeMap<String, (Option<SystemTime>, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let modified = entry.metadata().unwrap().modified().ok();
            let bytes = if path.is_dir() { Vec::new() } else { std::fs::read(&path).unwrap() };
            found.insert(path.display().to_string(), (modified, bytes));
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

fn unchanged(lab: &TestRun, arguments: &[&str]) {
    let before = tree(&lab.path(""));
    let output = lab.run(0, arguments);
    assert!(!text(&output.stdout).is_empty());
    let after = tree(&lab.path(""));
    let changed: Vec<_> =
        after.iter().filter(|(name, of)| before.get(*name) != Some(of)).map(|(name, _)| name).collect();
    assert!(changed.is_empty() && before.len() == after.len(), "{arguments:?} wrote {changed:?}");
}

#[test]
fn what_only_looks_writes_nothing() {
    let lab = small();
    // The scenes aren't drawn into the configured folder for it, either.
    unchanged(&lab, &["small.toml", "--dry-run"]);
    // Once, so that the data are there.
    lab.run(0, &["small.toml", "--out", "run", "--limit", "3"]);
    lab.run(0, &["small.toml", "--out", "other", "--limit", "2", "--set", "seed=5"]);
    lab.run(0, &["export-plan", "small.toml", "--out", "plan.csv"]);
    let map = "[[method]]\nkind = 'precomputed'\nname = 'Mine'\nmaps = 'maps'\npost = 'plain'\n";
    lab.write("mine.toml", &(lab.read("", "small.toml") + map));
    for row in csv::Reader::from_path(lab.path("plan.csv")).unwrap().deserialize::<BTreeMap<String, String>>() {
        let path = lab.path("maps").join(&row.unwrap()["file"]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        bench::io::npy::write(&path, &[0.0, 1.0], &[1, 2]).unwrap();
    }
    for arguments in [
        &["small.toml", "--dry-run"][..],
        &["small.toml", "--dry-run", "--out", "run"],
        &["small.toml", "--dry-run", "--fresh", "--out", "run"],
        &["small.toml", "--dry-run", "--out", "new/folder"],
        &["small.toml", "--dry-run", "--shard", "1/3"],
        &["mine.toml", "--dry-run"],
        &["mine.toml", "small.toml", "--dry-run"],
        &["list", "methods"],
        &["list", "datasets"],
        &["compare", "run", "other"],
    ] {
        unchanged(&lab, arguments);
    }
}
