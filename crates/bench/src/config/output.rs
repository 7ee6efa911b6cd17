//! `[output]`

use std::path::{Path, PathBuf};

use super::keys::output as keys;
use super::section::{Section, count};

/// `[output]`
#[derive(Debug, Clone)]
pub struct Output {
    /// Run folder; `results/<name>` (`results/mini/<name>` for a config in a folder `mini`) where
    /// absent.
    pub dir: PathBuf,
    /// Published numbers to compare with, a CSV as in `results/published/`.
    pub published: Option<PathBuf>,
    /// A note on the published numbers, in a sentence or two.
    pub remark: Option<String>,
    /// Samples shown in the gallery.
    pub gallery: usize,
    /// Resamples of the bootstrap.
    pub resamples: usize,
}

/// Reads the section of the config at `path`, whose file stem is `name`.
pub(super) fn output(mut section: Section<'_>, path: &Path, name: &str) -> Output {
    let in_mini = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "mini");
    let default = || PathBuf::from(if in_mini { "results/mini" } else { "results" }).join(name);
    let output = Output {
        dir: section.get(&keys::DIR).unwrap_or_else(default),
        published: section.get(&keys::PUBLISHED),
        remark: section.get(&keys::REMARK),
        gallery: section.get(&keys::GALLERY).unwrap_or(8),
        resamples: count(&mut section, &keys::RESAMPLES).unwrap_or(10_000),
    };
    section.finish();
    output
}
