//! Reading a journal: an index of its units is held, their records stay on the disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use datasets::Checksum;
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::format::{FORMAT, Header};
use super::journal::FILE;
use crate::plan::UnitId;
use crate::records::{Failure, Unit};

/// Bytes of lines that are read and parsed at a time.
const BATCH: usize = 4 << 20;

/// The place of a unit's last line, and a summary of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) offset: u64,
    /// Bytes, the newline among them.
    pub(super) length: usize,
    /// Counted from 1.
    pub(super) line: usize,
    /// True if it has records; else it says why there are none.
    pub(super) done: bool,
    /// The sample's checksum, where it says that.
    pub(super) read: Option<Checksum>,
}

/// The part of a line that the index needs.
#[derive(Deserialize)]
struct Brief {
    index: UnitId,
    #[serde(default)]
    sha256: Option<Checksum>,
    outcome: Result<IgnoredAny, IgnoredAny>,
}

/// A journal that is read. Of a unit with several lines, the last one counts.
#[derive(Debug)]
pub struct Reader {
    pub(super) path: PathBuf,
    pub(super) file: File,
    /// Advice for a damaged line.
    advice: &'static str,
    pub(super) header: Option<Header>,
    pub(super) units: BTreeMap<UnitId, Entry>,
    /// Length of the whole lines in bytes, and how many they are.
    pub(super) whole: (u64, usize),
}

impl Reader {
    /// Opens the journal of the run folder `dir`, and leaves it as it is: neither is it locked, so
    /// that the run may be going on, nor is a half-written last line removed.
    ///
    /// # Errors
    /// Where the folder has no journal, or it is damaged.
    pub fn open(dir: &Path) -> Result<Self> {
        if !dir.is_dir() {
            bail!("{}: no such folder; expected the folder of a run, as results/table1", dir.display());
        }
        let path = dir.join(FILE);
        if !path.is_file() {
            bail!("{}: not the folder of a run, which would hold a {FILE}", dir.display());
        }
        let file = File::open(&path).with_context(|| format!("{}: can't be read", path.display()))?;
        let reader = Self::index(path, file, "if the run is this program's, do it again with --fresh", |_| Ok(()))?;
        let path = reader.path.display();
        ensure!(reader.header.is_some(), "{path}: holds no whole line yet; the run has not begun");
        Ok(reader)
    }

    /// Finds the units in whole lines, without parsing their records; the identity is checked
    /// before what follows it.
    ///
    /// # Errors
    /// Where it can't be read or is damaged, or the check fails.
    pub(crate) fn index(
        path: PathBuf,
        file: File,
        advice: &'static str,
        check: impl Fn(&Header) -> Result<()>,
    ) -> Result<Self> {
        let mut reader = Self { path, file, advice, header: None, units: BTreeMap::new(), whole: (0, 0) };
        reader.file.rewind()?;
        let mut lines = BufReader::with_capacity(1 << 20, &reader.file);
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = lines.read_until(b'\n', &mut text);
            read.with_context(|| format!("{}: can't be read", reader.path.display()))?;
            if text.last() != Some(&b'\n') {
                return Ok(reader);
            }
            let (offset, line) = (reader.whole.0, reader.whole.1 + 1);
            if line == 1 {
                let header: Header = serde_json::from_slice(&text).with_context(|| reader.damaged(line))?;
                if header.format != FORMAT {
                    bail!(
                        "{}: written by another version of this program (format {}, not {FORMAT}); {advice}",
                        reader.path.display(),
                        header.format
                    );
                }
                check(&header)?;
                reader.header = Some(header);
            } else {
                let brief: Brief = serde_json::from_slice(&text).with_context(|| reader.damaged(line))?;
                let done = brief.outcome.is_ok();
                let entry = Entry { offset, length: text.len(), line, done, read: brief.sha256 };
                reader.units.insert(brief.index, entry);
            }
            reader.whole = (offset + text.len() as u64, line);
        }
    }

    /// Its first line; `None` where it has none.
    pub(crate) fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// The line of a unit, with its end.
    ///
    /// # Errors
    /// As [`Reader::each`].
    pub(crate) fn line(&self, unit: UnitId) -> Result<Vec<u8>> {
        let entry = self.units.get(&unit).with_context(|| format!("{}: has no unit {unit}", self.path.display()))?;
        let text = self.text(entry)?;
        self.parse(unit, entry.line, &text)?;
        Ok(text)
    }

    /// Everything that the run's numbers depend on.
    pub fn identity(&self) -> &Value {
        self.header.as_ref().map_or(&Value::Null, |header| &header.identity)
    }

    /// The units that it has, ascending, and whether they have records.
    pub fn units(&self) -> impl Iterator<Item = (UnitId, bool)> {
        self.units.iter().map(|(&index, entry)| (index, entry.done))
    }

    /// Returns whether it has records of a unit; not where the unit failed.
    pub fn is_done(&self, unit: UnitId) -> bool {
        self.units.get(&unit).is_some_and(|entry| entry.done)
    }

    /// The sample's checksum for a unit that has records; `None` where that isn't known.
    pub fn checksum(&self, unit: UnitId) -> Option<Checksum> {
        self.units.get(&unit).filter(|entry| entry.done).and_then(|entry| entry.read)
    }

    /// Hands over these units one by one, in this order. A few are in memory at a time.
    ///
    /// # Errors
    /// Where it doesn't have one of them, a line can't be read or isn't a unit's, or `visit` fails.
    pub fn each(
        &self,
        units: impl IntoIterator<Item = UnitId>,
        mut visit: impl FnMut(Unit) -> Result<()>,
    ) -> Result<()> {
        let mut units = units.into_iter().peekable();
        while units.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0);
            while bytes < BATCH
                && let Some(unit) = units.next()
            {
                let entry = self.units.get(&unit);
                let entry = entry.with_context(|| format!("{}: has no unit {unit}", self.path.display()))?;
                batch.push((unit, entry.line, self.text(entry)?));
                bytes += entry.length;
            }
            let parse = |(unit, line, text): (UnitId, usize, Vec<u8>)| self.parse(unit, line, &text);
            let batch: Vec<Result<Unit>> = batch.into_par_iter().map(parse).collect();
            batch.into_iter().try_for_each(|unit| visit(unit?))?;
        }
        Ok(())
    }

    /// Failures among these units, in this order.
    ///
    /// # Errors
    /// As [`Self::each`].
    pub fn failures(&self, units: &[UnitId]) -> Result<Vec<Failure>> {
        let mut failures = Vec::new();
        self.each(units.iter().copied().filter(|&unit| !self.is_done(unit)), |unit| {
            failures.extend(unit.outcome.err());
            Ok(())
        })?;
        Ok(failures)
    }

    fn text(&self, entry: &Entry) -> Result<Vec<u8>> {
        let (mut file, mut text) = (&self.file, vec![0; entry.length]);
        let read = file.seek(SeekFrom::Start(entry.offset)).and_then(|_| file.read_exact(&mut text));
        read.with_context(|| format!("{}:{}: can't be read", self.path.display(), entry.line))?;
        Ok(text)
    }

    fn parse(&self, index: UnitId, line: usize, text: &[u8]) -> Result<Unit> {
        let unit: Unit = serde_json::from_slice(text).with_context(|| self.damaged(line))?;
        ensure!(unit.index == index, "{}; it was changed while it was read", self.damaged(line));
        Ok(unit)
    }

    fn damaged(&self, line: usize) -> String {
        format!("{}:{line}: not a line of a run's journal; {}", self.path.display(), self.advice)
    }
}
