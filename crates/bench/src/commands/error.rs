//! Outcomes and errors of commands, with their exit codes (docs/exit-codes.md).

use crate::config::ConfigErrors;
use crate::plan::Missing;

/// The end of a command that finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Everything that was asked for.
    AllWell,
    /// Nothing failed, but the results couldn't be printed.
    Unprinted,
    /// Some samples failed; the others have their results.
    SomeFailed,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Outcome::AllWell => 0,
            Outcome::Unprinted => 1,
            Outcome::SomeFailed => 3,
        }
    }
}

/// An error that ends a command.
#[derive(Debug)]
pub enum CliError {
    /// A wrong command line or config, or missing files: nothing was done.
    Usage(anyhow::Error),
    /// Something that couldn't be read, written or computed.
    Failed(anyhow::Error),
}

impl CliError {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            CliError::Failed(_) => 1,
            CliError::Usage(_) => 2,
        }
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (CliError::Usage(error) | CliError::Failed(error)) = self;
        write!(f, "{error:#}")
    }
}

impl<E: Into<anyhow::Error>> From<E> for CliError {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.is::<ConfigErrors>() || error.is::<Missing>() || error.is::<UsageError>() {
            true => CliError::Usage(error),
            false => CliError::Failed(error),
        }
    }
}

/// A command line that names what can't be used, and why: a folder without a run, shards that make
/// no run, a method that a run doesn't have.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub(crate) String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_about_the_command_line_is_usage_whatever_its_context() {
        let usage = || anyhow::Error::from(UsageError("no run".into()));
        assert_eq!(CliError::from(usage()).code(), 2);
        assert_eq!(CliError::from(usage().context("comparing")).code(), 2);
        assert_eq!(CliError::from(usage().context("comparing")).to_string(), "comparing: no run");
        assert_eq!(CliError::from(anyhow::anyhow!("a disk")).code(), 1);
    }

    #[test]
    fn of_several_outcomes_the_worst_counts() {
        let codes = |outcomes: &[Outcome]| outcomes.iter().max().map(|outcome| outcome.code());
        assert_eq!(codes(&[Outcome::AllWell, Outcome::SomeFailed, Outcome::Unprinted]), Some(3));
        assert_eq!(codes(&[Outcome::AllWell, Outcome::Unprinted]), Some(1));
    }
}
