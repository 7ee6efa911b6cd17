//! `plan.json` in a shard's folder: what the whole run is, so that its shards can be merged without
//! its data, weights and config.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::config::{self, Config, ConfigErrors, Overrides};
use crate::io::atomic;
use crate::plan::UnitId;
use crate::plan::dataset_facts::DatasetFacts;
use crate::plan::shard::Shard;
use crate::plan::{self, Plan};

/// Its name in a shard's folder.
pub const FILE: &str = "plan.json";
/// The published numbers that the config names, as they were: they are set beside ours when tables
/// are made.
pub const PUBLISHED: &str = "published.csv";

const FORMAT: u32 = 1;

/// The whole run that a shard belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// The part of it that this is.
    pub shard: Shard,
    /// The whole run's folder, as config or command line name it.
    pub dir: PathBuf,
    /// Number of units of work in the whole run.
    pub units: usize,
    /// Its config.
    pub config: ConfigSource,
    /// Its data sets, in the config's order.
    pub datasets: Vec<Planned>,
}

/// A config as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigSource {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// The command line's overrides.
    pub overrides: Overrides,
}

/// A data set of the whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// The facts of it that a report needs.
    pub facts: DatasetFacts,
    /// Places of the samples to run, in the plan's order.
    pub places: Vec<usize>,
}

impl Manifest {
    /// The manifest of a plan that isn't divided yet.
    pub(crate) fn new(plan: &Plan, shard: Shard, overrides: Overrides) -> Self {
        let config = ConfigSource { path: plan.config.path.clone(), text: plan.config.text.clone(), overrides };
        let datasets = plan.facts().into_iter().zip(&plan.data);
        let datasets = datasets.map(|(facts, data)| Planned { facts, places: data.places() }).collect();
        let dir = plan.config.output.dir.clone();
        Self { format: FORMAT, shard, dir, units: plan.units().len(), config, datasets }
    }

    /// Writes it into the shard's folder, and beside it the published numbers.
    ///
    /// # Errors
    /// Where a file can't be read or written.
    pub(crate) fn write(&self, folder: &Path, published: Option<&Path>) -> Result<()> {
        let beside = folder.join(PUBLISHED);
        match published {
            Some(path) => {
                let text = std::fs::read(path).with_context(|| format!("{}: can't be read", path.display()))?;
                atomic::write(&beside, &text)?;
            }
            None => atomic::remove(&beside)?,
        }
        atomic::write(&folder.join(FILE), (serde_json::to_string_pretty(self)? + "\n").as_bytes())
    }

    /// Reads a shard folder's.
    ///
    /// # Errors
    /// Where it can't be read, or another version of this program wrote it.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        let about = || format!("{}: not what a shard says of its run", path.display());
        let text = std::fs::read(&path).with_context(about)?;
        let manifest: Self = serde_json::from_slice(&text).with_context(about)?;
        if manifest.format != FORMAT {
            bail!(
                "{}: written by another version of this program (format {}, not {FORMAT})",
                path.display(),
                manifest.format
            );
        }
        for Planned { facts, places } in &manifest.datasets {
            let distinct: HashSet<&usize> = places.iter().filter(|place| u32::try_from(**place).is_ok()).collect();
            ensure!(
                distinct.len() == places.len() && facts.samples.len() == places.len(),
                "{}: the samples of data set '{}' don't have a place each",
                path.display(),
                facts.name
            );
        }
        Ok(manifest)
    }

    /// The config, as it would be read for a run into `out`. Devices and workers are those of
    /// whoever reads it.
    ///
    /// # Errors
    /// Where this version of the program doesn't accept it.
    pub fn config(&self, out: &Path) -> Result<Config, ConfigErrors> {
        let ConfigSource { path, text, overrides } = &self.config;
        let here =
            Overrides { out: Some(out.to_owned()), device: Some("cpu".to_owned()), workers: None, ..overrides.clone() };
        config::parse(path, text, &here)
    }

    /// The units of one of its shards, of models that are on these data sets each.
    pub fn units_of(&self, shard: Shard, models: &[usize]) -> Vec<UnitId> {
        plan::units(models, |dataset| shard.part(dataset, &self.datasets[dataset].places))
    }

    /// A shard's closing message, in place of a table.
    pub fn done(&self, units: usize, failed: usize) -> String {
        let Self { shard, dir, units: all, .. } = self;
        let failed = match failed {
            0 => String::new(),
            failed => format!(", {failed} of them failed; the same command tries them again"),
        };
        let merge = ["bench", "merge", &dir.to_string_lossy()].map(quoted).join(" ");
        format!(
            "shard {shard}: its {units} of {all} units are done{failed}\nA shard has no tables. When all {} are done: {merge}",
            shard.of
        )
    }

    /// The command that makes one of the shards, or goes on with it.
    pub fn command(&self, shard: Shard) -> String {
        let ConfigSource { path, overrides: Overrides { limit, out, device, workers, set }, .. } = &self.config;
        let mut words = vec!["bench".to_owned(), path.display().to_string()];
        let limit = limit.map(|limit| ("--limit", limit.to_string()));
        let out = out.as_ref().map(|out| ("--out", out.display().to_string()));
        let device = device.clone().map(|device| ("--device", device));
        let workers = workers.map(|count| ("--workers", count.to_string()));
        let flags = [limit, out, device, workers].into_iter().flatten();
        let set = set.iter().map(|argument| ("--set", argument.clone()));
        let shard = ("--shard", String::from(shard));
        for (flag, value) in flags.chain(set).chain([shard]) {
            words.extend([flag.to_owned(), value]);
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&byte);
    match !word.is_empty() && word.bytes().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_are_quoted_where_a_shell_needs_it() {
        for (word, expected) in
            [("seed=1", "seed=1"), ("a b", "'a b'"), ("", "''"), ("method=[{id='x'}]", r"'method=[{id='\''x'\''}]'")]
        {
            assert_eq!(quoted(word), expected);
        }
    }
}
