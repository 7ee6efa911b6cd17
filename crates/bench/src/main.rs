//! The benchmark runner's program.

use std::process::ExitCode;

use bench::cli::{Cli, Command, Listing};
use bench::commands::error::{CliError, Outcome};
use bench::commands::{compare, explain, export_plan, list, run};
use bench::tell;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

fn main() -> ExitCode {
    let code = match execute(&Cli::parse()) {
        Ok(outcome) => outcome.code(),
        Err(error) => {
            tell(&format!("error: {error}"));
            error.code()
        }
    };
    ExitCode::from(code)
}

fn execute(cli: &Cli) -> Result<Outcome, CliError> {
    match &cli.command {
        None => return Ok(run::run(&cli.run)?),
        Some(Command::Merge(args)) => return Ok(run::merge(args)?),
        Some(Command::ExportPlan(args)) => return Ok(export_plan::command(args)?),
        Some(Command::Explain(args)) => explain::explain(args)?,
        Some(Command::Compare(args)) => compare::compare(args)?,
        Some(Command::List { what, section, markdown }) => {
            let refused = match what {
                Listing::Config => None,
                _ if section.is_some() => Some("only `bench list config` takes a section"),
                _ if *markdown && !what.has_page() => Some("only methods, metrics and config have a page in docs/"),
                _ => None,
            };
            if let Some(only) = refused {
                Cli::command().error(ErrorKind::ArgumentConflict, only).exit();
            }
            list::print(*what, section.as_deref(), *markdown)?;
        }
    }
    Ok(Outcome::AllWell)
}
