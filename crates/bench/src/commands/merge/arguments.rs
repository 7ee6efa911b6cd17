//! Finds the shards that the command line means, and the merged run's folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::commands::error::UsageError;
use crate::plan::{manifest, shard};

/// The folders of the shards, and that of the run.
///
/// # Errors
/// [`UsageError`] where a folder holds no shard, or it isn't said where the run goes.
pub(super) fn find(dirs: &[PathBuf], out: Option<&Path>) -> Result<(Vec<PathBuf>, PathBuf)> {
    let mut folders = Vec::new();
    for dir in dirs {
        folders.extend(shards(dir)?);
    }
    if let Some(out) = out {
        return Ok((folders, out.to_owned()));
    }
    let mut runs = folders.iter().map(|folder| run(folder));
    match runs.next().flatten() {
        Some(first) if runs.all(|run| run == Some(first)) => {
            let first = first.to_owned();
            Ok((folders, first))
        }
        _ => {
            let problem = format!(
                "the shards aren't in the folder {} of one run, so it isn't clear where the whole run goes; say it with --out",
                shard::FOLDER
            );
            Err(UsageError(problem).into())
        }
    }
}

/// A folder that is a shard's, or those of all shards of the run whose folder it is. One in which
/// no plan was written holds nothing yet.
fn shards(dir: &Path) -> Result<Vec<PathBuf>> {
    let is_shard = |folder: &Path| folder.join(manifest::FILE).is_file();
    if is_shard(dir) {
        return Ok(vec![dir.to_owned()]);
    }
    let problem = |what: &str| UsageError(format!("{}: {what}", dir.display()));
    if !dir.is_dir() {
        return Err(problem("no such folder; expected that of a run, as results/table1, or of a shard").into());
    }
    let below = dir.join(shard::FOLDER);
    if !below.is_dir() {
        let what = format!(
            "neither a shard's folder, which would hold a {}, nor a run's with a folder {} in it; `bench CONFIG --shard I/N` makes shards",
            manifest::FILE,
            shard::FOLDER
        );
        return Err(problem(&what).into());
    }
    let about = || format!("{}: can't be read", below.display());
    let entries = std::fs::read_dir(&below).with_context(about)?;
    let mut found: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>().with_context(about)?;
    found.retain(|folder| is_shard(folder));
    found.sort();
    if found.is_empty() {
        let what =
            format!("no shard has begun in its folder {}; `bench CONFIG --shard I/N` makes shards", shard::FOLDER);
        return Err(problem(&what).into());
    }
    Ok(found)
}

/// The run that a shard's folder is in.
fn run(folder: &Path) -> Option<&Path> {
    let shards = folder.parent().filter(|parent| parent.ends_with(shard::FOLDER))?;
    shards.parent().map(|run| if run.as_os_str().is_empty() { Path::new(".") } else { run })
}
