//! Helpers of tests of runs in parts: whole folders.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::Path;

/// Everything in a run's folder but what needn't be the same: `run.json`, and the order of the
/// units in the journal.
pub(crate) fn bytes(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    gather(run, "", &mut files);
    files.retain(|name, _| name != "run.json" && !name.starts_with("shards/"));
    if let Some(journal) = files.get_mut("records.jsonl") {
        let mut lines: Vec<&[u8]> = journal.split_inclusive(|&byte| byte == b'\n').collect();
        lines[1..].sort_unstable();
        *journal = lines.concat();
    }
    files
}

fn gather(folder: &Path, above: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{above}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            gather(&path, &format!("{name}/"), files);
        } else {
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
}

/// Asserts that two runs' folders hold the same.
#[track_caller]
pub(crate) fn assert_same(one: &Path, other: &Path) {
    let [one, other] = [one, other].map(bytes);
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, bytes) in &one {
        assert!(*bytes == other[name], "{name} differs");
    }
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let there = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &there);
        } else {
            std::fs::copy(path, there).unwrap();
        }
    }
}
