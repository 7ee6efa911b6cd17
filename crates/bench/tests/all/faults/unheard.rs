//! Nobody listens: standard error and standard output that are closed, or whose reader has gone.

use std::process::{Command, Output};

use super::victim::{assert_same, journal, small, units};
use crate::lab::{TestRun, text};

/// Runs the program as a line of shell has it, which says `"$@"` for the program and its arguments,
/// and echoes the exit code into `code`.
fn through(lab: &TestRun, line: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("bash");
    command.current_dir(lab.path("")).args(["-c", line, "bash", env!("CARGO_BIN_EXE_bench")]).args(arguments);
    command.env_remove("RUST_BACKTRACE").output().unwrap()
}

/// Ways of not listening.
const DEAF: [&str; 7] = [
    "\"$@\" 2>&-; echo $? >code",
    "\"$@\" >&- 2>&-; echo $? >code",
    "\"$@\" <&- >&- 2>&-; echo $? >code",
    // The reader is gone before the first word.
    "{ \"$@\"; echo $? >code; } 2>&1 | true",
    // It goes after the first line.
    "{ \"$@\"; echo $? >code; } 2>&1 | head -n 1",
    "{ \"$@\" 2>&1 >out; echo $? >code; } | head -n 1",
    "\"$@\" 2>/dev/full; echo $? >code",
];

#[test]
fn a_run_that_nobody_listens_to_is_the_same_run() {
    let lab = small();
    // One sample is bad, so that something is said in between.
    lab.run(0, &["small.toml", "--out", "first"]);
    let bad = lab.path("data/val/disc_checks/disc_checks_0003.png");
    let bytes = std::fs::read(&bad).unwrap();
    std::fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(lab.path("begun.toml"), lab.read("", "small.toml")).unwrap();
    lab.run(3, &["small.toml", "--out", "whole"]);
    for (number, line) in DEAF
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.contains("/dev/full") || std::path::Path::new("/dev/full").exists())
    {
        let run = format!("run-{number}");
        // Half of it first, so that the second call says that it resumes.
        for more in [&["--limit", "12"][..], &[]] {
            let _ = std::fs::remove_file(lab.path("code"));
            through(&lab, line, &[&["small.toml", "--out", &run][..], more].concat());
            assert_eq!(lab.read("", "code").trim(), "3", "{line}");
        }
        assert_same(&lab, "whole", &run);
    }
}

#[test]
fn what_ends_without_a_listener_has_the_code_that_it_would_have() {
    let lab = small();
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["list", "methods"], 0),
        (&["small.toml", "--dry-run"], 0),
        (&["absent.toml"], 2),
        (&["--nonsense"], 2),
        (&["compare", "absent", "nor-this"], 2),
    ] {
        let listened = lab.bench(arguments);
        assert_eq!(listened.status.code(), Some(code), "{arguments:?}: {}", text(&listened.stderr));
        for line in &DEAF[..4] {
            through(&lab, line, arguments);
            assert_eq!(lab.read("", "code").trim(), code.to_string(), "{arguments:?}: {line}");
        }
    }
}

#[test]
fn of_several_runs_whose_words_find_no_room_all_are_made() {
    let lab = small();
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    lab.write("other.toml", &lab.read("", "small.toml").replace("title = 'Small'", "title = 'Other'"));
    let limit = ["--limit", "2", "--set", "output.gallery=0"];
    let output = through(&lab, "\"$@\" >/dev/full", &[&["small.toml", "other.toml"][..], &limit].concat());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.matches("standard output can't be written to: No space left").count(), 2, "{said}");
    for run in ["results/small", "results/other"] {
        assert_eq!(units(&journal(&lab, run)).0.len(), 2);
        assert!(lab.path(run).join("report.html").exists());
    }
}
