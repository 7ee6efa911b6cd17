//! Output folders that can't be written.

use std::process::Command;

use super::victim::{assert_same, journal, report, small, tell};
use crate::lab::{TestRun, text};

/// Asserts a refusal with all of these words; besides, the first call says that it draws scenes.
fn refused(lab: &TestRun, out: &str, words: &[&str]) {
    let said = text(&lab.run(1, &["small.toml", "--out", out]).stderr);
    for word in words {
        assert!(said.contains(word), "{out}: '{word}' in {said}");
    }
    let refusals = said.lines().filter(|line| !line.contains(": drawing its scenes into ")).count();
    assert_eq!(refusals, 1, "{said}");
}

#[test]
fn a_file_in_the_folders_place_is_refused_and_kept() {
    let lab = small();
    lab.write("taken", "precious");
    refused(&lab, "taken", &["taken: the run folder can't be made; choose another folder with --out", "File exists"]);
    refused(&lab, "taken/run", &["taken/run: the run folder can't be made", "Not a directory"]);
    assert_eq!(lab.read("", "taken"), "precious");
    std::fs::create_dir_all(lab.path("run/records.jsonl")).unwrap();
    refused(&lab, "run", &["run/records.jsonl: can't be opened for writing", "Is a directory"]);
    // Nobody can make a folder here, root neither.
    if std::path::Path::new("/proc/self").exists() {
        refused(&lab, "/proc/run", &["/proc/run: the run folder can't be made"]);
    }
}

#[test]
fn a_read_only_file_system_is_refused_and_nothing_changes() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    std::fs::create_dir(lab.path("ro")).unwrap();
    lab.run(0, &["small.toml", "--out", "ro/begun", "--limit", "3"]);
    let before = (journal(&lab, "ro/begun"), report(&lab, "ro/begun"));
    let script = "mount --bind ro ro 2>/dev/null && mount -o remount,bind,ro ro || exit 77\n\
        \"$0\" small.toml --out ro/new 2>said-new; echo $? >code-new\n\
        \"$0\" small.toml --out ro/begun 2>said-begun; echo $? >code-begun\n\
        \"$0\" small.toml --out ro/begun --fresh 2>said-fresh; echo $? >code-fresh";
    let mut command = Command::new("unshare");
    command.current_dir(lab.path("")).args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_bench")]);
    let allowed = command.output().is_ok_and(|output| output.status.success());
    if !allowed || !lab.path("code-fresh").exists() {
        return tell("a read-only file system: skipped, mounting isn't allowed here");
    }
    for (run, what) in [
        ("new", "ro/new: the run folder can't be made"),
        ("begun", "ro/begun/records.jsonl: can't be opened for writing"),
        ("fresh", "ro/begun/records.jsonl: can't be opened for writing"),
    ] {
        let said = lab.read("", &format!("said-{run}"));
        assert_eq!(lab.read("", &format!("code-{run}")).trim(), "1", "{said}");
        assert!(said.contains(what) && said.contains("Read-only file system") && said.contains("--out"), "{said}");
    }
    assert!(before == (journal(&lab, "ro/begun"), report(&lab, "ro/begun")), "nothing has changed");
    lab.run(0, &["small.toml", "--out", "ro/begun"]);
    assert_same(&lab, "whole", "ro/begun");
}

#[test]
fn a_journal_that_cannot_be_written_is_refused() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "run", "--limit", "3"]);
    let path = lab.path("run/records.jsonl");
    // Root may write what is read-only, but not what is immutable; and only root can make it so.
    let immutable = |how: &str| Command::new("chattr").arg(how).arg(&path).output().is_ok_and(|o| o.status.success());
    let mut permissions = std::fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).unwrap();
    let locked = immutable("+i");
    if std::fs::OpenOptions::new().append(true).open(&path).is_ok() {
        return tell("a read-only journal: skipped, nothing is read-only for this user here");
    }
    let before = journal(&lab, "run");
    let output = lab.bench(&["small.toml", "--out", "run"]);
    let fresh = lab.bench(&["small.toml", "--out", "run", "--fresh"]);
    // Put back before anything can fail: nobody could remove the file.
    assert!(!locked || immutable("-i"));
    for output in [output, fresh] {
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("run/records.jsonl: can't be opened for writing; choose another folder"), "{said}");
    }
    assert_eq!(journal(&lab, "run"), before);
}
