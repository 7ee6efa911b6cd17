//! The journal: a run's records, durable one unit at a time.
//!
//! The first line says which run it is; every other line is a finished [`Unit`]. A line is on the disk before its unit is counted, so a run that
//! stops, however it stops, loses at most the units it was working on. A half-written last line is dropped.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::record::Unit;

/// Name of the journal in a run folder.
pub const FILE: &str = "records.jsonl";

const FORMAT: u32 = 2;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    /// Everything that numbers depend on.
    identity: Value,
}

/// An open journal, locked against other runs.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the journal of the run folder `dir` for the run that `identity` describes, and reads the units that are done, by index. A new folder
    /// gets a new journal; with `fresh`, an old journal is thrown away.
    ///
    /// # Errors
    /// Where the folder can't be written, another run holds it, the journal is of another run (the message says what differs), or it is damaged.
    pub fn open(dir: &Path, identity: &Value, fresh: bool) -> Result<(Self, BTreeMap<usize, Unit>)> {
        std::fs::create_dir_all(dir).with_context(|| format!("{}: the run folder can't be made", dir.display()))?;
        let path = dir.join(FILE);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path);
        let file = file.with_context(|| format!("{}: can't be opened for writing", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("{}: another run is writing to this folder; choose another with --out", dir.display())
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{}: can't be locked", path.display()));
            }
        }
        let mut journal = Self { path, file };
        if fresh {
            journal.file.set_len(0)?;
        }
        let units = journal.read(identity)?;
        Ok((journal, units))
    }

    fn read(&mut self, identity: &Value) -> Result<BTreeMap<usize, Unit>> {
        const ADVICE: &str = "start over with --fresh, or choose another folder with --out";
        self.file.rewind()?;
        let Lines { header, units, whole } = lines(&self.path, &self.file, ADVICE, |theirs| {
            let mut differences = Vec::new();
            differing("", theirs, identity, &mut differences);
            if !differences.is_empty() {
                bail!("{}: holds a run that differs in {}; {ADVICE}", self.path.display(), differences.join(", "));
            }
            Ok(())
        })?;
        // What follows the last newline was being written when an earlier run stopped.
        self.file.set_len(whole)?;
        if header.is_none() {
            self.append_line(&Header { format: FORMAT, identity: identity.clone() })?;
        }
        Ok(units)
    }

    /// Writes a finished unit, and returns when it is on the disk.
    ///
    /// # Errors
    /// Where it can't be written, for instance because the disk is full.
    pub fn append(&mut self, unit: &Unit) -> Result<()> {
        self.append_line(unit)
    }

    fn append_line(&mut self, value: &impl Serialize) -> Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        let write = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        write.with_context(|| {
            format!(
                "{}: a record can't be written; what is there is safe, and the same command resumes",
                self.path.display()
            )
        })
    }
}

/// Reads the journal of the run folder `dir`, and leaves it as it is: neither is it locked, so that the run may be going on, nor is a half-written last line
/// removed. The identity, and the units that are done, by index.
///
/// # Errors
/// Where the folder has no journal, or it is damaged.
pub fn read(dir: &Path) -> Result<(Value, BTreeMap<usize, Unit>)> {
    if !dir.is_dir() {
        bail!("{}: no such folder; expected the folder of a run, as results/table1", dir.display());
    }
    let path = dir.join(FILE);
    if !path.is_file() {
        bail!("{}: not the folder of a run, which would hold a {FILE}", dir.display());
    }
    let file = File::open(&path).with_context(|| format!("{}: can't be read", path.display()))?;
    let advice = "if the run is this program's, do it again with --fresh";
    let Lines { header, units, .. } = lines(&path, &file, advice, |_| Ok(()))?;
    let header =
        header.with_context(|| format!("{}: holds no whole line yet; the run has not begun", path.display()))?;
    Ok((header.identity, units))
}

/// What a journal's whole lines say.
struct Lines {
    /// `None` where there are no lines.
    header: Option<Header>,
    units: BTreeMap<usize, Unit>,
    /// Their length in bytes.
    whole: u64,
}

/// Reads the whole lines; the identity is checked before what follows it.
fn lines(path: &Path, file: &File, advice: &str, check: impl Fn(&Value) -> Result<()>) -> Result<Lines> {
    let mut lines = Lines { header: None, units: BTreeMap::new(), whole: 0 };
    let mut reader = BufReader::new(file);
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).with_context(|| format!("{}: can't be read", path.display()))? == 0
            || line.last() != Some(&b'\n')
        {
            return Ok(lines);
        }
        number += 1;
        let damaged = || format!("{}:{number}: not a line of a run's journal; {advice}", path.display());
        if number == 1 {
            let header: Header = serde_json::from_slice(&line).with_context(damaged)?;
            if header.format != FORMAT {
                bail!(
                    "{}: written by another version of this program (format {}, not {FORMAT}); {advice}",
                    path.display(),
                    header.format
                );
            }
            check(&header.identity)?;
            lines.header = Some(header);
        } else {
            let unit: Unit = serde_json::from_slice(&line).with_context(damaged)?;
            lines.units.insert(unit.index, unit);
        }
        lines.whole += line.len() as u64;
    }
}

/// Paths of the values in which two documents differ, with both values where they are short.
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
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::Failure;

    fn unit(index: usize) -> Unit {
        let failure =
            Failure { dataset: "d".into(), sample: format!("s{index}"), model: "m".into(), error: "none".into() };
        Unit { index, outcome: Err(failure) }
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_the_rest_kept() {
        let dir = tempfile::tempdir().unwrap();
        let identity = json!({"a": 1});
        let (mut journal, units) = Journal::open(dir.path(), &identity, false).unwrap();
        assert!(units.is_empty());
        journal.append(&unit(3)).unwrap();
        journal.append(&unit(1)).unwrap();
        drop(journal);
        let path = dir.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..20 {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let (mut journal, units) = Journal::open(dir.path(), &identity, false).unwrap();
            assert_eq!(units.keys().copied().collect::<Vec<_>>(), [3]);
            journal.append(&unit(1)).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn another_run_and_a_second_writer_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = |identity: Value, fresh| Journal::open(dir.path(), &identity, fresh).map(|(journal, _)| journal);
        let first = open(json!({"seed": 1, "model": [{"weights": "x"}]}), false).unwrap();
        let busy = open(json!({}), false).unwrap_err().to_string();
        assert!(busy.contains("another run is writing to this folder"), "{busy}");
        drop(first);
        let other = open(json!({"seed": 2, "model": [{"weights": "y"}]}), false).unwrap_err().to_string();
        assert!(
            other.contains(
                "differs in model.0.weights (\"x\" there, \"y\" here), seed (1 there, 2 here); start over with --fresh"
            ),
            "{other}"
        );
        open(json!({"seed": 2}), true).unwrap();
        open(json!({"seed": 2}), false).unwrap();
    }

    #[test]
    fn a_damaged_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(dir.path(), &json!({}), false).unwrap();
        journal.append(&unit(0)).unwrap();
        drop(journal);
        let path = dir.path().join(FILE);
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("not json\n");
        std::fs::write(&path, text).unwrap();
        let error = Journal::open(dir.path(), &json!({}), false).unwrap_err().to_string();
        assert!(error.contains("records.jsonl:3: not a line of a run's journal"), "{error}");
    }
}
