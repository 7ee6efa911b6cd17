//! Ctrl-C, SIGTERM, and SIGHUP of a terminal that is gone: the process says how to go on, and ends
//! at once.
//!
//! Nothing is waited for: a unit may take an hour, and finished ones are on the disk. What a signal
//! interrupts is what a crash interrupts.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::exit;

/// From here on, any of the signals ends the process with 128 plus its number, as a shell would
/// say: 129, 130 or 143. A SIGHUP that is ignored, as `nohup` has it, stays ignored.
///
/// # Errors
/// Where signals can't be received.
pub fn on_signals() -> Result<()> {
    let hangup = (!ignored(SIGHUP)).then_some(SIGHUP);
    let mut signals = Signals::new([SIGINT, SIGTERM].into_iter().chain(hangup)).context("signals can't be received")?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            crate::tell("\nstopped; finished units are safe, and the same command resumes");
            // Without destructors: workers are still in libtorch.
            exit(128 + signal);
        }
    });
    Ok(())
}

/// Returns whether the process was started with a signal ignored, as far as the system says.
fn ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (signal - 1) & 1 == 1
}
