//! Two runs on one folder.

use std::time::Instant;

use super::victim::{assert_same, journal, signal, small, start, tell, units, wait_for_units};
use crate::lab::text;

#[test]
fn a_second_run_is_refused_and_the_first_is_not_harmed() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    let run = ["small.toml", "--out", "run", "--workers", "1"];
    let mut first = start(&lab, "said", &run);
    wait_for_units(&lab, &mut first, "run", 2);
    // It holds the folder as long as it is stopped.
    signal(&first, "STOP");
    std::thread::sleep(std::time::Duration::from_millis(50));
    let before = std::fs::read(lab.path("run/records.jsonl")).unwrap();
    for more in [&[][..], &["--fresh"], &["--limit", "1"], &["--set", "seed=9", "--fresh"]] {
        let begin = Instant::now();
        let output = lab.run(1, &[&run, more].concat());
        let said = text(&output.stderr);
        assert_eq!(
            said.lines().collect::<Vec<_>>(),
            ["error: run: another run is writing to this folder; choose another with --out"]
        );
        assert!(begin.elapsed().as_secs() < 30, "it waited for the first");
    }
    assert_eq!(std::fs::read(lab.path("run/records.jsonl")).unwrap(), before, "not a byte has changed");
    signal(&first, "CONT");
    assert_eq!(first.wait().unwrap().code(), Some(0), "{}", lab.read("", "said"));
    assert!(journal(&lab, "run").starts_with(&before[..journal_end(&before)]));
    assert_same(&lab, "whole", "run");
}

/// The end of the last complete line.
fn journal_end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1)
}

#[test]
fn of_runs_that_are_started_at_once_one_does_the_work() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    let names = ["said-0", "said-1", "said-2"];
    let mut runs: Vec<_> = names.iter().map(|said| start(&lab, said, &["small.toml", "--out", "run"])).collect();
    let codes: Vec<_> = runs.iter_mut().map(|run| run.wait().unwrap().code()).collect();
    assert!(codes.contains(&Some(0)), "{codes:?}");
    for (code, said) in codes.iter().zip(names).filter(|(code, _)| **code != Some(0)) {
        assert_eq!(*code, Some(1));
        assert!(lab.read("", said).contains("another run is writing to this folder"), "{}", lab.read("", said));
    }
    // Whoever came when the first was through found everything done.
    assert_same(&lab, "whole", "run");
    tell(&format!("three runs at once: exit codes {:?}", codes.into_iter().flatten().collect::<Vec<_>>()));
}

#[test]
fn a_folder_is_free_when_its_run_was_killed() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    let mut first = start(&lab, "said", &["small.toml", "--out", "run", "--workers", "1"]);
    wait_for_units(&lab, &mut first, "run", 1);
    first.kill().unwrap();
    first.wait().unwrap();
    let there = units(&journal(&lab, "run")).0.len();
    let said = text(&lab.run(0, &["small.toml", "--out", "run"]).stderr);
    assert!(said.contains(&format!("resuming: {there} of")), "{said}");
    assert_same(&lab, "whole", "run");
}

#[test]
fn leftovers_are_removed_but_not_those_of_shards_that_may_be_running() {
    let lab = small();
    let leftovers = ["run/.samples.csv.1.part", "run/gallery/.sheet.png.1.part", "run/gallery/plate/.image.png.1.part"];
    let others = ["run/shards/1-of-2/.plan.json.1.part", "run/.mine", "run/notes.part"];
    for file in leftovers.iter().chain(&others) {
        std::fs::create_dir_all(lab.path(file).parent().unwrap()).unwrap();
        lab.write(file, "half");
    }
    lab.run(0, &["small.toml", "--out", "run", "--limit", "2"]);
    assert!(leftovers.iter().all(|file| !lab.path(file).exists()));
    assert!(others.iter().all(|file| lab.path(file).exists()));
}
