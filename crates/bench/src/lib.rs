//! The runner: a TOML config in; records, tables, plots and a gallery out.
//!
//! `config → plan → run (workers, journal) → records → table, plot`. Records are durable before
//! they are counted; everything that people look at is a pure function of the records, so a killed
//! run resumes and an old run can be asked new questions.

pub mod analysis;
pub mod commands;
pub mod io;

use std::io::Write;

pub mod cli;
pub mod config;
pub mod plan;
pub mod records;
pub mod report;
pub mod run;

/// Prints a line of results to standard output. That nobody reads it any more is no error.
///
/// # Errors
/// Where the file that it goes to has no room left: who redirects results wants them.
pub fn print_result(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) => {
            let error = anyhow::Error::from(error);
            if io::atomic::is_full(&error) { Err(error.context("standard output can't be written to")) } else { Ok(()) }
        }
        Ok(()) => Ok(()),
    }
}

/// Says a line on standard error, where somebody may listen: nothing that is only said may end a
/// run.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
