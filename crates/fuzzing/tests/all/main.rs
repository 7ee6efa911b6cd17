//! The integration tests of this crate, in one program because linking takes longest.
//!
//! `cargo test --workspace --test all NAME::` runs the tests of `NAME.rs`.

use fuzzing::heap::Counted;

/// Counts a thread at a time, so that tests may run side by side.
#[global_allocator]
static HEAP: Counted = Counted;

mod hostile;
mod run;
mod targets;
