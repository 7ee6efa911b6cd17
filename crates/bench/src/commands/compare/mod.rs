//! `bench compare`: runs against the first of them, row by row, from nothing but their folders.

mod checksums;
mod csv;
mod identity;
mod markdown;
mod notes;
mod rows;
mod run;

use std::collections::{BTreeMap, BTreeSet};

use ucag_core::suggest::{hint, nearest};

use super::error::UsageError;
use crate::cli::CompareArgs;
use crate::io::atomic;
use crate::print_result;
use checksums::ReadSamples;
use identity::Difference;
use rows::{Matched, Pick, RunCell};
use run::Run;

/// A run, and the one that it is compared with.
struct Comparison<'a> {
    baseline: &'a Run,
    run: &'a Run,
    /// Differences between their identities.
    differences: Vec<Difference>,
    /// The samples that they read, by data set.
    inputs: BTreeMap<&'a str, ReadSamples<'a>>,
    matched: Matched<'a>,
}

impl Comparison<'_> {
    /// Returns whether data and metric are the same in both runs, and what was read of each sample,
    /// as far as both say it.
    fn same_measurement(&self, cell: &RunCell<'_>) -> bool {
        self.same_identity(cell) && self.inputs.get(cell.key.dataset).is_none_or(|inputs| inputs.others.is_empty())
    }

    /// Returns whether both runs say the same of data and metric.
    fn same_identity(&self, cell: &RunCell<'_>) -> bool {
        !self.differences.iter().any(|difference| difference.parts(cell.key.dataset, cell.key.metric))
    }
}

/// Compares each run with the first one, prints tables, and writes `compare.csv` and `compare.md`
/// where a folder is given for them.
///
/// # Errors
/// [`UsageError`] where a folder holds no run, or a method isn't in one; otherwise where a record
/// can't be counted, or a file can't be written.
pub fn compare(args: &CompareArgs) -> anyhow::Result<()> {
    compared(args, |comparisons, page| {
        print_result(&page.terminal())?;
        if let Some(out) = &args.out {
            let [csv, markdown] = ["compare.csv", "compare.md"].map(|name| out.join(name));
            atomic::write(&csv, &csv::rows(comparisons)?)?;
            atomic::write(&markdown, page.markdown().as_bytes())?;
            print_result(&format!("\nwritten:\n  {}\n  {}", csv.display(), markdown.display()))?;
        }
        Ok(())
    })
}

/// The tables that [`compare`] prints.
///
/// # Errors
/// As [`compare`].
pub fn tables(args: &CompareArgs) -> anyhow::Result<String> {
    let mut tables = String::new();
    compared(args, |_, page| {
        tables = page.terminal();
        Ok(())
    })?;
    Ok(tables)
}

fn compared(
    args: &CompareArgs,
    then: impl FnOnce(&[Comparison<'_>], &markdown::Page) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let runs = run::read(&args.runs)?;
    let Some((baseline, others)) = runs.split_first() else { return Ok(()) };
    let pick = pick(args, baseline, others)?;
    let cells = rows::cells(&runs)?;
    let how = (seed(baseline), args.resamples.get());
    let compared = |(run, theirs)| Comparison {
        baseline,
        run,
        differences: identity::differences(&baseline.identity, &run.identity),
        inputs: checksums::compared(baseline, run),
        matched: rows::matched(&cells[0], theirs, pick, how),
    };
    let comparisons: Vec<Comparison<'_>> = others.iter().zip(&cells[1..]).map(compared).collect();
    then(&comparisons, &markdown::Page::new(&comparisons, how))
}

/// The baseline's seed, so that intervals of a run's own table and these come from the same draws.
fn seed(baseline: &Run) -> u64 {
    baseline.identity.pointer("/config/seed").and_then(serde_json::Value::as_u64).unwrap_or(0)
}

/// The rows that the command line asks for.
fn pick<'a>(args: &'a CompareArgs, baseline: &Run, others: &[Run]) -> Result<Pick<'a>, UsageError> {
    let (Some(method), Some(against)) = (&args.method, &args.against) else { return Ok(Pick::Same) };
    let asked = others.iter().map(|run| ("--method", method, run)).chain([("--against", against, baseline)]);
    for (flag, method, run) in asked {
        let known: BTreeSet<&str> = run.records.iter().map(|record| &record.method[..]).collect();
        if !known.contains(method.as_str()) {
            let hint = hint(nearest(method, known).as_deref());
            return Err(UsageError(format!(
                "{flag} {method}: {} has no record of a method '{method}'{hint}",
                run.folder.display()
            )));
        }
    }
    Ok(Pick::Methods { method, against })
}
