//! Layout of the files below the root.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::index::classes::{ClassList, FILE_NAME};
use crate::{Error, Result};

/// Possible parents of the three folders, below the root.
const PLACES: [&str; 3] = ["VOCdevkit/VOC2007", "VOC2007", ""];
const IMAGES: &str = "JPEGImages";
const ANNOTATIONS: &str = "Annotations";
const TEST: &str = "ImageSets/Main/test.txt";
/// The first is what VOC has; PNG is for data of one's own.
const EXTENSIONS: [&str; 2] = ["jpg", "png"];
/// So many missing files are named; of the others only the number is said.
const NAMED: usize = 5;

/// A photo of `test.txt`.
pub(super) struct TestFile {
    pub(super) stem: String,
    /// Path of the photo in the VOC folder, with `/` separators.
    pub(super) image: String,
    pub(super) extension: &'static str,
    /// Of the photo, in bytes.
    pub(super) size: u64,
}

/// Path of an annotation in the VOC folder.
pub(super) fn annotation(stem: &str) -> String {
    format!("{ANNOTATIONS}/{stem}.xml")
}

/// The folder that holds the photos' and the annotations' folders.
pub(super) fn find(root: &Path) -> Result<PathBuf> {
    let holds_some = |folder: &PathBuf| [IMAGES, ANNOTATIONS].iter().any(|name| folder.join(name).is_dir());
    let folders = PLACES.map(|place| if place.is_empty() { root.to_path_buf() } else { root.join(place) });
    let folder = folders.iter().find(|folder| holds_some(folder)).unwrap_or(&folders[0]);
    let absent = [IMAGES, ANNOTATIONS, TEST].map(|name| folder.join(name)).into_iter().filter(|path| !path.exists());
    let paths = absent.collect::<Vec<_>>();
    if paths.is_empty() {
        return Ok(folder.clone());
    }
    Err(Error::Missing { paths, layout: super::KIND.layout.into(), how_to_get: super::KIND.how_to_get.into() })
}

/// `classes.txt` of the first of `folders` that has one, else VOC's classes.
pub(super) fn classes(folders: &[&Path]) -> Result<ClassList> {
    let own = folders.iter().find(|folder| folder.join(FILE_NAME).exists());
    own.map_or_else(|| ClassList::parse(super::CLASSES, Path::new(FILE_NAME)), |folder| ClassList::of_root(folder))
}

/// The photos that `test.txt` lists, in its order.
pub(super) fn test_files(folder: &Path) -> Result<Vec<TestFile>> {
    let path = folder.join(TEST);
    let text = crate::index::text::read(&path).map_err(Error::io(&path))?;
    let mut files = Vec::new();
    let mut absent = Vec::new();
    let mut seen = HashSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let stem = line.trim();
        if stem.is_empty() || stem.contains(['/', '\\', ' ', '\t']) || stem.starts_with('.') {
            let problem =
                format!("expected a photo's name without folder and extension, such as 000001, found {line:?}");
            return Err(Error::line(&path, number, problem));
        }
        if !seen.insert(stem) {
            return Err(Error::line(&path, number, format!("photo `{stem}` is already on an earlier line")));
        }
        if !folder.join(annotation(stem)).is_file() {
            absent.push(annotation(stem));
        }
        match photo(folder, stem) {
            Some(file) => files.push(file),
            None => absent.push(format!("{IMAGES}/{stem}.{}", EXTENSIONS[0])),
        }
    }
    if seen.is_empty() {
        return Err(Error::layout(&path, "lists no photos; expected one name a line"));
    }
    if !absent.is_empty() {
        let more = if absent.len() > NAMED { ", ..." } else { "" };
        let problem = format!(
            "lists {} photos, but {} of their files are not in {}: {}{more}",
            seen.len(),
            absent.len(),
            folder.display(),
            absent[..absent.len().min(NAMED)].join(", ")
        );
        return Err(Error::layout(&path, problem));
    }
    Ok(files)
}

fn photo(folder: &Path, stem: &str) -> Option<TestFile> {
    EXTENSIONS.iter().find_map(|extension| {
        let image = format!("{IMAGES}/{stem}.{extension}");
        let metadata = std::fs::metadata(folder.join(&image)).ok()?;
        metadata.is_file().then(|| TestFile { stem: stem.into(), image, extension, size: metadata.len() })
    })
}
