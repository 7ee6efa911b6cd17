//! The integration tests of this crate, in one program because linking takes longest.
//!
//! `cargo test --workspace --test all NAME::` runs the tests of `NAME.rs`.

mod closed_form;
mod contributing;
mod density;
mod pointing;
mod segmentation;
