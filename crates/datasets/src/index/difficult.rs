//! The "difficult" subset of the pointing games: from its published list, else from its definition.
//! See docs/protocol.md#difficult-subset.
//!
//! The list is TorchRay's: a line an image, tab-separated, the image's name and then a flag a
//! class, 1 where the pair of image and class belongs to the subset. Pairs of an image that is not
//! in the list all belong to it.
//!
//! The definition is that of the Excitation Backprop paper: the boxes of the class take up less
//! than a quarter of the image in total, and another class is in the image. "In total" is taken as
//! the sum of the boxes' areas, so where boxes overlap the overlap counts twice; difficult objects
//! and crowds count like any other.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::{Error, Mask, Region, Result, Source};

/// A class that an image is labeled with, and the pointing games that the pair is part of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabeledPair {
    /// The class.
    pub class: usize,
    /// As [`Region::all_difficult`].
    pub all_difficult: bool,
    /// As [`Region::in_difficult_subset`].
    pub in_difficult_subset: bool,
}

impl LabeledPair {
    /// The pair's region, given its mask.
    pub(crate) fn region(&self, mask: Mask) -> Region {
        let Self { class, all_difficult, in_difficult_subset } = *self;
        Region { class, mask, all_difficult, in_difficult_subset }
    }
}

/// Source of the subset.
#[derive(Debug)]
pub(crate) enum DifficultSubset {
    /// From the published list.
    Listed(DifficultList),
    /// From the definition.
    Computed,
}

/// A list that is read: flags by image name.
#[derive(Debug)]
pub(crate) struct DifficultList {
    path: PathBuf,
    flags: HashMap<String, Vec<bool>>,
}

impl DifficultSubset {
    /// The list that `source` names, else the file called `published` in one of `folders`, else the
    /// definition.
    pub(crate) fn find(source: &Source<'_>, published: &str, folders: &[&Path], classes: usize) -> Result<Self> {
        let found = || folders.iter().map(|folder| folder.join(published)).find(|path| path.exists());
        let path = source.difficult.map(Path::to_path_buf).or_else(found);
        path.map_or(Ok(Self::Computed), |path| DifficultList::read(&path, classes).map(Self::Listed))
    }

    /// Refuses a list of another data set: more than half of the images, or of the lines, must have
    /// their counterpart.
    ///
    /// Of one that fits, returns what is to be said where images have no line, or lines no image.
    ///
    /// `images` has the names that the list may have for an image.
    pub(crate) fn check(&self, images: impl Iterator<Item = Vec<String>>) -> Result<Option<String>> {
        let Self::Listed(list) = self else {
            return Ok(None);
        };
        let (mut total, mut known, mut example, mut unlisted) = (0, HashSet::new(), None, None);
        for names in images {
            total += 1;
            match names.iter().find(|name| list.flags.contains_key(*name)) {
                Some(name) => drop(known.insert(name.clone())),
                None => unlisted = unlisted.or_else(|| names.first().cloned()),
            }
            example = example.or_else(|| names.into_iter().next());
        }
        let lines = list.flags.len();
        let unknown = list.flags.keys().filter(|name| !known.contains(*name)).min();
        let known = known.len();
        if known * 2 > total.min(lines) {
            let unlisted = unlisted.map(|image| {
                format!("{} of {total} images have no line in it, such as {image}, and all of their pairs count as difficult", total - known)
            });
            let unknown = unknown.map(|name| {
                format!("{} of its {lines} lines are of no image of the data set, such as {name:?}", lines - known)
            });
            let parts: Vec<String> = [unlisted, unknown].into_iter().flatten().collect();
            return Ok((!parts.is_empty()).then(|| format!("the list of the difficult subset: {}", parts.join("; "))));
        }
        let listed = list.flags.keys().min().map_or("", String::as_str);
        let problem = format!(
            "lists {lines} images such as `{listed}`, of which {known} are among the data set's {total} such as `{}`; is it the list \
             of another data set?",
            example.unwrap_or_default()
        );
        Err(Error::layout(&list.path, problem))
    }

    /// Returns true if the pair of class `class` and the image with these names belongs to the
    /// subset; `definition` is asked where there is no list.
    pub(crate) fn holds(&self, names: &[String], class: usize, definition: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Listed(list) => list.of(names).is_none_or(|flags| flags[class]),
            Self::Computed => definition(),
        }
    }

    /// Says where the subset comes from.
    pub(crate) fn remark(&self) -> String {
        match self {
            Self::Listed(list) => format!("the difficult subset is the list in {}", list.path.display()),
            Self::Computed => {
                "the difficult subset is computed from its definition (boxes of the class under a quarter of \
                 the image, another class in it), for want of the published list"
                    .into()
            }
        }
    }
}

/// Returns true if a class whose boxes sum up to `area` of the `pixels` of an image with `classes`
/// classes is difficult by definition.
pub(crate) fn by_definition(area: f64, pixels: f64, classes: usize) -> bool {
    area * 4.0 < pixels && classes > 1
}

impl DifficultList {
    fn read(path: &Path, classes: usize) -> Result<Self> {
        let text = crate::index::text::read(path).map_err(Error::io(path))?;
        let mut flags = HashMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let problem = |problem: String| Error::line(path, number, problem);
            let (name, values) = line.split_once('\t').unwrap_or((line, ""));
            let name = name.trim();
            if name.is_empty() {
                return Err(problem("expected an image's name and a flag a class, separated by tabs".into()));
            }
            let values = values.split('\t').filter(|_| !values.is_empty());
            let values = values.map(|value| match value {
                "0" => Ok(false),
                "1" => Ok(true),
                other => Err(problem(format!("expected flags of 0 or 1, found {other:?}"))),
            });
            let values = values.collect::<Result<Vec<_>>>()?;
            if values.len() != classes {
                return Err(problem(wrong_count(values.len(), classes)));
            }
            if flags.insert(name.to_owned(), values).is_some() {
                return Err(problem(format!("image `{name}` is already on an earlier line")));
            }
        }
        if flags.is_empty() {
            return Err(Error::layout(path, "lists no images; expected a line an image"));
        }
        Ok(Self { path: path.into(), flags })
    }

    fn of(&self, names: &[String]) -> Option<&[bool]> {
        names.iter().find_map(|name| self.flags.get(name)).map(Vec::as_slice)
    }
}

fn wrong_count(found: usize, classes: usize) -> String {
    let hint = match found {
        20 => "; it seems to be the list for PASCAL VOC",
        80 => "; it seems to be the list for COCO",
        _ => "",
    };
    format!("has {found} flags, but the data set has {classes} classes{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_is_strict_on_both_counts() {
        assert!(by_definition(24.0, 100.0, 2));
        assert!(!by_definition(25.0, 100.0, 2), "a quarter is not under a quarter");
        assert!(!by_definition(24.0, 100.0, 1), "no other class");
    }
}
