//! The runner: a TOML config in; records, tables, plots and a gallery out.
//!
//! `config → plan → run (workers, journal) → records → table, plot`. Records are durable before they are counted; everything that people look
//! at is a pure function of the records, so a killed run resumes and an old run can be asked new questions.

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

/// Prints a line of results to standard output. A reader that has gone away is no error.
///
/// # Errors
/// Where standard output can't be written to.
pub fn say(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
