//! A full disk: files that can't grow (RLIMIT_FSIZE), a file system that is full, and a standard
//! output that is.

use std::process::{Command, Output, Stdio};

use super::victim::{assert_same, journal, report, small, tell, units};
use crate::lab::{TestRun, text};

/// Runs the program behind a line of shell that says `exec "$0" "$@"` at its end.
fn behind(lab: &TestRun, shell: &str, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_bench");
    let mut command = Command::new("sh");
    command.current_dir(lab.path("")).args(["-c", shell, program]).args(arguments).env_remove("RUST_BACKTRACE");
    command.output().unwrap()
}

#[test]
fn a_run_whose_files_cannot_grow_says_so_and_goes_on_when_they_can() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    let (mut in_journal, mut in_gallery, mut in_report) = (0, 0, 0);
    let mut before = Vec::new();
    // Blocks of 512 or 1024 bytes, as the shell has it.
    for blocks in (0..).map(|step| if step == 0 { 0 } else { 1 << (step - 1) }) {
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let output = behind(&lab, &limited, &["small.toml", "--out", "full", "--workers", "1"]);
        let said = text(&output.stderr);
        if output.status.success() {
            break;
        }
        assert_eq!(output.status.code(), Some(1), "{blocks} blocks: {said}");
        assert!(said.contains("File too large"), "{said}");
        assert!(said.contains("safe, and the same command"), "{said}");
        assert!(said.contains("full/"), "which file it was is said: {said}");
        assert!(!said.contains("failed: "), "a full disk is no fault of a sample: {said}");
        let now = std::fs::read(lab.path("full/records.jsonl")).unwrap();
        assert_eq!(now, journal(&lab, "full"), "of a line that could not be written, nothing is left");
        assert!(now.starts_with(&before), "what was there is there");
        before = now;
        let whole = report(&lab, "whole");
        for (name, bytes) in report(&lab, "full") {
            assert!(whole.get(&name) == Some(&bytes), "{name} is half written, or shouldn't be there");
        }
        match () {
            () if said.contains("a record can't be written") => in_journal += 1,
            () if said.contains("the report isn't made") => in_report += 1,
            () => in_gallery += 1,
        }
        assert!(blocks < 1 << 20, "the run should have finished by now");
    }
    assert_same(&lab, "whole", "full");
    assert!(journal(&lab, "full").starts_with(&before));
    assert!(in_journal > 0 && in_report > 0, "{in_journal} {in_report}");
    tell(&format!(
        "files that can't grow: {in_journal} runs stopped in the journal, {in_gallery} in the gallery, {in_report} in the report"
    ));
}

#[test]
fn a_full_file_system_loses_nothing() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    std::fs::create_dir(lab.path("disk")).unwrap();
    // A mount of its own, which is gone when the shell is. The journal is what fills the disk: it
    // is nearly full before the run.
    let script = "mount -t tmpfs -o size=256k tmpfs disk 2>/dev/null || exit 77\n\
        head -c 253952 /dev/zero >disk/ballast\n\
        \"$0\" \"$@\" 2>said-full; echo $? >code-full; cp disk/run/records.jsonl journal-full\n\
        rm disk/ballast; mount -o remount,size=64m disk\n\
        \"$0\" \"$@\" 2>said-again; echo $? >code-again; cp -r disk/run again";
    let arguments = ["small.toml", "--out", "disk/run", "--workers", "1", "--set", "output.gallery=0"];
    let mut command = Command::new("unshare");
    command.current_dir(lab.path("")).args(["-m", "sh", "-c", script, env!("CARGO_BIN_EXE_bench")]).args(arguments);
    let allowed = command.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !allowed || !lab.path("code-again").exists() {
        tell("a full file system: skipped, mounting isn't allowed here");
        return;
    }
    let said = lab.read("", "said-full");
    assert_eq!(lab.read("", "code-full").trim(), "1", "{said}");
    assert!(said.contains("a record can't be written; what is there is safe, and the same command resumes"), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    let full = std::fs::read(lab.path("journal-full")).unwrap();
    assert!(full.ends_with(b"\n"), "no half line is left");
    let (done, _) = units(&full);
    assert_eq!(lab.read("", "code-again").trim(), "0", "{}", lab.read("", "said-again"));
    assert!(!done.is_empty(), "some units were written before the disk was full");
    assert!(lab.read("", "said-again").contains(&format!("resuming: {} of", done.len())));
    assert!(journal(&lab, "again").starts_with(&full));
    lab.run(0, &["small.toml", "--out", "whole-bare", "--set", "output.gallery=0"]);
    assert_same(&lab, "whole-bare", "again");
    tell(&format!("a full file system: {} units were written before it was full, and are there", done.len()));
}

#[test]
fn a_standard_output_that_is_full_costs_only_what_is_said() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    if !std::path::Path::new("/dev/full").exists() {
        return tell("a full standard output: skipped, there is no /dev/full here");
    }
    let output = behind(&lab, "exec \"$0\" \"$@\" >/dev/full", &["small.toml", "--out", "run"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("No space left on device"), "{}", text(&output.stderr));
    assert_same(&lab, "whole", "run");
}
