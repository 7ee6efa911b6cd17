//! `[dataset]`, or several `[[dataset]]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use ucag_core::suggest::{hint, nearest};

use super::keys::{self, Key};
use super::section::{Section, Unique, count};
use super::values::{Choice, MaskValue, Strings};

/// `[dataset]`
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Name in tables and records; the kind where absent. Unique.
    pub name: String,
    /// Id in `datasets::DATASETS`.
    pub kind: String,
    /// Its folder.
    pub root: PathBuf,
    /// Only so many samples, the first ones in the data set's order, or of `samples`.
    pub limit: Option<usize>,
    /// Only the samples of these ids, or of ids that end in these after a slash.
    pub samples: Option<Vec<String>>,
    /// The published list of the &keys::dataset::DIFFICULT subset's pairs.
    pub difficult: Option<PathBuf>,
    /// Resizing of images to the network's input; as the data set's protocol has it where absent.
    pub resize: Option<Resize>,
    /// The value in masks of objects of pixels that count neither as object nor as background.
    pub void: Option<u16>,
    /// The least value in masks of objects that is object; without it masks are of two values.
    pub threshold: Option<u16>,
}

/// The resizing of images to a network's input: see docs/protocol.md#preprocessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// To a square, whatever the aspect ratio, with Pillow's anti-aliased filter: deletion and
    /// insertion.
    Squash,
    /// The shorter side to the network's size, the longer in proportion, bilinear without
    /// anti-aliasing: pointing games.
    ShorterSide,
}

/// The data sets; none where something is wrong with the only one.
pub(super) fn datasets(root: &mut Section<'_>) -> Vec<Dataset> {
    let mut names = Unique::default();
    if root.is_array(&keys::top::DATASET) {
        let sections = root.list(&keys::top::DATASET, "[[dataset]]");
        return sections.into_iter().filter_map(|section| dataset(section, &mut names)).collect();
    }
    dataset(root.require_table(&keys::top::DATASET, "[dataset]"), &mut names).into_iter().collect()
}

fn dataset(mut section: Section<'_>, names: &mut Unique) -> Option<Dataset> {
    let kind = section.require(&keys::dataset::KIND);
    let root = section.require(&keys::dataset::ROOT);
    let limit = count(&mut section, &keys::dataset::LIMIT);
    let samples = samples(&mut section);
    let difficult = section.get(&keys::dataset::DIFFICULT);
    let resize = section.get(&keys::dataset::RESIZE).map(|Choice(resize)| resize);
    let void = section.get(&keys::dataset::VOID).map(|MaskValue(value)| value);
    let threshold = section.get(&keys::dataset::THRESHOLD).map(|MaskValue(value)| value);
    let name = section.get(&keys::dataset::NAME).or_else(|| kind.clone());
    let kind = kind.and_then(|kind: String| {
        let ids = || datasets::DATASETS.iter().map(|known| known.id);
        let known = ids().any(|id| id == kind);
        let unknown = || format!("unknown data set '{kind}'{}", hint(nearest(&kind, ids()).as_deref()));
        section.check(
            &keys::dataset::KIND,
            if known { Ok(()) } else { Err(format!("{} (see: bench list datasets)", unknown())) },
        )?;
        Some(kind)
    });
    if let Some(name) = &name
        && let Some(first) = names.clash(name, section.place(&keys::dataset::NAME))
    {
        section.problem(
            &keys::dataset::NAME,
            format!("the data set at {first} is called '{name}' too; give each a 'name' of its own"),
        );
    }
    section.finish();
    Some(Dataset { name: name?, kind: kind?, root: root?, limit, samples, difficult, resize, void, threshold })
}

/// The ids of the only samples to run, each once.
fn samples(section: &mut Section<'_>) -> Option<Vec<String>> {
    let is_there = section.has(&keys::dataset::SAMPLES);
    let Some(Strings(ids)) = section.get(&keys::dataset::SAMPLES) else { return is_there.then(Vec::new) };
    let twice = ids.iter().enumerate().find(|(place, id)| ids[..*place].contains(id));
    match twice {
        _ if ids.is_empty() => section.problem(&keys::dataset::SAMPLES, "is empty; leave it out for all samples"),
        Some((_, id)) => section.problem(&keys::dataset::SAMPLES, format!("lists '{id}' twice")),
        None => {}
    }
    Some(ids)
}

/// The data set that a key names, as an index into `names`. It may be absent where there is one
/// data set.
pub(super) fn named(section: &mut Section<'_>, key: &Key<String>, names: &[&str]) -> Option<usize> {
    let several = names.len() > 1;
    let what = || format!("on which of the data sets it is run ({})", names.join(", "));
    let name: Option<String> = if several { section.require_saying(key, &what()) } else { section.get(key) };
    let Some(name) = name else { return (!several).then_some(0) };
    let index = names.iter().position(|known| *known == name);
    let unknown = || format!("unknown data set '{name}'{}", hint(nearest(&name, names.iter().copied()).as_deref()));
    section.check(key, index.ok_or_else(unknown))
}
