//! Runs configs and merges shards: records, then the report, then `run.json`.

use std::path::Path;

use anyhow::{Context, Result};

use super::error::Outcome;
use super::merge;
use crate::cli::{MergeArgs, RunArgs};
use crate::config::{Config, load_all};
use crate::plan::Plan;
use crate::records::Failure;
use crate::report::{self, Records, ReportFiles, Summary};
use crate::run::{self, run_json, signals};
use crate::{print_result, tell};

/// Runs the configs of the command line, one after the other.
///
/// # Errors
/// For the first config that can't be run. A sample that fails is no error unless `--strict` says
/// so.
pub fn run(args: &RunArgs) -> Result<Outcome> {
    if !args.dry_run {
        signals::on_signals()?;
    }
    let mut worst = Outcome::AllWell;
    for config in load_all(&args.configs, &args.overrides())? {
        worst = worst.max(run_config(config, args)?);
    }
    Ok(worst)
}

fn run_config(config: Config, args: &RunArgs) -> Result<Outcome> {
    let plan = if args.dry_run { Plan::dry(config)? } else { Plan::new(config)? };
    let plan = match args.shard {
        Some(shard) => plan.shard(shard, args.overrides())?,
        None => plan,
    };
    if args.dry_run {
        print_result(&plan.describe()?)?;
        return Ok(Outcome::AllWell);
    }
    let completed = run::run(&plan, args.fresh, args.strict)?;
    let failures = completed.failures()?;
    if let Some(whole) = &plan.whole {
        run_json::write(&plan, &completed, failures.len())?;
        let printed = print_result(&whole.done(completed.units.len(), failures.len()));
        return Ok(outcome(&failures, printed));
    }
    tell("all units are done; making tables, plots and pages");
    let records = Records::Journal(&completed.journal, &completed.units);
    let config = &plan.config;
    let datasets = plan.facts();
    let out = &config.output.dir;
    let summary = Summary { config, datasets: &datasets, records, failures: &failures, out };
    let report = || anyhow::Ok((report::write(&summary)?, run_json::write(&plan, &completed, failures.len())?));
    let (files, ()) =
        report().context("the report isn't made; all units are done and safe, and the same command makes it")?;
    Ok(outcome(&failures, print_report(&files, out)))
}

/// Merges the shards of the command line, and reports on the run that they make.
///
/// # Errors
/// As [`merge::merge`], and where a file of the report can't be written.
pub fn merge(args: &MergeArgs) -> Result<Outcome> {
    let merged = merge::merge(args)?;
    let failures = merged.failures()?;
    let files = report::write(&merged.summary(&failures))?;
    merged.provenance(failures.len())?;
    Ok(outcome(&failures, print_report(&files, &merged.config.output.dir)))
}

fn print_report(files: &ReportFiles, out: &Path) -> Result<()> {
    print_result(&files.table)?;
    print_result(&format!("\nwritten to {}:", out.display()))?;
    files.files.iter().try_for_each(|file| print_result(&format!("  {}", file.display())))
}

/// The outcome of a run whose results are all in its folder. Results that couldn't be printed are
/// no reason to leave out the next run.
fn outcome(failures: &[Failure], printed: Result<()>) -> Outcome {
    let printed = printed.inspect_err(|error| tell(&format!("error: {error:#}")));
    match (failures.is_empty(), printed) {
        (true, Ok(())) => Outcome::AllWell,
        (true, Err(_)) => Outcome::Unprinted,
        (false, _) => Outcome::SomeFailed,
    }
}
