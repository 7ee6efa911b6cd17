//! Errors of a config, with their places.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nowhere in particular: something that isn't there.
    File,
    /// A line of the file, counted from 1.
    Line(usize),
    /// An argument on the command line, as typed: `--set dataset.limit=5`.
    Argument(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File => f.write_str("this file"),
            Origin::Line(line) => write!(f, "line {line}"),
            Origin::Argument(argument) => f.write_str(argument),
        }
    }
}

/// One thing that is wrong with a config.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigError {
    /// The config; none where all was given on the command line.
    pub path: Option<PathBuf>,
    /// The place in it.
    pub origin: Origin,
    /// The key, what is wrong with it, and the nearest valid name where a name is wrong.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.message;
        match (&self.path, &self.origin) {
            (None, origin) => write!(f, "{origin}: {message}"),
            (Some(path), Origin::File) => write!(f, "{}: {message}", path.display()),
            (Some(path), Origin::Line(line)) => write!(f, "{}:{line}: {message}", path.display()),
            (Some(path), Origin::Argument(argument)) => write!(f, "{} with {argument}: {message}", path.display()),
        }
    }
}

/// Everything that is wrong with a config, in the order of its lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects errors while a config is read, so that people see all of them at once.
#[derive(Debug)]
pub(super) struct Report {
    path: Option<PathBuf>,
    errors: RefCell<Vec<ConfigError>>,
}

impl Report {
    pub(super) fn new(path: Option<&Path>) -> Self {
        Self { path: path.map(Path::to_owned), errors: RefCell::default() }
    }

    pub(super) fn add(&self, origin: &Origin, message: String) {
        self.errors.borrow_mut().push(ConfigError { path: self.path.clone(), origin: origin.clone(), message });
    }

    /// The value, if nothing was wrong. There is a value wherever nothing was wrong.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        let mut errors = self.errors.into_inner();
        errors.sort();
        errors.dedup(); // each point of a grid is read, and most of it is the same
        match value {
            Some(value) if errors.is_empty() => Ok(value),
            _ => Err(ConfigErrors(errors)),
        }
    }
}
