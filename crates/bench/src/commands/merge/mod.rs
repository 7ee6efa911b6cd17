//! `bench merge`: the shards of a run, put together into what one machine would have made. Neither
//! data nor weights are asked for.

mod arguments;
mod checksums;
mod gallery;
mod journal;
mod run_json;
mod shard;
mod validate;

use anyhow::{Context, Result};

use crate::cli::MergeArgs;
use crate::config::Config;
use crate::plan::UnitId;
use crate::plan::manifest;
use crate::plan::precomputed;
use crate::records::Failure;
use crate::records::journal::Reader;
use crate::report::{DatasetFacts, Records, Summary};
use shard::Part;

/// A run that was put together. What it lacks are its tables and `run.json`.
#[derive(Debug)]
pub struct Merged {
    /// The run's config. Its folder is the one that was written to.
    pub config: Config,
    /// Its data sets, in the config's order.
    datasets: Vec<DatasetFacts>,
    /// Its journal. Nobody else writes to it as long as this is held.
    journal: Reader,
    /// Its units, by data set, sample and model.
    units: Vec<UnitId>,
    parts: Vec<Part>,
}

/// Puts the shards together: `records.jsonl` with the units in plan order, `maps.csv` and the
/// gallery.
///
/// # Errors
/// [`UsageError`](super::error::UsageError) where the folders hold no shards, or not those of one
/// number of shards, each once. Otherwise where shards are of different runs, aren't there, aren't
/// done or are being written, where the merged folder holds another run, or a file can't be read or
/// written. No file of the merged run is touched before all of that is checked.
pub fn merge(args: &MergeArgs) -> Result<Merged> {
    let (folders, out) = arguments::find(&args.dirs, args.out.as_deref())?;
    let mut parts = folders.into_iter().map(Part::open).collect::<Result<Vec<_>>>()?;
    validate::order(&mut parts)?;
    let (first, others) = parts.split_first().context("there is no shard")?;
    let run = validate::run(first, others, &out)?;
    validate::all_done(&run, &parts)?;
    let (before, begun) = journal::claim(&run, &parts)?;
    let unknown = checksums::agree(&run, &parts, &before)?;
    precomputed::checksums::merge(parts.iter().map(|part| part.folder.as_path()), &out)?;
    gallery::gallery(&parts, &out, begun)?;
    let (journal, mut units) = journal::write(&run, &parts, before)?;
    units.sort_by_key(|&unit| run.dataset(unit));
    let datasets = run.manifest.datasets.into_iter().map(|dataset| dataset.facts).collect();
    let mut config = run.config;
    let published = config.output.published.is_some().then(|| parts[0].folder.join(manifest::PUBLISHED));
    config.output.published = published;
    if unknown > 0 {
        crate::print_result(&format!(
            "{unknown} units don't say what was read of their samples, which can't be compared"
        ))?;
    }
    Ok(Merged { config, datasets, journal, units, parts })
}

impl Merged {
    /// Samples that could not be scored, in order.
    ///
    /// # Errors
    /// As [`Reader::failures`].
    pub fn failures(&self) -> Result<Vec<Failure>> {
        self.journal.failures(&self.units)
    }

    /// The summary that its tables are made from.
    pub fn summary<'a>(&'a self, failures: &'a [Failure]) -> Summary<'a> {
        let Self { config, datasets, journal, units, .. } = self;
        Summary { config, datasets, records: Records::Journal(journal, units), failures, out: &config.output.dir }
    }

    /// Writes the run's `run.json`, when it is known how many units failed.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn provenance(&self, failed: usize) -> Result<()> {
        run_json::write(self, failed)
    }
}
