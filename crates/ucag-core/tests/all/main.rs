//! The integration tests of this crate, in one program because linking takes longest.
//!
//! `cargo test --workspace --test all NAME::` runs the tests of `NAME.rs`.
//!
//! Some tests set libtorch's number of threads. It belongs to the thread that sets it, and to those
//! that start later: a test has one number throughout, and none may depend on which.

#[path = "../support/mod.rs"]
mod support;

mod cams;
mod contributing;
mod degenerate;
mod families;
mod forward;
mod golden_rules;
mod gradients;
mod matrix;
mod networks;
mod perturbation;
mod relevance;
mod stems;
mod torchscript;
mod ucag;
