//! Files that are there as a whole or not at all.

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

/// Writes beside the file and renames, making the folder where it isn't there.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().with_context(|| format!("{}: not a file name", path.display()))?;
    std::fs::create_dir_all(folder).with_context(|| format!("{}: can't make this folder", folder.display()))?;
    let beside = folder.join(format!(".{}.{}.part", name.to_string_lossy(), std::process::id()));
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // The error that matters is the first one; a leftover is only untidy.
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(|| format!("{}: can't write this file", path.display()))
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
