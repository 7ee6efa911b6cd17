//! Crash safety, shown by doing harm to runs of the program: they are killed at random moments,
//! their disk is full or can't be written, two of them are started on one folder, what they read is
//! changed. Nothing is lost, nothing is there twice, or the run is refused.
//!
//! `cargo test -p bench --test all faults:: -- --nocapture` says how often what was hit, and what
//! this machine doesn't allow.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(clippy::print_stderr, reason = "totals are for who runs these tests")]
#![cfg(unix)]

mod changed;
mod codes;
mod dry;
mod durable;
mod folder;
mod full;
mod kill;
mod named;
mod signal;
mod thousand;
mod together;
mod unheard;
mod victim;
