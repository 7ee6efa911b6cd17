//! The runner: a TOML config in; records, tables, plots and a gallery out.
//!
//! `config → plan → run (workers, journal) → records → table, plot`. Records are durable before they are counted; everything that people look
//! at is a pure function of the records, so a killed run resumes and an old run can be asked new questions.

pub mod config;
pub mod record;
pub mod report;
