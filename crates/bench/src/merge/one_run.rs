//! Whether shards are those of one run, all of them, and done.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Unusable;
use super::part::Part;
use crate::config::Config;
use crate::journal::differences;
use crate::manifest::{self, Planned};
use crate::plan::{self, checksum};
use crate::shard::Shard;

/// The shards in their order: each once, and all of a run of as many shards. Some may not be there.
///
/// # Errors
/// [`Unusable`] where that isn't so.
pub(super) fn ordered(mut parts: Vec<Part>) -> Result<Vec<Part>> {
    parts.sort_by_key(|part| (part.manifest.shard.of, part.manifest.shard.index));
    for pair in parts.windows(2) {
        let [one, other] = [&pair[0], &pair[1]].map(|part| (part.manifest.shard, part.folder.display()));
        if one.0.of != other.0.of {
            let problem = format!(
                "{} is shard {}, and {} shard {}: a run is divided once; name the folders of the shards that belong together",
                one.1, one.0, other.1, other.0
            );
            return Err(Unusable(problem).into());
        }
        if one.0 == other.0 {
            return Err(Unusable(format!("{} and {} are both shard {}; leave one out", one.1, other.1, one.0)).into());
        }
    }
    Ok(parts)
}

/// The config of the run that they are of, as for a run into `out`.
///
/// # Errors
/// Where they are of different runs, or of a version of this program that reads the config otherwise.
pub(super) fn config(parts: &[Part], out: &Path) -> Result<Config> {
    let first = parts.first().context("there is no shard")?;
    let read = |part: &Part| {
        let file = part.folder.join(manifest::FILE);
        let config = part.manifest.config(out).map_err(|errors| {
            anyhow::anyhow!("{}: has a config that this version of the program doesn't take: {errors}", file.display())
        })?;
        let (found, expected) = (part.manifest.datasets.len(), config.datasets.len());
        ensure!(found == expected, "{}: is of {found} data sets, but its config has {expected}", file.display());
        Ok(config)
    };
    let config = read(first)?;
    let expected = facts(first, &config)?;
    for part in &parts[1..] {
        let found = differences(&expected, &facts(part, &read(part)?)?);
        if !found.is_empty() {
            bail!(
                "{}: is of another run than {}: it differs in {}",
                part.folder.display(),
                first.folder.display(),
                found.join(", ")
            );
        }
    }
    let found =
        differences(&json!({"config": first.identity()["config"]}), &json!({"config": plan::identity(&config)}));
    if !found.is_empty() {
        bail!(
            "{}: another version of this program made it, which differs in {}; merge with that version",
            first.folder.display(),
            found.join(", ")
        );
    }
    Ok(config)
}

/// Everything that the whole run's numbers and tables depend on, under the names of config and identity.
fn facts(part: &Part, config: &Config) -> Result<Value> {
    let published = part.folder.join(manifest::PUBLISHED);
    let published = config.output.published.is_some().then(|| checksum(&published)).transpose()?;
    let mut facts = part.identity().clone();
    facts["name"] = json!(config.name);
    facts["title"] = json!(config.title);
    facts["figure"] = json!(config.figure);
    let output = &config.output;
    facts["output"] = json!({
        "published": published,
        "remark": output.remark,
        "gallery": output.gallery,
        "resamples": output.resamples,
    });
    let plan = |Planned { facts, places }: &Planned| {
        json!({
            "limit": places.len(),
            "samples": places,
            "first": facts.first,
            "classes": facts.classes,
            "remarks": facts.remarks,
        })
    };
    facts["dataset"] = part.manifest.datasets.iter().map(plan).collect();
    Ok(facts)
}

/// Whether all shards are there and have all of their units.
///
/// # Errors
/// Where they aren't: which, how much of them is missing, and the commands that make it.
pub(super) fn all_done(parts: &[Part], config: &Config) -> Result<()> {
    let first = parts.first().context("there is no shard")?;
    let models: Vec<usize> = config.models.iter().map(|model| model.dataset).collect();
    let of = first.manifest.shard.of;
    let (mut problem, mut lines) = (String::new(), 0);
    for shard in (1..=of).map(|index| Shard { index, of }) {
        let units = first.manifest.units_of(shard, &models);
        let part = parts.iter().find(|part| part.manifest.shard == shard);
        let there: HashSet<usize> = part.into_iter().flat_map(Part::units).collect();
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
        let _ = write!(problem, "\n  shard {shard} {what}: {}", part.unwrap_or(first).manifest.command(shard));
    }
    if !problem.is_empty() {
        bail!("the run isn't done. Each line ends with the command that makes what is missing:{problem}");
    }
    Ok(())
}

/// So many shards that aren't done are named.
const NAMED: usize = 32;
