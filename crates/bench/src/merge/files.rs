//! The merged run's gallery.

use std::path::Path;

use anyhow::{Context, Result};

use super::part::Part;
use crate::report::gallery::plate;

/// Copies all plates, and the sheets beside them. Those of an earlier run go, unless the run had begun in this folder.
///
/// # Errors
/// Where a file can't be read or written.
pub(super) fn gallery(parts: &[Part], out: &Path, begun: bool) -> Result<()> {
    let gallery = out.join("gallery");
    if !begun {
        plate::clear(&gallery)?;
    }
    for part in parts {
        for (folder, _) in plate::read_all(&part.folder.join("gallery"))? {
            let name = folder.file_name().with_context(|| format!("{}: has no name", folder.display()))?;
            plate::copy(&folder, &gallery.join(name))?;
        }
    }
    Ok(())
}
