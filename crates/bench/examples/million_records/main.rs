//! Time and memory of a report where a run has a million records with curves:
//!
//! ```text
//! cargo run -p bench --example million_records                    # 27,778 samples of Table 1's shape, 1,000 resamples
//! cargo run -p bench --example million_records -- 50000 10000     # as many as the table in full
//! ```
//!
//! A journal is made up in a temporary folder. What is measured is all that a finished run has left
//! to do: open the journal, and write the tables, plots and pages. Then come the bootstraps alone,
//! at sizes of the paper's tables.

#![allow(clippy::print_stdout, reason = "a program whose result is its output")]

mod made_up;

use std::time::Instant;

use anyhow::{Context, Result};
use bench::analysis::bootstrap;
use bench::analysis::class_mean;
use bench::analysis::class_mean::{Pair, Pairs};
use bench::records::journal::FILE;
use cpu_time::ProcessTime;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>().with_context(|| text));
    let samples = arguments.next().transpose()?.unwrap_or(27_778);
    let resamples = arguments.next().transpose()?.unwrap_or(1000);

    let folder = tempfile::tempdir()?;
    made_up::write(folder.path(), samples)?;
    let bytes = std::fs::metadata(folder.path().join(FILE))?.len();
    let before = made_up::peak()?;
    let (table, taken) = timed(|| made_up::report(folder.path(), resamples));
    println!("{}", table?);
    println!(
        "{} records in a journal of {:.0} MiB, {resamples} resamples: {taken}",
        samples * made_up::RECORDS,
        mebi(bytes)
    );
    println!("peak memory {:.0} MiB, {:.0} MiB before", mebi(made_up::peak()?), mebi(before));

    let columns: Vec<Vec<f64>> =
        (0..36).map(|column| (0..50_000).map(|row| made_up::noise(column * 50_000 + row)).collect()).collect();
    let (_, taken) = timed(|| bootstrap::bootstrap(&columns, 0, 1000));
    println!("36 cells × 50,000 samples, 1,000 resamples: {taken}");

    let cells: Vec<Pairs> = (0..100).map(|cell| voc(cell, 0)).collect();
    let (_, taken) = timed(|| class_mean::bootstrap(&cells.iter().collect::<Vec<_>>(), 0, 1000));
    println!("100 cells × 7,000 pairs, 1,000 resamples: {taken}");

    // A pair that is missing here and there makes another game of each cell, though of as many
    // samples.
    let cells: Vec<Pairs> = (0..100).map(|cell| voc(cell, cell + 1)).collect();
    let (_, taken) = timed(|| class_mean::bootstrap(&cells.iter().collect::<Vec<_>>(), 0, 1000));
    println!("the same, no two of the same pairs: {taken}");
    Ok(())
}

/// Prints the result and the time. On a busy machine the processor's time says more than the clock.
fn timed<T>(what: impl FnOnce() -> T) -> (T, String) {
    let (clock, processor) = (Instant::now(), ProcessTime::now());
    let result = what();
    let [clock, processor] = [clock.elapsed(), processor.elapsed()].map(|time| time.as_secs_f64());
    (result, format!("{clock:.2} s, {processor:.2} s of all cores"))
}

/// A pointing game of 4,952 images and 7,000 pairs of 20 classes, less some second pair.
fn voc(cell: usize, less: usize) -> Pairs {
    let pair = |place: usize| {
        let value = f64::from(u8::from(made_up::noise((cell * 7000 + place) as u64) < 0.8));
        Pair { sample: place % 4952, class: (place * 7 + place / 4952) % 20, value }
    };
    let kept = (0..7000).filter(|&place| less == 0 || place != 4952 + less);
    Pairs { pairs: kept.map(pair).collect(), classes: 20, first: None }
}

fn mebi(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
