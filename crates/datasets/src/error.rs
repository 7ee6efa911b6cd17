//! Errors of data sets, in words with which their owners can put them right.

use std::path::{Path, PathBuf};

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A data set that can't be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Files that must be there are not.
    #[error("not found:{}\nexpected layout:\n{layout}\nhow to get it:\n{how_to_get}", bullets(.paths))]
    Missing {
        /// Every missing path, not only the first.
        paths: Vec<PathBuf>,
        /// Expected layout below the root.
        layout: String,
        /// Source of the files.
        how_to_get: String,
    },
    /// The operating system refused.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Its answer.
        source: std::io::Error,
    },
    /// An image file that is not decoded.
    #[error("{}: {problem}", .path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// The finding, and what to do.
        problem: String,
    },
    /// A line of a text file that is not as its format says.
    #[error("{}:{line}: {problem}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// The finding, and what to do.
        problem: String,
    },
    /// Files and folders that do not fit together.
    #[error("{}: {problem}", .path.display())]
    Layout {
        /// The file or folder.
        path: PathBuf,
        /// The finding, and what to do.
        problem: String,
    },
    /// No data set has this name.
    #[error("unknown data set `{kind}`; there are: {known}")]
    UnknownKind {
        /// The name asked for.
        kind: String,
        /// The names there are.
        known: String,
    },
}

/// Most letters of a finding: it may quote a file that is one long line.
const LONGEST: usize = 2000;

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { path: path.into(), source }
    }

    pub(crate) fn image(path: &Path, problem: impl Into<String>) -> Self {
        Self::Image { path: path.into(), problem: short(problem.into()) }
    }

    pub(crate) fn line(path: &Path, line: u64, problem: impl Into<String>) -> Self {
        Self::Line { path: path.into(), line, problem: short(problem.into()) }
    }

    pub(crate) fn layout(path: &Path, problem: impl Into<String>) -> Self {
        Self::Layout { path: path.into(), problem: short(problem.into()) }
    }
}

fn short(mut problem: String) -> String {
    if let Some((end, _)) = problem.char_indices().nth(LONGEST) {
        problem.truncate(end);
        problem.push('…');
    }
    problem
}

fn bullets(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| format!("\n  {}", path.display())).collect()
}
