//! Checks that shards are of one run, complete, and done.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use super::shard::Part;
use crate::commands::error::UsageError;
use crate::config::Config;
use crate::io::checksum::checksum;
use crate::plan;
use crate::plan::manifest;
use crate::plan::manifest::{Manifest, Planned};
use crate::plan::shard::Shard;
use crate::plan::{SampleIndex, UnitId};
use crate::records::journal::differences;

/// The run, as all of its shards describe it.
#[derive(Debug)]
pub(super) struct Run {
    /// The first one's account.
    pub(super) manifest: Manifest,
    /// Its config, as for a run into the merged folder.
    pub(super) config: Config,
    /// Everything that numbers depend on.
    pub(super) identity: Value,
}

impl Run {
    /// A shard's units, ascending.
    pub(super) fn units_of(&self, shard: Shard) -> Vec<UnitId> {
        let models: Vec<usize> = self.config.models.iter().map(|model| model.dataset).collect();
        self.manifest.units_of(shard, &models)
    }

    /// The data set that a unit is of.
    pub(super) fn dataset(&self, unit: UnitId) -> usize {
        self.config.models[unit.parts(self.config.models.len()).1.0].dataset
    }

    /// The sample that a unit is of: its data set, and its index there.
    pub(super) fn sample(&self, unit: UnitId) -> (usize, SampleIndex) {
        (self.dataset(unit), unit.parts(self.config.models.len()).0)
    }

    /// The id of the sample that a unit is of.
    pub(super) fn id(&self, unit: UnitId) -> &str {
        let (dataset, SampleIndex(sample)) = self.sample(unit);
        let Planned { facts, places } = &self.manifest.datasets[dataset];
        let planned = places.iter().position(|&planned| planned == sample);
        planned.and_then(|planned| facts.samples.get(planned)).map_or("", String::as_str)
    }

    /// The name of the model that a unit is of.
    pub(super) fn model(&self, unit: UnitId) -> &str {
        &self.config.models[unit.parts(self.config.models.len()).1.0].name
    }
}

/// Puts the shards in their order, in which each is once.
///
/// # Errors
/// [`UsageError`] where one is there twice, or they are of different numbers of shards.
pub(super) fn order(parts: &mut [Part]) -> Result<()> {
    parts.sort_by_key(|part| (part.shard.of, part.shard.index));
    for pair in parts.windows(2) {
        let [(one, first), (other, second)] = [&pair[0], &pair[1]].map(|part| (part.shard, part.folder.display()));
        if one.of != other.of {
            let problem = format!(
                "{first} is shard {one}, and {second} shard {other}: a run is divided once; name the folders of the shards that belong together"
            );
            return Err(UsageError(problem).into());
        }
        if one == other {
            return Err(UsageError(format!("{first} and {second} are both shard {one}; leave one out")).into());
        }
    }
    Ok(())
}

/// The run that they are of, which is to go into `out`.
///
/// # Errors
/// Where they are of different runs, or of a version of this program that reads the config
/// otherwise.
pub(super) fn run(first: &Part, others: &[Part], out: &Path) -> Result<Run> {
    let manifest = first.manifest()?;
    let config = config(first, &manifest, out)?;
    let identity = first.journal.identity().clone();
    let found = differences(&json!({"config": identity["config"]}), &json!({"config": plan::identity(&config)}));
    if !found.is_empty() {
        bail!(
            "{}: another version of this program made it, which differs in {}; merge with that version",
            first.folder.display(),
            found.join(", ")
        );
    }
    let expected = facts(first, &manifest, &config)?;
    for part in others {
        let theirs = part.manifest()?;
        let found = differences(&expected, &facts(part, &theirs, &self::config(part, &theirs, out)?)?);
        if !found.is_empty() {
            bail!(
                "{}: is of another run than {}: it differs in {}",
                part.folder.display(),
                first.folder.display(),
                found.join(", ")
            );
        }
    }
    Ok(Run { manifest, config, identity })
}

fn config(part: &Part, manifest: &Manifest, out: &Path) -> Result<Config> {
    let file = part.folder.join(manifest::FILE);
    let file = file.display();
    let config = manifest.config(out).map_err(|errors| {
        anyhow::anyhow!("{file}: has a config that this version of the program doesn't take: {errors}")
    })?;
    let (found, expected) = (manifest.datasets.len(), config.datasets.len());
    ensure!(found == expected, "{file}: is of {found} data sets, but its config has {expected}");
    Ok(config)
}

/// Everything that the whole run's numbers and tables depend on, under the names of config and
/// identity.
fn facts(part: &Part, manifest: &Manifest, config: &Config) -> Result<Value> {
    let published = part.folder.join(manifest::PUBLISHED);
    let published = config.output.published.is_some().then(|| checksum(&published)).transpose()?;
    let output = &config.output;
    let planned = |Planned { facts, places }: &Planned| {
        json!({
            "limit": places.len(),
            "samples": places,
            "first": facts.first,
            "classes": facts.classes,
            "remarks": facts.remarks,
            "models": facts.models,
        })
    };
    let others = [
        ("name", json!(config.name)),
        ("title", json!(config.title)),
        ("figure", json!(config.figure)),
        (
            "output",
            json!({
                "published": published,
                "remark": output.remark,
                "gallery": output.gallery,
                "resamples": output.resamples,
            }),
        ),
        ("dataset", manifest.datasets.iter().map(planned).collect()),
    ];
    let mut facts = part.journal.identity().as_object().cloned().unwrap_or_default();
    facts.extend(others.map(|(name, value)| (name.to_owned(), value)));
    Ok(Value::Object(facts))
}

/// Most unfinished shards that are named.
const NAMED: usize = 32;

/// Checks that all shards exist and have all of their units.
///
/// # Errors
/// Where they aren't: which, how much of them is missing, and the commands that make it.
pub(super) fn all_done(run: &Run, parts: &[Part]) -> Result<()> {
    let of = run.manifest.shard.of;
    let (mut problem, mut lines) = (String::new(), 0);
    for shard in (1..=of).map(|index| Shard { index, of }) {
        let part = parts.iter().find(|part| part.shard == shard);
        let units = run.units_of(shard);
        let there: HashSet<UnitId> =
            part.into_iter().flat_map(|part| part.journal.units()).map(|(unit, _)| unit).collect();
        let missing = units.iter().filter(|unit| !there.contains(unit)).count();
        let what = match part {
            None => "isn't there".to_owned(),
            Some(part) if missing > 0 => {
                format!("in {} lacks {missing} of its {} units", part.folder.display(), units.len())
            }
            Some(part) if part.run.is_none() => format!("in {} was stopped before its end", part.folder.display()),
            Some(_) => continue,
        };
        lines += 1;
        if lines > NAMED {
            problem += "\n  and others";
            break;
        }
        let command = match part {
            Some(part) => part.manifest()?.command(shard),
            None => run.manifest.command(shard),
        };
        let _ = write!(problem, "\n  shard {shard} {what}: {command}");
    }
    if !problem.is_empty() {
        bail!("the run isn't done. Each line ends with the command that makes what is missing:{problem}");
    }
    Ok(())
}
