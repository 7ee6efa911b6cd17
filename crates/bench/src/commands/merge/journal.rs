//! The merged run's journal.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::shard::Part;
use super::validate::Run;
use crate::io::atomic;
use crate::plan::UnitId;
use crate::plan::shard::FOLDER;
use crate::records::format::{Header, part};
use crate::records::journal;
use crate::records::journal::{Reader, differences};

const ADVICE: &str = "choose another folder with --out";

/// Locks the run's folder, and checks that it may be written to: that nothing is in it, or nothing
/// but what is in the shards, too. Says whether there is anything, besides.
///
/// # Errors
/// Where the folder holds another run, or units that the shards don't have, or a run is writing to
/// it.
pub(super) fn claim(run: &Run, parts: &[Part]) -> Result<(Reader, bool)> {
    let out = &run.config.output.dir;
    std::fs::create_dir_all(out).with_context(|| format!("{}: the run folder can't be made", out.display()))?;
    let path = out.join(journal::FILE);
    let file = OpenOptions::new().read(true).append(true).create(true).open(&path);
    let file = lock(file.with_context(|| format!("{}: can't be opened for writing", path.display()))?, out)?;
    let there = Reader::index(path, file, ADVICE, |header| {
        let found = differences(&header.identity, &run.identity);
        if !found.is_empty() {
            bail!("{}: holds a run that differs in {}; {ADVICE}", out.display(), found.join(", "));
        }
        if header.shard.is_some() {
            bail!("{}: holds {} of the run; {ADVICE}", out.display(), part(header.shard));
        }
        Ok(())
    })?;
    let merged: HashSet<UnitId> = parts
        .iter()
        .flat_map(|part| run.units_of(part.shard).into_iter().filter(|&unit| part.journal.is_done(unit)))
        .collect();
    let done = || there.units().filter(|(_, done)| *done).map(|(unit, _)| unit);
    let more = done().filter(|unit| !merged.contains(unit)).count();
    if more > 0 {
        bail!("{}: {more} of the units that are done in it aren't in the shards; {ADVICE}", out.display());
    }
    let begun = done().next().is_some();
    atomic::remove_partial_files(out, FOLDER)
        .with_context(|| format!("{}: leftovers can't be removed", out.display()))?;
    Ok((there, begun))
}

/// Writes the journal in place of the one that is locked, and returns it locked as well, with the
/// units in plan order.
///
/// # Errors
/// Where a line can't be read or written.
pub(super) fn write(run: &Run, parts: &[Part], before: Reader) -> Result<(Reader, Vec<UnitId>)> {
    let out = &run.config.output.dir;
    let path = out.join(journal::FILE);
    let beside = out.join(format!(".{}.{}.part", journal::FILE, std::process::id()));
    let about = || format!("{}: can't be written", beside.display());
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&beside).with_context(about)?;
    let mut writer = BufWriter::new(lock(file, out)?);
    let of = |part: &'_ Part| run.units_of(part.shard).into_iter();
    let mut units: Vec<(UnitId, &Part)> =
        parts.iter().flat_map(|part| of(part).map(move |unit| (unit, part))).collect();
    units.sort_by_key(|(unit, _)| *unit);
    let copy = |writer: &mut BufWriter<File>| -> Result<()> {
        serde_json::to_writer(&mut *writer, &Header::new(run.identity.clone(), None))?;
        writer.write_all(b"\n").with_context(about)?;
        for (unit, part) in &units {
            writer.write_all(&part.journal.line(*unit)?).with_context(about)?;
        }
        let written = writer.flush().and_then(|()| writer.get_ref().sync_all());
        let moved = written.and_then(|()| std::fs::rename(&beside, &path));
        moved.and_then(|()| atomic::synchronize(out)).with_context(about)
    };
    if let Err(error) = copy(&mut writer) {
        // The error that matters is the first one; a leftover is only untidy.
        let _ = std::fs::remove_file(&beside);
        return Err(error);
    }
    // From here on, who opens the folder's journal finds the new one.
    drop(before);
    let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(about)?;
    let journal = Reader::index(path, file, ADVICE, |_| Ok(()))?;
    Ok((journal, units.into_iter().map(|(unit, _)| unit).collect()))
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
