//! One unit of work: one sample with one model, from the file on disk to its records.

use std::panic::AssertUnwindSafe;

use anyhow::{Context, Result, bail};
use datasets::Sample;
use datasets::image::preprocess::squash_object;
use metrics::Endpoints;

use crate::config::Config;
use crate::io::atomic::{Full, is_full};
use crate::plan::dataset::Data;
use crate::plan::precomputed::checksums::Digests;
use crate::plan::{Model, ModelIndex, SampleIndex, UnitId};
use crate::records::{Failure, Record, Unit};
use crate::run::input::input;
use crate::run::sample::SampleContext;
use crate::run::sample_checksums::SampleChecksums;
use crate::run::target_classes::classes;
use crate::run::timings::{Stage, Timings};

/// A unit of work that is done.
#[derive(Debug)]
pub struct Done {
    /// The finished unit.
    pub unit: Unit,
    /// Problems that change no number.
    pub remarks: Vec<String>,
}

/// A worker's hands: its own handles on the networks, the rest shared.
pub struct Worker<'p> {
    pub(super) config: &'p Config,
    pub(super) data: &'p [Data],
    pub(super) models: Vec<Model>,
    stages: &'p Timings,
    /// Checksums of precomputed maps.
    pub(super) maps: &'p Digests,
    /// Checksums of the samples that were read so far.
    samples_read: &'p SampleChecksums,
    /// The last decoded sample, with its data set and index: units of one sample come one after the
    /// other.
    sample: Option<(usize, SampleIndex, Sample)>,
}

impl<'p> Worker<'p> {
    /// A worker with its own copies (of handles, not weights).
    pub fn new(
        config: &'p Config,
        data: &'p [Data],
        models: Vec<Model>,
        stages: &'p Timings,
        (maps, samples_read): (&'p Digests, &'p SampleChecksums),
    ) -> Self {
        Self { config, data, models, stages, maps, samples_read, sample: None }
    }

    /// Does unit `index`: sample `sample` with model `model`. What goes wrong with it becomes part
    /// of the unit, a panic (which is a bug) too; sheets of the gallery that can't be written are
    /// remarked on.
    ///
    /// # Errors
    /// Where the gallery can't be written because the disk is full.
    pub fn unit(&mut self, index: UnitId, (sample, model): (SampleIndex, ModelIndex)) -> Result<Done> {
        let mut remarks = Vec::new();
        let outcome = caught(|| self.records(sample, model, &mut remarks));
        if outcome.as_ref().is_err_and(|error| error.is::<Full>()) {
            return outcome.map(|records| Done { unit: Unit { index, sha256: None, outcome: Ok(records) }, remarks });
        }
        let outcome = outcome.map_err(|error| {
            let data = &self.data[self.models[model.0].dataset];
            Failure {
                dataset: data.name.clone(),
                sample: data.dataset.id(sample.0).to_owned(),
                model: self.models[model.0].name.clone(),
                error: format!("{error:#}"),
            }
        });
        let sha256 = self.sample.as_ref().filter(|_| outcome.is_ok()).map(|(.., sample)| sample.checksum);
        Ok(Done { unit: Unit { index, sha256, outcome }, remarks })
    }

    fn records(&mut self, index: SampleIndex, model: ModelIndex, remarks: &mut Vec<String>) -> Result<Vec<Record>> {
        let dataset = self.models[model.0].dataset;
        let data = &self.data[dataset];
        if self.sample.as_ref().is_none_or(|(set, held, _)| (*set, *held) != (dataset, index)) {
            let sample = self.stages.time(Stage::Decode, || data.dataset.load(index.0))?;
            self.samples_read.verify(data, (dataset, index), sample.checksum)?;
            self.sample = Some((dataset, index, sample));
        }
        let (_, _, sample) = self.sample.as_ref().context("no sample")?;
        let model = &self.models[model.0];
        let decode = || input(&sample.image, &model.unfolded.network, model.input_size, data.resize);
        let input = self.stages.time(Stage::Decode, decode)?;
        let (width, height) = input.picture.dimensions();
        let object = sample.object.as_ref().map(|object| squash_object(object, width, height));
        let context = SampleContext { data, index, sample, model, input: &input, object };
        let classes = classes(&context, self.config, &self.models)?;
        let rows = self.stages.time(Stage::Explain, || self.explain(&context, &classes))?;
        let mut records = Vec::new();
        let endpoints = Endpoints::default();
        for (&class, rows) in classes.iter().zip(&rows) {
            let scored = self.stages.time(Stage::Score, || self.score(&context, class, rows, &endpoints))?;
            if super::gallery::wanted(self.config, index) {
                match self.stages.time(Stage::Gallery, || self.sheet(&context, class, rows, &scored)) {
                    Err(error) if is_full(&error) => return Err(error.context(Full)),
                    // Its numbers are none the worse for it.
                    Err(error) => remarks.push(format!("no sheet in the gallery: {error:#}")),
                    Ok(()) => {}
                }
            }
            records.extend(scored);
        }
        Ok(records)
    }
}

/// Does the work. A panic in it is a bug of this program or of one that it is made of; the units
/// before and after it are none the worse for it.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        bail!("the program panicked, which is a bug in it: {}", text.unwrap_or("no word was left"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let said = |work: fn() -> Result<u8>| caught(work).map_err(|error| format!("{error:#}"));
        assert_eq!(said(|| Ok(1)), Ok(1));
        assert_eq!(said(|| bail!("no")), Err("no".to_owned()));
        let (number, nothing) = (7, [0u8; 0]);
        assert_eq!(said(|| panic!("word")), Err("the program panicked, which is a bug in it: word".to_owned()));
        let said = caught(|| -> Result<u8> { Ok(nothing[number]) }).unwrap_err().to_string();
        assert!(said.ends_with("the len is 0 but the index is 7"), "{said}");
    }
}
