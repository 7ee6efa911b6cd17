//! A shard, read from its folder.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::journal::{self, Reader};
use crate::manifest::Manifest;

/// A shard that nobody is writing to while this is held. Its records stay on the disk.
#[derive(Debug)]
pub(super) struct Part {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// What it says of its run.
    pub(super) manifest: Manifest,
    /// Its `run.json`; `None` where it wasn't through yet.
    pub(super) run: Option<Value>,
    journal: Reader,
}

const ADVICE: &str = "do this shard again with --fresh";

impl Part {
    /// Opens a shard's folder.
    ///
    /// # Errors
    /// Where a process is writing to it, or a file of it can't be read or is damaged.
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        let path = folder.join(journal::FILE);
        let file = File::open(&path).with_context(|| format!("{}: can't be read", path.display()))?;
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("{}: this shard is still being written; merge when it is done", folder.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{}: can't be locked", path.display()));
            }
        }
        let manifest = Manifest::read(&folder)?;
        let journal = Reader::index(path, file, ADVICE, |_| Ok(()))?;
        let path = folder.join(journal::FILE);
        let header = journal.header().with_context(|| format!("{}: holds no whole line; {ADVICE}", path.display()))?;
        if header.shard != Some(manifest.shard) {
            let (path, whose) = (path.display(), journal::part(header.shard));
            bail!("{path}: is the journal of {whose}, in the folder of shard {}; {ADVICE}", manifest.shard);
        }
        let run = folder.join(crate::provenance::FILE);
        let run = match std::fs::read(&run) {
            Ok(text) => Some(
                serde_json::from_slice(&text)
                    .with_context(|| format!("{}: not what a run writes; {ADVICE}", run.display()))?,
            ),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("{}: can't be read", run.display())),
        };
        Ok(Self { folder, manifest, run, journal })
    }

    /// What its numbers depend on.
    pub(super) fn identity(&self) -> &Value {
        self.journal.identity()
    }

    /// The units that are there, done or failed, ascending.
    pub(super) fn units(&self) -> impl Iterator<Item = usize> {
        self.journal.units().map(|(unit, _)| unit)
    }

    /// A unit's line, with its end.
    ///
    /// # Errors
    /// Where it isn't there, can't be read or is damaged.
    pub(super) fn line(&self, unit: usize) -> Result<Vec<u8>> {
        self.journal.line(unit)
    }
}
