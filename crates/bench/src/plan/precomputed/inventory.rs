//! Which of the maps that a plan wants from files are there.

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
    /// Whether UCAG has folded them.
    pub ucag: bool,
    /// What tables call the row.
    pub label: String,
    /// Their folder.
    pub folder: PathBuf,
    /// Those that are there, below the folder. Where the network chooses the class, all that there are of the sample.
    pub there: Vec<PathBuf>,
    /// How many are wanted: one a class of a sample; one a sample where the network chooses the class.
    pub wanted: usize,
    /// How many of them aren't there.
    pub missing: usize,
    /// The first of those.
    first: Vec<String>,
}

/// So many missing files are named.
const NAMED: usize = 3;

impl MapInventory {
    /// Looks for every map that is wanted. No image is decoded and no network run.
    ///
    /// # Errors
    /// [`Missing`] where a row's folder isn't there or has none of its maps; else where a folder can't be read.
    pub(crate) fn take(config: &Config, data: &[Data], models: &[Model]) -> Result<Self> {
        let stock = Self::look(config, data, models)?;
        stock.rows.iter().try_for_each(RowMaps::begun)?;
        Ok(stock)
    }

    /// As [`MapInventory::take`], but there may be none of them: a part of a run may be without.
    ///
    /// # Errors
    /// [`Missing`] where a row's folder isn't there; else where a folder can't be read.
    pub(crate) fn look(config: &Config, data: &[Data], models: &[Model]) -> Result<Self> {
        let mut rows = Vec::new();
        for method in &config.methods {
            for variant in method.variants.iter().map(|&place| &config.variants[place]) {
                let Some(folder) = method.folder(variant.ucag) else { continue };
                rows.push(RowMaps::fill(folder, (method, variant), config, data, models)?);
            }
        }
        Ok(Self { rows })
    }
}

impl RowMaps {
    fn fill(
        folder: &Path,
        (method, variant): (&Method, &Variant),
        config: &Config,
        data: &[Data],
        models: &[Model],
    ) -> Result<Self> {
        let mut shelf = Self {
            method: method.id.clone(),
            variant: variant.name.clone(),
            ucag: variant.ucag,
            label: variant.label(&method.name),
            folder: folder.to_owned(),
            there: Vec::new(),
            wanted: 0,
            missing: 0,
            first: Vec::new(),
        };
        if !folder.is_dir() {
            let (label, folder) = (&shelf.label, folder.display());
            return Err(Missing::new(format!("the maps of '{label}': there is no folder {folder}; {HELP}")).into());
        }
        let mut listed = HashMap::new();
        for model in models.iter().filter(|model| method.dataset.is_none_or(|only| only == model.dataset)) {
            let data = &data[model.dataset];
            for place in data.places() {
                shelf.look(data, &model.name, place, config, &mut listed)?;
            }
        }
        Ok(shelf)
    }

    /// Whether any of its maps is there.
    fn begun(&self) -> Result<()> {
        let Self { label, wanted, first, .. } = self;
        if !self.there.is_empty() || *wanted == 0 {
            return Ok(());
        }
        let first = first.first().map_or("", String::as_str);
        let problem = format!("the maps of '{label}': none of {wanted} is there; the first would be {first}; {HELP}");
        Err(Missing::new(problem).into())
    }

    /// Looks for the maps of a sample.
    fn look(
        &mut self,
        data: &Data,
        model: &str,
        place: usize,
        config: &Config,
        listed: &mut HashMap<PathBuf, BTreeSet<String>>,
    ) -> Result<()> {
        let id = data.dataset.id(place);
        let mut wanted = |file: PathBuf, found: Vec<PathBuf>| {
            self.wanted += 1;
            if found.is_empty() {
                self.missing += 1;
                if self.first.len() < NAMED {
                    self.first.push(self.folder.join(file).display().to_string());
                }
            }
            self.there.extend(found);
        };
        let some = file_name::file(&data.name, model, id, 0);
        let parent = some.parent().unwrap_or(Path::new(""));
        if !listed.contains_key(parent) {
            listed.insert(parent.to_owned(), list(&self.folder.join(parent))?);
        }
        let names = &listed[parent];
        match target_classes::known(data, place, config) {
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

    /// How many of the maps are there, and where the others should be.
    pub fn describe(&self) -> String {
        let Self { label, wanted, missing, first, .. } = self;
        let folder = self.folder.display();
        if *missing == 0 {
            return format!("{label}: {wanted} of {wanted} maps are in {folder}");
        }
        let mut text = format!("{label}: {missing} of {wanted} maps are missing: {}", first.join(", "));
        if *missing > first.len() {
            let _ = write!(text, " and {} more", missing - first.len());
        }
        text
    }
}

const HELP: &str = "`bench export-plan` lists the maps that are wanted (see docs/maps.md)";

/// Names of what is in a folder; nothing where there is no such folder.
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
