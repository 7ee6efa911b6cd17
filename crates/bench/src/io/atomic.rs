//! Files that are there as a whole or not at all.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::io::file_name;

/// The extension of files that are being written.
const PART: &str = ".part";

/// A file of the run folder that can't be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: can't write this file", .0.display())]
struct Unwritten(PathBuf);

/// The disk has no room left: no fault of the sample that was in work, and the next one would fare
/// no better.
#[derive(Debug, thiserror::Error)]
#[error("the run stopped; finished units are safe, and the same command goes on from them")]
pub(crate) struct Full;

/// Returns whether it is for want of room that something can't be written.
pub(crate) fn is_full(error: &anyhow::Error) -> bool {
    let full = |kind| matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge);
    error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()).any(|error| full(error.kind()))
}

/// Writes a file, making its folder where it isn't there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut part = Part::create(path)?;
    part.file.write_all(bytes).with_context(|| part.failed())?;
    part.keep()
}

/// A file that is being written, beside the place where it will be. It is removed where it isn't
/// kept.
pub(crate) struct Part {
    path: PathBuf,
    beside: PathBuf,
    file: BufWriter<File>,
}

impl Part {
    /// Begins the file `path`, making its folder where it isn't there.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let name = path.file_name().with_context(|| format!("{}: not a file name", path.display()))?;
        std::fs::create_dir_all(folder).with_context(|| Unwritten(path.to_owned()))?;
        let hidden = format!(".{}", name.to_string_lossy());
        let beside = folder.join(file_name::fit(&hidden, &format!(".{}{PART}", std::process::id())));
        let file = File::create(&beside).with_context(|| Unwritten(path.to_owned()))?;
        Ok(Self { path: path.to_owned(), beside, file: BufWriter::new(file) })
    }

    /// Puts it into its place, whole and on the disk.
    pub(crate) fn keep(mut self) -> anyhow::Result<()> {
        let kept = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        kept.and_then(|()| std::fs::rename(&self.beside, &self.path)).with_context(|| self.failed())
    }

    /// Those who write to it as to any other file don't know its name.
    fn named(&self, error: std::io::Error) -> std::io::Error {
        std::io::Error::new(error.kind(), format!("{}: {error}", self.failed()))
    }

    fn failed(&self) -> Unwritten {
        Unwritten(self.path.clone())
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes).map_err(|error| self.named(error))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush().map_err(|error| self.named(error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After a rename there is nothing of this name, and before, a leftover is only untidy.
        let _ = std::fs::remove_file(&self.beside);
    }
}

/// Removes a file that an earlier report may have left.
pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{}: can't remove this file of an earlier report", path.display()))
        }
        _ => Ok(()),
    }
}

/// Removes partial files that a killed run left, from a run folder that nobody else writes to and
/// from the folders in it, other than those called `except`.
pub(crate) fn remove_partial_files(folder: &Path, except: &str) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let name = name.to_string_lossy();
        if kind.is_dir() && name != except {
            remove_partial_files(&entry.path(), except)?;
        } else if kind.is_file() && name.starts_with('.') && name.ends_with(PART) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Makes durable which files a folder holds.
pub(crate) fn synchronize(folder: &Path) -> std::io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
