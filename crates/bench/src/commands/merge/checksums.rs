//! Checks that the units of a sample are all of the same bytes, in whichever folder they are.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Result, bail};
use datasets::Checksum;

use super::shard::Part;
use super::validate::Run;
use crate::plan::{SampleIndex, UnitId};
use crate::records::journal::Reader;

/// Compares what was read of each sample in the shards and in the merged folder, and returns how
/// many units of the shards don't say it.
///
/// # Errors
/// Where the units of a sample were made from different bytes. The message names the first.
pub(super) fn agree(run: &Run, parts: &[Part], there: &Reader) -> Result<usize> {
    let mut known: HashMap<(usize, SampleIndex), (Checksum, UnitId, &Path)> = HashMap::new();
    let mut unknown = 0;
    let out = (run.config.output.dir.as_path(), there, there.units().map(|(unit, _)| unit).collect());
    let shards = parts.iter().map(|part| (part.folder.as_path(), &part.journal, run.units_of(part.shard)));
    for (folder, journal, units) in shards.chain([out]) {
        for unit in units.into_iter().filter(|&unit| journal.is_done(unit)) {
            let Some(checksum) = journal.checksum(unit) else {
                unknown += usize::from(!std::ptr::eq(journal, there));
                continue;
            };
            let (then, first, shard) = *known.entry(run.sample(unit)).or_insert((checksum, unit, folder));
            if then != checksum {
                let [one, other] = [(unit, checksum, folder), (first, then, shard)].map(|(unit, checksum, folder)| {
                    format!("{} in {} (SHA-256 {}…)", run.model(unit), folder.display(), &checksum.to_string()[..12])
                });
                bail!(
                    "sample '{}' was read from other bytes for {one} than for {other}: its file has changed in between; \
                     do the shard again with --fresh, or choose another folder with --out",
                    run.id(unit)
                );
            }
        }
    }
    Ok(unknown)
}
