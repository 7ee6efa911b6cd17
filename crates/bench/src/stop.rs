//! Ctrl-C and SIGTERM: the process says how to go on, and ends at once.
//!
//! Nothing is waited for: a unit may take an hour, and finished ones are on the disk. What a signal interrupts is what a crash interrupts.

use std::io::Write;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

/// From here on, either signal ends the process with 128 plus its number, as a shell would say: 130 or 143.
///
/// # Errors
/// Where signals can't be received.
pub fn on_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("signals can't be received")?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // Nobody may be listening any more.
            let _ = writeln!(std::io::stderr(), "\nstopped; finished units are safe, and the same command resumes");
            // Without destructors: workers are still in libtorch.
            exit(128 + signal);
        }
    });
    Ok(())
}
