//! `maps.csv` in the run folder: the precomputed maps that a run's numbers come from, by SHA-256.
//!
//! A run resumes only with the maps it began with. Maps may be added between one call and the next,
//! as samples may.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::inventory::{MapInventory, RowMaps};
use crate::io::atomic;
use crate::io::checksum::{checksum, hex};

/// Name of the list in a run folder.
pub const FILE: &str = "maps.csv";

/// A map, wherever its folder is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct MapKey {
    method: String,
    ucag: bool,
    variant: String,
    file: String,
}

/// A line of the list.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    method: String,
    ucag: bool,
    variant: String,
    file: String,
    sha256: String,
}

/// Checksums of a run's maps, by path.
#[derive(Debug, Default)]
pub struct Digests(HashMap<PathBuf, String>);

impl Digests {
    /// Checks that a file's bytes are those that were there when the run began.
    ///
    /// # Errors
    /// Where they aren't. The message names the file.
    pub(crate) fn check(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        match self.0.get(path) {
            None => bail!("{}: wasn't there when the run began; run once more", path.display()),
            Some(digest) if *digest == hex(&Sha256::digest(bytes)) => Ok(()),
            Some(_) => bail!("{}: has changed since the run began", path.display()),
        }
    }
}

/// Compares the maps that are there with those that the run in `dir` began with, where it is going
/// on, and writes the list anew.
///
/// # Errors
/// Where an earlier map has changed or gone, or a file can't be read or written.
pub(crate) fn verify(dir: &Path, inventory: &MapInventory, going_on: bool) -> Result<Digests> {
    if inventory.rows.is_empty() {
        return Ok(Digests::default());
    }
    let path = dir.join(FILE);
    let before = if going_on { read(&path)? } else { BTreeMap::new() };
    let row_of = |key: &MapKey| {
        let matches = |s: &&RowMaps| (&s.method, s.ucag, &s.variant) == (&key.method, key.ucag, &key.variant);
        inventory.rows.iter().find(matches)
    };
    let mut wanted: BTreeMap<MapKey, PathBuf> = BTreeMap::new();
    for row in &inventory.rows {
        let RowMaps { method, ucag, variant, folder, .. } = row;
        for found in &row.found {
            let file = found.to_string_lossy().into_owned();
            wanted.insert(
                MapKey { method: method.clone(), ucag: *ucag, variant: variant.clone(), file },
                folder.join(found),
            );
        }
    }
    for key in before.keys() {
        if let Some(row) = row_of(key) {
            wanted.insert(key.clone(), row.folder.join(&key.file));
        }
    }
    let digest = |(key, path): (MapKey, PathBuf)| {
        // A file of an earlier run may be gone.
        let digest = if path.exists() { Some(checksum(&path)?) } else { None };
        Ok((key, path, digest))
    };
    let mut now: Vec<(MapKey, PathBuf, Option<String>)> =
        wanted.into_par_iter().map(digest).collect::<Result<Vec<_>>>()?;
    now.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    refuse(dir, &before, &now)?;
    write(&path, &now)?;
    Ok(Digests(now.into_iter().filter_map(|(_, path, digest)| Some((path, digest?))).collect()))
}

/// Refuses maps that aren't those of the run so far.
fn refuse(dir: &Path, before: &BTreeMap<MapKey, String>, now: &[(MapKey, PathBuf, Option<String>)]) -> Result<()> {
    let other = |(key, path, digest): &(MapKey, PathBuf, Option<String>)| {
        let old = before.get(key)?;
        match digest {
            None => Some(format!("{} is gone", path.display())),
            Some(digest) if digest != old => Some(format!("{} has changed", path.display())),
            Some(_) => None,
        }
    };
    let others: Vec<String> = now.iter().filter_map(other).collect();
    if others.is_empty() {
        return Ok(());
    }
    let mut some = others[..others.len().min(3)].join(", ");
    if others.len() > 3 {
        some += &format!(" and {} more", others.len() - 3);
    }
    let dir = dir.display();
    bail!(
        "{dir}: holds a run with other maps: {some}; put them back, start over with --fresh, or choose another folder with --out"
    )
}

/// Number of maps that the run in `dir` began with.
///
/// # Errors
/// Where its list can't be read; the message names the file.
pub fn count(dir: &Path) -> Result<usize> {
    Ok(read(&dir.join(FILE))?.len())
}

/// Writes the list of the run in `dir` whose shards have these lists. Where none has one, neither
/// has the run.
///
/// # Errors
/// Where two of them don't have the same of a map, or a file can't be read or written.
pub(crate) fn merge<'a>(shards: impl Iterator<Item = &'a Path>, dir: &Path) -> Result<()> {
    let lists: Vec<&Path> = shards.filter(|shard| shard.join(FILE).exists()).collect();
    if lists.is_empty() {
        return Ok(());
    }
    let mut all: BTreeMap<MapKey, (String, &Path)> = BTreeMap::new();
    for shard in lists {
        for (key, digest) in read(&shard.join(FILE))? {
            match all.get(&key) {
                Some((other, first)) if *other != digest => {
                    let (file, first, shard) = (&key.file, first.display(), shard.display());
                    bail!(
                        "{shard}: was made with another map {file} of '{}' than {first}; do one of them again with --fresh",
                        key.method
                    );
                }
                Some(_) => {}
                None => _ = all.insert(key, (digest, shard)),
            }
        }
    }
    let all: Vec<_> = all.into_iter().map(|(key, (digest, _))| (key, PathBuf::new(), Some(digest))).collect();
    write(&dir.join(FILE), &all)
}

fn read(path: &Path) -> Result<BTreeMap<MapKey, String>> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let line = |line: csv::Result<Line>| {
        let Line { method, ucag, variant, file, sha256 } = line?;
        Ok((MapKey { method, ucag, variant, file }, sha256))
    };
    let lines = csv::Reader::from_path(path).and_then(|mut csv| csv.deserialize().map(line).collect());
    lines.with_context(|| format!("{}: isn't a run's list of maps; start over with --fresh", path.display()))
}

fn write(path: &Path, now: &[(MapKey, PathBuf, Option<String>)]) -> Result<()> {
    let about = || format!("{}: can't be written", path.display());
    let mut csv = csv::Writer::from_writer(atomic::Part::create(path)?);
    for (MapKey { method, ucag, variant, file }, _, digest) in now {
        let Some(sha256) = digest.clone() else { continue };
        let line = Line { method: method.clone(), ucag: *ucag, variant: variant.clone(), file: file.clone(), sha256 };
        csv.serialize(line).with_context(about)?;
    }
    let part = csv.into_inner().map_err(csv::IntoInnerError::into_error).with_context(about)?;
    part.keep()
}
