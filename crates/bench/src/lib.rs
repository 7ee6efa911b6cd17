//! The runner: a TOML config in; records, tables, plots and a gallery out.
//!
//! `config → plan → run (workers, journal) → records → table, plot`. Records are durable before they are counted; everything that people look
//! at is a pure function of the records, so a killed run resumes and an old run can be asked new questions.

use std::io::Write;

pub mod cli;
pub mod compare;
pub mod config;
pub mod data;
pub mod describe;
pub mod explain;
pub mod export;
pub mod input;
pub mod inputs;
pub mod journal;
pub mod list;
pub mod manifest;
pub mod maps;
pub mod merge;
mod named;
mod names;
pub mod npy;
pub mod plan;
pub mod progress;
pub mod provenance;
pub mod record;
pub mod report;
pub mod run;
pub mod shard;
mod share;
mod sheets;
mod stages;
pub mod stop;
mod subject;
mod targets;
pub mod work;

/// Prints a line of results to standard output. That nobody reads it any more is no error.
///
/// # Errors
/// Where the file that it goes to has no room left: who redirects results wants them.
pub fn say(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) => {
            let error = anyhow::Error::from(error);
            if report::files::is_full(&error) {
                Err(error.context("standard output can't be written to"))
            } else {
                Ok(())
            }
        }
        Ok(()) => Ok(()),
    }
}

/// Says a line on standard error, where somebody may listen: nothing that is only said may end a
/// run.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
