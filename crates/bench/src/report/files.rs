//! Files that are there as a whole or not at all.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Writes a file, making its folder where it isn't there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut part = Part::create(path)?;
    part.write_all(bytes).with_context(|| part.failed())?;
    part.keep()
}

/// A file that is being written, beside the place where it will be. It is removed where it isn't kept.
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
        std::fs::create_dir_all(folder).with_context(|| format!("{}: can't make this folder", folder.display()))?;
        let beside = folder.join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
        let file = File::create(&beside).with_context(|| format!("{}: can't write this file", path.display()))?;
        Ok(Self { path: path.to_owned(), beside, file: BufWriter::new(file) })
    }

    /// Puts it into its place, whole and on the disk.
    pub(crate) fn keep(mut self) -> anyhow::Result<()> {
        let kept = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        kept.and_then(|()| std::fs::rename(&self.beside, &self.path)).with_context(|| self.failed())
    }

    fn failed(&self) -> String {
        format!("{}: can't write this file", self.path.display())
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
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
