//! The journal: a run's records, durable one unit at a time.
//!
//! The first line says which run it is; every other line is a finished [`Unit`]. A line is on the
//! disk before its unit is counted, so a run that stops, however it stops, loses at most the units
//! it was working on. A half-written last line is dropped.

use std::fs::{OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;

use crate::io::atomic;
use crate::plan::shard::Shard;
use crate::records::Unit;
use crate::records::format::{Header, part};
use crate::records::reader::Entry;

pub use crate::records::reader::Reader;

/// Name of the journal in a run folder.
pub const FILE: &str = "records.jsonl";

/// An open journal, locked against other runs until it is dropped. What it has is read as by a
/// [`Reader`].
#[derive(Debug)]
pub struct Journal {
    reader: Reader,
}

impl std::ops::Deref for Journal {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl Journal {
    /// Opens the journal of the run folder `dir` for the run that `identity` describes, and finds
    /// the units that it has. A new folder gets a new journal; with `fresh`, an old journal is
    /// thrown away.
    ///
    /// # Errors
    /// Where the folder can't be written, another run holds it, the journal is of another run (the
    /// message says what differs), or it is damaged.
    pub fn open(dir: &Path, identity: &Value, fresh: bool) -> Result<Self> {
        Self::open_part(dir, identity, None, fresh)
    }

    /// As [`Journal::open`], for a shard of the run where there is one.
    ///
    /// # Errors
    /// As [`Journal::open`], and where the journal is of another shard.
    pub fn open_part(dir: &Path, identity: &Value, shard: Option<Shard>, fresh: bool) -> Result<Self> {
        const ADVICE: &str = "start over with --fresh, or choose another folder with --out";
        const ELSEWHERE: &str = "choose another folder with --out";
        let made: Vec<&Path> = dir.ancestors().take_while(|folder| !folder.exists()).collect();
        std::fs::create_dir_all(dir)
            .with_context(|| format!("{}: the run folder can't be made; {ELSEWHERE}", dir.display()))?;
        let path = dir.join(FILE);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let file = file.with_context(|| format!("{}: can't be opened for writing; {ELSEWHERE}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("{}: another run is writing to this folder; choose another with --out", dir.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{}: can't be locked", path.display()));
            }
        }
        if fresh {
            file.set_len(0)?;
        }
        let there = path.display().to_string();
        let reader = Reader::index(path, file, ADVICE, |theirs| {
            let differences = differences(&theirs.identity, identity);
            if !differences.is_empty() {
                bail!("{there}: holds a run that differs in {}; {ADVICE}", differences.join(", "));
            }
            if theirs.shard != shard {
                bail!("{there}: holds {}, not {}; {ADVICE}", part(theirs.shard), part(shard));
            }
            Ok(())
        })?;
        let mut journal = Self { reader };
        // What follows the last newline was being written when an earlier run stopped.
        journal.reader.file.set_len(journal.reader.whole.0)?;
        if journal.reader.header.is_none() {
            let header = Header::new(identity.clone(), shard);
            journal.append_line(&header)?;
            journal.reader.header = Some(header);
            // A file is where it is only when its folder, and each one that was made for it, is on
            // the disk, too.
            let mut folders = std::iter::once(dir).chain(made.into_iter().filter_map(Path::parent));
            folders
                .try_for_each(atomic::synchronize)
                .with_context(|| format!("{}: the run folder can't be synced", dir.display()))?;
        }
        Ok(journal)
    }

    /// Writes a finished unit, and returns when it is on the disk. Of one that can't be written,
    /// nothing is left.
    ///
    /// # Errors
    /// Where it can't be written, for instance because the disk is full.
    pub fn append(&mut self, unit: &Unit) -> Result<()> {
        let entry = self.append_line(unit)?;
        self.reader.units.insert(unit.index, Entry { done: unit.outcome.is_ok(), read: unit.sha256, ..entry });
        Ok(())
    }

    fn append_line(&mut self, value: &impl Serialize) -> Result<Entry> {
        let Reader { path, file, whole: (end, lines), .. } = &mut self.reader;
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        let write = file.write_all(&line).and_then(|()| file.sync_data());
        if write.is_err() {
            // Half a line would spoil one that is written after it. Where even this fails, the next
            // run does it.
            let _ = file.set_len(*end);
        }
        write.with_context(|| {
            format!(
                "{}: a record can't be written; what is there is safe, and the same command resumes",
                path.display()
            )
        })?;
        let entry = Entry { offset: *end, length: line.len(), line: *lines + 1, done: false, read: None };
        *end += line.len() as u64;
        *lines += 1;
        Ok(entry)
    }
}

/// Paths of the values in which two documents differ, with both values where they are short.
pub(crate) fn differences(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differing("", old, new, &mut found);
    found
}

fn differing(path: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let value = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(Value::Null);
                differing(&below(key), &value(a), &value(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(i, (a, b))| differing(&below(&i.to_string()), a, b, found));
        }
        _ if old == new => {}
        _ => {
            let (old, new) = (old.to_string(), new.to_string());
            let short = old.len() + new.len() < 60;
            found.push(if short { format!("{path} ({old} there, {new} here)") } else { path.to_owned() });
        }
    }
}

#[cfg(test)]
mod tests;
