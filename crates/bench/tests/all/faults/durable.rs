//! A record is on the disk before it is counted: what the program asks of the operating system, in
//! which order.

use super::victim::{small, tell};
use crate::lab::text;

/// The calls of a run that are about the run folder or standard error, in order: the call, the
/// file, and what was written.
fn calls(trace: &str) -> Vec<(&str, &str, &str)> {
    trace
        .lines()
        .filter_map(|line| {
            // PID write(7</path/run/records.jsonl>, "{\"index\":0...
            let (_, line) = line.split_once(' ')?;
            let (name, rest) = line.trim_start().split_once('(')?;
            let (_, rest) = rest.split_once('<')?;
            let (file, rest) = rest.split_once('>')?;
            Some((name, file, rest))
        })
        .collect()
}

#[test]
fn a_record_is_synced_before_it_is_counted_and_a_new_journal_with_its_folders() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "first", "--limit", "1"]);
    std::fs::write(lab.path("data/val/disc_checks/disc_checks_0003.png"), "no image").unwrap();
    let trace = lab.path("trace").display().to_string();
    let mut command = std::process::Command::new("strace");
    command.current_dir(lab.path("")).args(["-f", "-y", "-s", "12", "-e", "trace=write,fsync,fdatasync", "-o", &trace]);
    command.args([env!("CARGO_BIN_EXE_bench"), "small.toml", "--out", "new/folder/run", "--limit", "5"]);
    match command.output() {
        Ok(output) if output.status.code() == Some(3) => {}
        Ok(output) if !text(&output.stderr).contains("strace") => panic!("{}", text(&output.stderr)),
        _ => return tell("what is synced: skipped, there is no strace here that may trace"),
    }
    let trace = lab.read("", "trace");
    let calls = calls(&trace);
    let journal = |file: &str| file.ends_with("new/folder/run/records.jsonl");
    let writes: Vec<usize> = (0..calls.len()).filter(|&at| calls[at].0 == "write" && journal(calls[at].1)).collect();
    assert_eq!(writes.len(), 1 + 5, "a write for the header and one for each unit");
    for &at in &writes {
        let (name, file, result) = calls[at + 1..].iter().find(|(_, file, _)| journal(file)).unwrap();
        // Where other threads are traced in between, the result is on a line of its own.
        assert!(*name == "fdatasync" && !result.contains("= -1"), "{name} {file} {result}");
    }
    // The failure is announced after its line is synced.
    let announced = calls.iter().position(|(_, _, written)| written.contains("\"failed: ")).unwrap();
    let failed = *writes.iter().filter(|&&at| at < announced).max().unwrap();
    assert!(calls[failed..announced].iter().any(|(name, file, _)| *name == "fdatasync" && journal(file)));
    // The folder that holds the journal, and those that hold folders that were made for it, before
    // the first unit.
    for folder in ["new/folder/run", "new/folder", "new"] {
        let synced = |(name, file, _): &(&str, &str, &str)| *name == "fsync" && file.ends_with(folder);
        assert!(calls[..writes[1]].iter().any(synced), "{folder} isn't synced");
    }
    let root = std::fs::canonicalize(lab.path("")).unwrap();
    assert!(calls[..writes[1]].iter().any(|(name, file, _)| *name == "fsync" && std::path::Path::new(file) == root));
    tell("what is synced: every record before it is counted, and the folders of a new journal");
}
