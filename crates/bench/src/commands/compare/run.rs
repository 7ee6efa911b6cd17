//! A run, read from its folder: neither its data nor its weights need be there, and it may be going
//! on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use datasets::Checksum;
use metrics::metric;
use metrics::protocol::EmptyPairs;
use serde_json::Value;

use crate::commands::error::UsageError;
use crate::plan::dataset_facts::DatasetSize;
use crate::records::journal;
use crate::records::journal::Reader;
use crate::records::{Failure, Record, Unit};

/// Each class has a place in memory for every row; no data set has as many.
const MOST_CLASSES: usize = 1 << 17;

/// A run, as its journal describes it.
#[derive(Debug)]
pub(super) struct Run {
    /// Its name in tables.
    pub(super) label: String,
    /// Its folder, as the user named it.
    pub(super) folder: PathBuf,
    /// Everything that its numbers depend on.
    pub(super) identity: Value,
    /// Records of metrics that this program knows, in plan order, without their curves.
    pub(super) records: Vec<Record>,
    /// Samples that could not be scored, in plan order.
    pub(super) failures: Vec<Failure>,
    /// Numbers of records of each metric that this program doesn't know.
    pub(super) unknown: BTreeMap<String, usize>,
    /// Checksums of each sample that was scored, by its data set and its id: one checksum, unless
    /// units differ or don't say it.
    pub(super) read: BTreeMap<String, BTreeMap<String, BTreeSet<Checksum>>>,
}

/// Reads the runs in these folders.
///
/// # Errors
/// [`UsageError`] for the first folder that none can be read from.
pub(super) fn read(folders: &[PathBuf]) -> Result<Vec<Run>, UsageError> {
    let runs = folders.iter().zip(labels(folders)).map(|(folder, label)| Run::read(folder, label));
    runs.collect()
}

impl Run {
    fn read(folder: &Path, label: String) -> Result<Self, UsageError> {
        let unusable = |error: anyhow::Error| UsageError(format!("{error:#}"));
        let reader = Reader::open(folder).map_err(unusable)?;
        let (folder, identity) = (folder.to_owned(), reader.identity().clone());
        let (records, failures, unknown, read) = (Vec::new(), Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut run = Self { label, folder, identity, records, failures, unknown, read };
        let all = reader.each(reader.units().map(|(unit, _)| unit), |unit| {
            run.note(&unit);
            match unit.outcome {
                Ok(records) => records.into_iter().for_each(|record| run.add(record)),
                Err(failure) => run.failures.push(failure),
            }
            Ok(())
        });
        all.map_err(unusable)?;
        run.check()?;
        Ok(run)
    }

    /// Notes what was read for a unit.
    fn note(&mut self, unit: &Unit) {
        let Some(Record { dataset, sample, .. }) = unit.outcome.iter().flatten().next() else { return };
        let samples = self.read.entry(dataset.clone()).or_default();
        samples.entry(sample.clone()).or_default().extend(unit.sha256);
    }

    fn add(&mut self, record: Record) {
        match metric(&record.metric) {
            Some(_) => self.records.push(Record { curve: None, ..record }),
            None => *self.unknown.entry(record.metric).or_default() += 1,
        }
    }

    /// Returns whether all is there that the averages of its records need, and no more than can be
    /// counted.
    fn check(&self) -> Result<(), UsageError> {
        if let Some(DatasetSize { dataset, classes, .. }) =
            self.extents().iter().find(|extent| extent.classes > MOST_CLASSES)
        {
            return Err(UsageError(format!(
                "{}: says that data set '{dataset}' has {classes} classes; at most {MOST_CLASSES} are counted, so is it damaged?",
                self.folder.join(journal::FILE).display()
            )));
        }
        let by_class = |record: &&Record| metric(&record.metric).is_some_and(|metric| metric.averaging.is_by_class());
        let (extents, tally) = (self.extents(), self.tally());
        let lacks = |record: &&Record| tally.is_none() || extents.iter().all(|extent| extent.dataset != record.dataset);
        match self.records.iter().filter(by_class).find(lacks) {
            None => Ok(()),
            Some(Record { dataset, metric, .. }) => Err(UsageError(format!(
                "{}: doesn't say how many classes data set '{dataset}' has, or how they are counted, which '{metric}' is averaged over; an earlier \
                 version of this program didn't write that down, so do the run again with --fresh",
                self.folder.join(journal::FILE).display()
            ))),
        }
    }

    /// Sizes of its data sets, for averages. An earlier version didn't write them down.
    pub(super) fn extents(&self) -> Vec<DatasetSize<'_>> {
        let datasets = self.identity.get("datasets").and_then(Value::as_array).into_iter().flatten();
        datasets.filter_map(extent_of).collect()
    }

    /// The pairs that class averages count; `None` where the journal doesn't say.
    pub(super) fn tally(&self) -> Option<EmptyPairs> {
        let tally = self.identity.pointer("/config/protocol/tally")?;
        serde_json::from_value(tally.clone()).ok()
    }
}

fn extent_of(dataset: &Value) -> Option<DatasetSize<'_>> {
    let text = |key: &str| dataset.get(key).and_then(Value::as_str);
    let classes = dataset.get("classes").and_then(Value::as_u64)?;
    Some(DatasetSize { dataset: text("name")?, classes: usize::try_from(classes).ok()?, first: text("first")? })
}

/// The folders' last names, or all of their paths where those aren't different; a number tells
/// apart what is the same folder.
fn labels(folders: &[PathBuf]) -> Vec<String> {
    let last = |folder: &PathBuf| folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let whole = |folder: &PathBuf| folder.display().to_string();
    let short: Vec<String> = folders.iter().map(|folder| last(folder).unwrap_or_else(|| whole(folder))).collect();
    let name = |(place, folder): (usize, &PathBuf)| {
        let twice = short.iter().filter(|other| **other == short[place]).count() > 1;
        let name = if twice { whole(folder) } else { short[place].clone() };
        match folders[..place].iter().filter(|earlier| *earlier == folder).count() {
            0 => name,
            before => format!("{name} ({})", before + 1),
        }
    };
    folders.iter().enumerate().map(name).collect()
}
