//! A quick run to do harm to, and what must be true of it afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{TestRun, weights};

/// Samples of the run, each a unit.
pub(crate) const SAMPLES: usize = 24;

/// The file that holds what is finished.
pub(crate) const JOURNAL: &str = "records.jsonl";

/// A lab whose `small.toml` has units of some milliseconds; the weights are a copy.
pub(crate) fn small() -> TestRun {
    let lab = TestRun::with(
        &format!(
            "title = 'Small'\n[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = {SAMPLES}\n\
             [[model]]\nname = 'A'\narch = 'resnet'\nweights = 'resnet.safetensors'\n\
             [[method]]\nid = 'gradcam'\n[[method]]\nid = 'random'\n\
             [[metric]]\nid = 'positive-map-density'\n[output]\nresamples = 200\ngallery = 2\n"
        ),
        &[],
    );
    std::fs::copy(weights("resnet.safetensors"), lab.path("resnet.safetensors")).unwrap();
    lab
}

/// The whole lines of a run's journal; none where it isn't there yet. What follows the last newline
/// is left out.
pub(crate) fn journal(lab: &TestRun, run: &str) -> Vec<u8> {
    let mut bytes = std::fs::read(lab.path(run).join(JOURNAL)).unwrap_or_default();
    bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1));
    bytes
}

/// Units with records, and ids of failed samples, by a journal's lines. No unit may have records
/// twice.
pub(crate) fn units(journal: &[u8]) -> (BTreeSet<u64>, BTreeSet<String>) {
    let (mut done, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for line in journal.split(|&byte| byte == b'\n').skip(1).filter(|line| !line.is_empty()) {
        let unit: Value = serde_json::from_slice(line).unwrap();
        match unit["outcome"].get("Err") {
            // What failed is tried again by every run that resumes.
            Some(failure) => drop(failed.insert(failure["sample"].as_str().unwrap().to_owned())),
            None => assert!(done.insert(unit["index"].as_u64().unwrap()), "unit {} is there twice", unit["index"]),
        }
    }
    (done, failed)
}

/// Every file of a run, by its path in the run folder. Left out is what isn't the same from one run
/// to another: the journal's order and `run.json`, which has times.
pub(crate) fn report(lab: &TestRun, run: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(&lab.path(run), "", &mut files);
    files.retain(|name, _| name != JOURNAL && name != "run.json");
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type().unwrap().is_dir() {
            true => collect(&entry.path(), &format!("{name}/"), files),
            false => drop(files.insert(name, std::fs::read(entry.path()).unwrap())),
        }
    }
}

/// The files of two finished runs are the same, byte for byte, and none is left of what was being
/// written.
pub(crate) fn assert_same(lab: &TestRun, whole: &str, other: &str) {
    let (whole_files, other_files) = (report(lab, whole), report(lab, other));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&whole_files), names(&other_files));
    assert!(whole_files.contains_key("samples.csv") && whole_files.contains_key("small.md"));
    for (name, bytes) in &whole_files {
        assert!(*bytes == other_files[name], "{name} of {whole} and {other} differ");
    }
    assert_eq!(units(&journal(lab, whole)), units(&journal(lab, other)));
    let provenance: Value = serde_json::from_str(&lab.read(other, "run.json")).unwrap();
    assert_eq!(
        provenance["units"]["planned"],
        units(&journal(lab, whole)).0.len() + units(&journal(lab, whole)).1.len()
    );
}

/// Starts a run; what it says on standard error goes to a file.
pub(crate) fn start(lab: &TestRun, said: &str, arguments: &[&str]) -> Child {
    let said = std::fs::File::create(lab.path(said)).unwrap();
    lab.command(arguments).stdout(Stdio::null()).stderr(said).spawn().unwrap()
}

/// Waits until something is true, looking every other millisecond; or the process has ended, which
/// is returned.
pub(crate) fn wait_until(child: &mut Child, what: &str, mut is_true: impl FnMut() -> bool) -> Option<ExitStatus> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if is_true() {
            return None;
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a run has written this many units.
pub(crate) fn wait_for_units(lab: &TestRun, child: &mut Child, run: &str, count: usize) {
    let ended = wait_until(child, "units", || units(&journal(lab, run)).0.len() >= count);
    assert!(ended.is_none(), "the run ended too early: {ended:?}");
}

/// Sends a signal by its name.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Says something to who runs the tests with `--nocapture`.
pub(crate) fn tell(text: &str) {
    eprintln!("faults: {text}");
}
