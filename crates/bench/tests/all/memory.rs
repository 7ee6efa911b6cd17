//! Bounds of memory: a run's doesn't on how many units it has, a report's grows by a few numbers a
//! record. Each size is measured in a process of its own, because a peak never falls.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[allow(dead_code, reason = "the benchmark uses all of it")]
#[path = "../../examples/million_records/made_up.rs"]
mod made_up;

use std::path::Path;
use std::process::Command;

use bench::plan::UnitId;
use bench::records::journal::Journal;
use made_up::RECORDS;
use serde_json::json;

const MEBI: u64 = 1 << 20;
/// A sample is a unit with each of three models.
const MODELS: usize = 3;

/// Does with so many units as a run does: write them down, find them again, and go through them.
fn run(dir: &Path, units: usize) {
    let mut journal = Journal::open(dir, &json!({}), true).unwrap();
    (0..units).for_each(|index| journal.append(&made_up::unit(index)).unwrap());
    drop(journal);
    let journal = Journal::open(dir, &json!({}), false).unwrap();
    let mut records = 0;
    journal
        .each((0..units).map(UnitId), |unit| {
            records += unit.outcome.unwrap().len();
            Ok(())
        })
        .unwrap();
    assert_eq!(records, units * RECORDS / MODELS);
}

#[test]
#[ignore = "the other tests start it in a process of its own"]
fn child() {
    let [task, size] = ["MEMORY_TASK", "MEMORY_SIZE"].map(|name| std::env::var(name).unwrap());
    let (folder, size) = (tempfile::tempdir().unwrap(), size.parse().unwrap());
    match &task[..] {
        "run" => run(folder.path(), size),
        "report" => {
            made_up::write(folder.path(), size).unwrap();
            made_up::report(folder.path(), 10).unwrap();
        }
        _ => panic!("no task {task}"),
    }
    println!("peak {}", made_up::peak().unwrap());
}

/// The most memory that a process takes for this.
fn peak(task: &str, size: usize) -> u64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["memory::child", "--exact", "--ignored", "--nocapture"]);
    command.env("MEMORY_TASK", task).env("MEMORY_SIZE", size.to_string()).env("RAYON_NUM_THREADS", "2");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let peak = said.lines().find_map(|line| line.split("peak ").nth(1)?.parse().ok());
    peak.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_run_of_ten_times_the_units_takes_no_more_memory() {
    let (few, many) = (peak("run", 400), peak("run", 4000));
    // The records alone would take 4000 × 12 × 1 kB.
    assert!(many < few + few / 20 + 16 * MEBI, "{} and {} MiB", few / MEBI, many / MEBI);
}

#[test]
fn a_report_keeps_numbers_alone() {
    let (few, many) = (peak("report", 300), peak("report", 3000));
    let more = many.saturating_sub(few) / (2700 * RECORDS) as u64;
    // With its curve and names a record would take more than 1200 bytes.
    assert!(more < 400, "{more} bytes a record: {} and {} MiB", few / MEBI, many / MEBI);
    println!("{more} bytes a record: {} and {} MiB", few / MEBI, many / MEBI);
}
