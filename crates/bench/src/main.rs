//! The benchmark runner's program.

use std::process::ExitCode;

use bench::cli::{Cli, Command, Listing};
use bench::commands::error::{CliError, Outcome};
use bench::commands::{compare, explain, export_plan, layers, list, list_config, run};
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
        Some(Command::List { what: Listing::Layers, of, arch, .. }) => {
            layers::print(of.as_deref(), arch.as_deref())?;
        }
        Some(Command::List { what, of, markdown, .. }) => {
            let is_section = |name: &str| list_config::sections().contains(&name);
            let refused = match what {
                Listing::Config if of.as_deref().is_none_or(is_section) => None,
                Listing::Config => Some("no such table; see: bench list config"),
                _ if of.is_some() => Some("only `bench list config` takes a table, and `bench list layers` a file"),
                _ if *markdown && !what.has_page() => Some("only methods, metrics and config have a page in docs/"),
                _ => None,
            };
            if let Some(only) = refused {
                Cli::command().error(ErrorKind::ArgumentConflict, only).exit();
            }
            list::print(*what, of.as_deref(), *markdown)?;
        }
    }
    Ok(Outcome::AllWell)
}
