//! Finds which precomputed maps exist on disk.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::file_name;
use crate::config::{Config, Method, Variant};
use crate::plan::dataset::Data;
use crate::plan::target_classes;
use crate::plan::{Missing, Model};

/// The maps of all rows that come from files.
#[derive(Debug, Default)]
pub struct MapInventory {
    /// A row's each, in the config's order.
    pub rows: Vec<RowMaps>,
}

/// The maps of a row.
#[derive(Debug)]
pub struct RowMaps {
    /// The method's id in records.
    pub method: String,
    /// The variant's name in records.
    pub variant: String,
    /// True if UCAG has folded them.
    pub ucag: bool,
    /// The row's name in tables.
    pub label: String,
    /// Their folder.
    pub folder: PathBuf,
    /// Those that exist, as paths below the folder. Where the network chooses the class, all of the
    /// sample.
    pub found: Vec<PathBuf>,
    /// Number of maps that are wanted: one for each class of a sample, or one for each sample where
    /// the network chooses the class.
    pub wanted: usize,
    /// Number of those that don't exist.
    pub missing: usize,
    /// Paths of the first few of those.
    first_missing: Vec<String>,
}

/// Most missing files that are named.
const NAMED: usize = 3;

impl MapInventory {
    /// Looks for every map that is wanted. No image is decoded and no network run.
    ///
    /// # Errors
    /// [`Missing`] where a row's folder isn't there or has none of its maps; else where a folder
    /// can't be read.
    pub(crate) fn require(config: &Config, data: &[Data], models: &[Model]) -> Result<Self> {
        let inventory = Self::scan(config, data, models)?;
        inventory.rows.iter().try_for_each(RowMaps::check_any)?;
        Ok(inventory)
    }

    /// As [`MapInventory::require`], but there may be none of them: a part of a run may be without.
    ///
    /// # Errors
    /// [`Missing`] where a row's folder isn't there; else where a folder can't be read.
    pub(crate) fn scan(config: &Config, data: &[Data], models: &[Model]) -> Result<Self> {
        let mut rows = Vec::new();
        for method in &config.methods {
            for variant in method.variants.iter().map(|&index| &config.variants[index]) {
                let Some(folder) = method.folder(variant.ucag) else { continue };
                rows.push(RowMaps::collect(folder, (method, variant), config, data, models)?);
            }
        }
        Ok(Self { rows })
    }
}

impl RowMaps {
    fn collect(
        folder: &Path,
        (method, variant): (&Method, &Variant),
        config: &Config,
        data: &[Data],
        models: &[Model],
    ) -> Result<Self> {
        let mut row = Self {
            method: method.id.clone(),
            variant: variant.name.clone(),
            ucag: variant.ucag,
            label: variant.label(&method.name),
            folder: folder.to_owned(),
            found: Vec::new(),
            wanted: 0,
            missing: 0,
            first_missing: Vec::new(),
        };
        if !folder.is_dir() {
            let (label, folder) = (&row.label, folder.display());
            return Err(Missing::new(format!("the maps of '{label}': there is no folder {folder}; {HELP}")).into());
        }
        let mut listed = HashMap::new();
        for model in models.iter().filter(|model| method.dataset.is_none_or(|only| only == model.dataset)) {
            let data = &data[model.dataset];
            for index in data.places() {
                row.scan_sample(data, &model.name, index, config, &mut listed)?;
            }
        }
        Ok(row)
    }

    /// Checks that any of its maps exists.
    fn check_any(&self) -> Result<()> {
        let Self { label, wanted, first_missing, .. } = self;
        if !self.found.is_empty() || *wanted == 0 {
            return Ok(());
        }
        let first = first_missing.first().map_or("", String::as_str);
        let problem = format!("the maps of '{label}': none of {wanted} is there; the first would be {first}; {HELP}");
        Err(Missing::new(problem).into())
    }

    /// Looks for the maps of a sample.
    fn scan_sample(
        &mut self,
        data: &Data,
        model: &str,
        index: usize,
        config: &Config,
        listed: &mut HashMap<PathBuf, BTreeSet<String>>,
    ) -> Result<()> {
        let id = data.dataset.id(index);
        let mut wanted = |file: PathBuf, found: Vec<PathBuf>| {
            self.wanted += 1;
            if found.is_empty() {
                self.missing += 1;
                if self.first_missing.len() < NAMED {
                    self.first_missing.push(self.folder.join(file).display().to_string());
                }
            }
            self.found.extend(found);
        };
        let some = file_name::file(&data.name, model, id, 0);
        let parent = some.parent().unwrap_or(Path::new(""));
        if !listed.contains_key(parent) {
            listed.insert(parent.to_owned(), list(&self.folder.join(parent))?);
        }
        let names = &listed[parent];
        match target_classes::known(data, index, config) {
            Some(classes) => {
                for file in classes.into_iter().map(|class| file_name::file(&data.name, model, id, class)) {
                    let is_there = file.file_name().is_some_and(|name| names.contains(&*name.to_string_lossy()));
                    wanted(file.clone(), if is_there { vec![file] } else { vec![] });
                }
            }
            None => {
                let stem = file_name::stem(id);
                let of_sample = names.range(stem.clone()..).take_while(|name| name.starts_with(&stem));
                let found = of_sample.filter(|name| file_name::class(name, id).is_some()).map(|name| parent.join(name));
                wanted(parent.join(file_name::of_class(id, "<class>")), found.collect());
            }
        }
        Ok(())
    }

    /// Describes how many maps exist, and where the others should be.
    pub fn describe(&self) -> String {
        let Self { label, wanted, missing, first_missing, .. } = self;
        let folder = self.folder.display();
        if *missing == 0 {
            return format!("{label}: {wanted} of {wanted} maps are in {folder}");
        }
        let mut text = format!("{label}: {missing} of {wanted} maps are missing: {}", first_missing.join(", "));
        if *missing > first_missing.len() {
            let _ = write!(text, " and {} more", missing - first_missing.len());
        }
        text
    }
}

const HELP: &str = "`bench export-plan` lists the maps that are wanted (see docs/maps.md)";

/// Names of a folder's entries; none where there is no such folder.
fn list(folder: &Path) -> Result<BTreeSet<String>> {
    let about = || folder.display().to_string();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error).with_context(about),
    };
    let name = |entry: std::io::Result<std::fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<std::io::Result<_>>().with_context(about)
}
