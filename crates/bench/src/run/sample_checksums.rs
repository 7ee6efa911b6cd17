//! Checksums of the samples that were read: all of a sample's numbers in a run come from the same
//! bytes.
//!
//! Where a sample's file has changed between two calls, the run is refused before anything is
//! computed, as with other weights. Where it changes under a run, the units that read it later
//! fail, and the others keep their numbers.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use datasets::Checksum;
use rayon::prelude::*;

use crate::plan::dataset::Data;
use crate::plan::{ModelIndex, Plan, SampleIndex};
use crate::records::journal::Journal;

/// Most changed samples that are named.
const NAMED: usize = 3;
/// Reading more samples than this takes long enough to say so.
const MANY: usize = 1000;

/// A sample: its data set's number, and its index there.
type SampleKey = (usize, SampleIndex);

/// Checksums of what was read so far, by earlier runs and by this one.
#[derive(Debug, Default)]
pub struct SampleChecksums {
    known: Mutex<HashMap<SampleKey, Checksum>>,
    /// Units that are done and don't say what was read for them.
    unknown: usize,
}

impl SampleChecksums {
    /// Reads every sample again that units of the plan were done with, and compares.
    ///
    /// # Errors
    /// Where one of them isn't what it was. The message names the first few.
    pub(crate) fn check(plan: &Plan, journal: &Journal) -> Result<Self> {
        let (mut read, mut unknown): (HashMap<SampleKey, Vec<(Checksum, ModelIndex)>>, _) = (HashMap::new(), 0);
        for unit in plan.units().into_iter().filter(|&unit| journal.is_done(unit)) {
            let (index, model) = plan.unit(unit);
            match journal.checksum(unit) {
                Some(checksum) => {
                    read.entry((plan.models[model.0].dataset, index)).or_default().push((checksum, model));
                }
                None => unknown += 1,
            }
        }
        if read.len() > MANY {
            // Nobody need be listening.
            let _ = writeln!(std::io::stderr(), "comparing {} samples with what was read of them before", read.len());
        }
        let mut samples: Vec<_> = read.iter().collect();
        samples.sort_unstable_by_key(|(key, _)| **key);
        let data = &plan.data[..];
        let names: Vec<&str> = plan.models.iter().map(|model| &model.name[..]).collect();
        let changed = |&((dataset, index), before): &(&SampleKey, &Vec<(Checksum, ModelIndex)>)| {
            let now = data[*dataset].dataset.checksum(index.0);
            let others: Vec<_> = before.iter().filter(|(then, _)| now.as_ref().ok() != Some(then)).collect();
            let (then, _) = others.first()?;
            let models: Vec<&str> = others.iter().map(|(_, model)| names[model.0]).collect();
            let what = match &now {
                Ok(now) => changed(&data[*dataset], *index, *then, *now),
                Err(error) => format!("can't be read now: {error}"),
            };
            Some(format!("'{}' (done with {}) {what}", data[*dataset].dataset.id(index.0), models.join(", ")))
        };
        let changed: Vec<String> = samples.par_iter().filter_map(changed).collect();
        if !changed.is_empty() {
            let more = changed.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            bail!(
                "{}: holds a run that differs in what was read of {}: {}{more}; put the files back, start over with --fresh, or choose another folder with --out",
                plan.config.output.dir.display(),
                if changed.len() == 1 { "a sample".to_owned() } else { format!("{} samples", changed.len()) },
                changed[..changed.len().min(NAMED)].join(", ")
            );
        }
        let known = read.into_iter().filter_map(|(key, before)| Some((key, before.first()?.0))).collect();
        Ok(Self { known: Mutex::new(known), unknown })
    }

    /// A remark on earlier units that can't be compared.
    pub(crate) fn remark(&self) -> Option<String> {
        let units = if self.unknown == 1 { "unit was" } else { "units were" };
        (self.unknown > 0).then(|| {
            format!(
                "{} {units} recorded before checksums of samples were kept and can't be compared: a file that has changed since, \
                 with the same length, isn't noticed",
                self.unknown
            )
        })
    }

    /// Notes what was read of a sample.
    ///
    /// # Errors
    /// Where it was something else before.
    pub(crate) fn verify(&self, data: &Data, key: SampleKey, now: Checksum) -> Result<()> {
        let then = *self.known.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_insert(now);
        if then != now {
            bail!(
                "{} since it was read first; put it back, or start over with --fresh",
                changed(data, key.1, then, now)
            );
        }
        Ok(())
    }
}

/// `data/a.png has changed (SHA-256 1234… before, 5678… now)`.
fn changed(data: &Data, index: SampleIndex, then: Checksum, now: Checksum) -> String {
    let mask = if data.dataset.is_segmented() { " or its mask" } else { "" };
    let file = data.dataset.file(index.0).map(|file| format!("{}{mask} ", file.display())).unwrap_or_default();
    let [then, now] = [then, now].map(|checksum| checksum.to_string()[..12].to_owned());
    format!("{file}has changed (SHA-256 {then}… before, {now}… now)")
}
