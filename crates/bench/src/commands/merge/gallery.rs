//! The merged run's gallery.

use std::path::Path;

use anyhow::{Context, Result};

use super::shard::Part;
use crate::records::saved_maps;

/// Copies all saved maps, and the contact sheets beside them. Those of an earlier run go, unless
/// the run had begun in this folder.
///
/// # Errors
/// Where a file can't be read or written.
pub(super) fn gallery(parts: &[Part], out: &Path, begun: bool) -> Result<()> {
    let gallery = out.join("gallery");
    if !begun {
        saved_maps::clear(&gallery)?;
    }
    for part in parts {
        for (folder, _) in saved_maps::read_all(&part.folder.join("gallery"))? {
            let name = folder.file_name().with_context(|| format!("{}: has no name", folder.display()))?;
            saved_maps::copy(&folder, &gallery.join(name))?;
        }
    }
    Ok(())
}
