//! The merged run's journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::part::Part;
use crate::config::Config;
use crate::journal::{self, Header, Reader, differences};

const ADVICE: &str = "choose another folder with --out";

/// Locks the run's folder, and checks that it may be written to: that nothing is in it, or nothing but what is in the shards, too. Says whether there is
/// anything, besides.
///
/// # Errors
/// Where the folder holds another run, or units that the shards don't have, or a run is writing to it.
pub(super) fn claim(parts: &[Part], config: &Config) -> Result<(Reader, bool)> {
    let out = &config.output.dir;
    std::fs::create_dir_all(out).with_context(|| format!("{}: the run folder can't be made", out.display()))?;
    let path = out.join(journal::FILE);
    let file = OpenOptions::new().read(true).append(true).create(true).open(&path);
    let file = lock(file.with_context(|| format!("{}: can't be opened for writing", path.display()))?, out)?;
    let there = Reader::index(path, file, ADVICE, |header| {
        let found = parts.first().map(|part| differences(&header.identity, part.identity())).unwrap_or_default();
        if !found.is_empty() {
            bail!("{}: holds a run that differs in {}; {ADVICE}", out.display(), found.join(", "));
        }
        if header.shard.is_some() {
            bail!("{}: holds {} of the run; {ADVICE}", out.display(), journal::part(header.shard));
        }
        Ok(())
    })?;
    let units = planned(parts, config);
    let done = || there.units().filter(|(_, done)| *done).map(|(unit, _)| unit);
    let more = done().filter(|unit| units.binary_search(unit).is_err()).count();
    if more > 0 {
        bail!("{}: holds a run with {more} units more than the shards have; {ADVICE}", out.display());
    }
    let begun = done().next().is_some();
    Ok((there, begun))
}

/// Writes the journal in place of the one that is locked, units in plan order, and returns it locked as well.
///
/// # Errors
/// Where a line can't be read or written.
pub(super) fn write(parts: &[Part], config: &Config, before: Reader) -> Result<Reader> {
    let out = &config.output.dir;
    let path = out.join(journal::FILE);
    let beside = out.join(format!(".{}.{}.part", journal::FILE, std::process::id()));
    let about = || format!("{}: can't be written", beside.display());
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&beside).with_context(about)?;
    let mut writer = BufWriter::new(lock(file, out)?);
    let copy = |writer: &mut BufWriter<File>| -> Result<()> {
        let first = parts.first().context("there is no shard")?;
        serde_json::to_writer(&mut *writer, &Header::new(first.identity().clone(), None))?;
        writer.write_all(b"\n").with_context(about)?;
        let models: Vec<usize> = config.models.iter().map(|model| model.dataset).collect();
        let shares: Vec<Vec<usize>> =
            parts.iter().map(|part| part.manifest.units_of(part.manifest.shard, &models)).collect();
        for unit in first.manifest.all_units(&models) {
            let part = shares.iter().position(|share| share.binary_search(&unit).is_ok());
            let part = part.with_context(|| format!("unit {unit} is in no shard"))?;
            writer.write_all(&parts[part].line(unit)?).with_context(about)?;
        }
        writer
            .flush()
            .and_then(|()| writer.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&beside, &path))
            .with_context(about)
    };
    if let Err(error) = copy(&mut writer) {
        // The error that matters is the first one; a leftover is only untidy.
        let _ = std::fs::remove_file(&beside);
        return Err(error);
    }
    // From here on, who opens the folder's journal finds the new one.
    drop(before);
    let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(about)?;
    Reader::index(path, file, ADVICE, |_| Ok(()))
}

/// The whole run's units.
pub(super) fn planned(parts: &[Part], config: &Config) -> Vec<usize> {
    let models: Vec<usize> = config.models.iter().map(|model| model.dataset).collect();
    parts.first().map(|part| part.manifest.all_units(&models)).unwrap_or_default()
}

fn lock(file: File, out: &Path) -> Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("{}: another run is writing to this folder; choose another with --out", out.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("{}: can't be locked", out.display())),
    }
}
