//! The benchmark runner's command line.
//!
//! Exit codes: 0 all went well; 1 an error; 2 a wrong command line or config, or missing files; 3
//! the run finished, but some samples failed; 129, 130 and 143 stopped by SIGHUP, SIGINT (Ctrl-C)
//! and SIGTERM. `docs/exit-codes.md` has more.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use bench::cli::{Cli, Command, ExportArgs, MergeArgs, RunArgs};
use bench::commands::compare::Unusable;
use bench::commands::{compare, explain, export_plan, list, merge};
use bench::config::{Config, ConfigErrors, load_all};
use bench::plan::{Missing, Plan};
use bench::records::Failure;
use bench::report::{self, Records, ReportFiles, Summary};
use bench::run::{run_json, signals};
use bench::{run, say, tell};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const SOME_FAILED: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        Some(Command::Explain(args)) => explain::explain(args).map(|()| 0),
        Some(Command::Compare(args)) => compare::compare(args).map(|()| 0),
        Some(Command::Merge(args)) => merge(args),
        Some(Command::ExportPlan(args)) => export_plan(args),
        Some(Command::List { what, markdown }) => {
            if *markdown && !what.has_page() {
                let only = "only methods and metrics have a page in docs/";
                Cli::command().error(ErrorKind::ArgumentConflict, only).exit();
            }
            list::print(*what, *markdown).map(|()| 0).map_err(anyhow::Error::from)
        }
        None => run_all(&cli.run),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(&error);
            let usage = error.is::<ConfigErrors>()
                || error.is::<Missing>()
                || error.is::<Unusable>()
                || error.is::<merge::Unusable>();
            ExitCode::from(if usage { USAGE } else { FAILED })
        }
    }
}

fn complain(error: &anyhow::Error) {
    tell(&format!("error: {error:#}"));
}

fn export_plan(args: &ExportArgs) -> anyhow::Result<u8> {
    let failures = export_plan::export_plan(args)?;
    failures.iter().for_each(complain);
    Ok(if failures.is_empty() { 0 } else { SOME_FAILED })
}

fn run_all(args: &RunArgs) -> anyhow::Result<u8> {
    let mut worst = 0;
    if !args.dry_run {
        signals::on_signals()?;
    }
    for config in load_all(&args.configs, &args.overrides())? {
        worst = worst.max(run_one(config, args)?);
    }
    Ok(worst)
}

fn run_one(config: Config, args: &RunArgs) -> anyhow::Result<u8> {
    let plan = if args.dry_run { Plan::dry(config)? } else { Plan::new(config)? };
    let plan = match args.shard {
        Some(shard) => plan.shard(shard, args.overrides())?,
        None => plan,
    };
    if args.dry_run {
        say(&plan.describe()?)?;
        return Ok(0);
    }
    let finished = run::run(&plan, args.fresh, args.strict)?;
    let failures = finished.failures()?;
    if let Some(whole) = &plan.whole {
        run_json::write(&plan, &finished, failures.len())?;
        let said = say(&whole.done(finished.units.len(), failures.len()));
        return Ok(code(&failures, said));
    }
    let records = Records::ReportFiles(&finished.journal, &finished.units);
    let config = &plan.config;
    let datasets = plan.facts();
    let out = &config.output.dir;
    let summary = Summary { config, datasets: &datasets, records, failures: &failures, out };
    let report = || anyhow::Ok((report::write(&summary)?, run_json::write(&plan, &finished, failures.len())?));
    let (written, ()) =
        report().context("the report isn't made; all units are done and safe, and the same command makes it")?;
    Ok(code(&failures, show(&written, out)))
}

fn merge(args: &MergeArgs) -> anyhow::Result<u8> {
    let merged = merge::merge(args)?;
    let failures = merged.failures()?;
    let written = report::write(&merged.summary(&failures))?;
    merged.provenance(failures.len())?;
    Ok(code(&failures, show(&written, &merged.config.output.dir)))
}

fn show(written: &ReportFiles, out: &Path) -> anyhow::Result<()> {
    say(&written.table)?;
    say(&format!("\nwritten to {}:", out.display()))?;
    written.files.iter().try_for_each(|file| say(&format!("  {}", file.display())))
}

/// How a run ended that is whole. What could not be said of it is in its folder, and no reason to
/// leave out the next one.
fn code(failures: &[Failure], said: anyhow::Result<()>) -> u8 {
    let said = said.inspect_err(complain);
    match (failures.is_empty(), said) {
        (true, Ok(())) => 0,
        (true, Err(_)) => FAILED,
        (false, _) => SOME_FAILED,
    }
}
