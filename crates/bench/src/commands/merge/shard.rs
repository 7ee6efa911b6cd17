//! A shard, read from its folder.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::plan::manifest::Manifest;
use crate::plan::shard::Shard;
use crate::records::journal::Reader;
use crate::records::{format, journal};
use crate::run::run_json;

/// A shard that nobody is writing to while this is held. Its records and what it says of the run
/// stay on the disk.
#[derive(Debug)]
pub(super) struct Part {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// Its position among the shards.
    pub(super) shard: Shard,
    /// Its journal.
    pub(super) journal: Reader,
    /// Its `run.json`; `None` where it wasn't through yet.
    pub(super) run: Option<Value>,
}

const ADVICE: &str = "do this shard again with --fresh";

impl Part {
    /// Opens a shard's folder.
    ///
    /// # Errors
    /// Where a process is writing to it, or a file of it can't be read or is damaged.
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        let path = folder.join(journal::FILE);
        let about = || format!("{}: can't be read", path.display());
        let file = File::open(&path).with_context(about)?;
        match file.try_lock_shared() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("{}: this shard is still being written; merge when it is done", folder.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{}: can't be locked", path.display()));
            }
        }
        let shard = Manifest::read(&folder)?.shard;
        let journal = Reader::index(path.clone(), file, ADVICE, |_| Ok(()))?;
        let header = journal.header().with_context(|| format!("{}: holds no whole line; {ADVICE}", path.display()))?;
        if header.shard != Some(shard) {
            let (path, whose) = (path.display(), format::part(header.shard));
            bail!("{path}: is the journal of {whose}, in the folder of shard {shard}; {ADVICE}");
        }
        let run = folder.join(run_json::FILE);
        let run = match std::fs::read(&run) {
            Ok(text) => {
                let damaged = || format!("{}: not what a run writes; {ADVICE}", run.display());
                Some(serde_json::from_slice(&text).with_context(damaged)?)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| format!("{}: can't be read", run.display())),
        };
        Ok(Self { folder, shard, journal, run })
    }

    /// Its manifest of the run. That names every sample, so it isn't held for each of many shards.
    ///
    /// # Errors
    /// Where it can't be read.
    pub(super) fn manifest(&self) -> Result<Manifest> {
        Manifest::read(&self.folder)
    }
}
