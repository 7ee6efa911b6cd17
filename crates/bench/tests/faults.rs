//! Crash safety, shown by doing harm to runs of the program: they are killed at random moments, their disk is full or can't be written, two of them
//! are started on one folder, what they read is changed. Nothing is lost, nothing is there twice, or the run is refused.
//!
//! `cargo test -p bench --test faults -- --nocapture` says how often what was hit, and what this machine doesn't allow.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(clippy::print_stderr, reason = "totals are for who runs these tests")]
#![cfg(unix)]

mod lab;

#[path = "faults/changed.rs"]
mod changed;
#[path = "faults/codes.rs"]
mod codes;
#[path = "faults/dry.rs"]
mod dry;
#[path = "faults/durable.rs"]
mod durable;
#[path = "faults/folder.rs"]
mod folder;
#[path = "faults/full.rs"]
mod full;
#[path = "faults/kill.rs"]
mod kill;
#[path = "faults/named.rs"]
mod named;
#[path = "faults/signal.rs"]
mod signal;
#[path = "faults/thousand.rs"]
mod thousand;
#[path = "faults/together.rs"]
mod together;
#[path = "faults/unheard.rs"]
mod unheard;
#[path = "faults/victim.rs"]
mod victim;
