//! The order of the classes: which folder is which index.

use std::collections::HashMap;
use std::path::Path;

use crate::{Error, Result};

/// ImageNet's 1000 wnids in sorted order, each with a readable name.
const IMAGENET: &str = include_str!("imagenet_classes.txt");

/// Name of the file that gives a data set's own classes.
pub const FILE_NAME: &str = "classes.txt";

/// Classes in index order, each with the folder that holds its images (ImageNet: the wnid) and a
/// readable name.
#[derive(Debug, Clone)]
pub struct ClassList {
    folders: Vec<String>,
    names: Vec<String>,
    index: HashMap<String, usize>,
}

impl ClassList {
    /// ImageNet's 1000 classes: index `k` is the `k`-th wnid in sorted order, as networks trained
    /// on ImageNet number them.
    ///
    /// Two readable names occur twice (`crane`, `maillot`); the wnid is what tells classes apart.
    ///
    /// # Panics
    /// Never: the list is part of the program, and tests read it.
    #[must_use]
    pub fn imagenet() -> Self {
        Self::parse(IMAGENET, Path::new("imagenet_classes.txt")).expect("the shipped list is well-formed")
    }

    /// `classes.txt` in `root` where there is one, else ImageNet's classes.
    ///
    /// # Errors
    /// As [`ClassList::parse`], and where the file can't be read as text.
    pub fn of_root(root: &Path) -> Result<Self> {
        let path = root.join(FILE_NAME);
        if !path.exists() {
            return Ok(Self::imagenet());
        }
        let text = crate::index::text::read(&path).map_err(Error::io(&path))?;
        Self::parse(&text, &path)
    }

    /// Reads `text`: one class a line in index order, the folder's name, optionally a tab and a
    /// readable name.
    ///
    /// # Errors
    /// An empty list or line, a folder name with a separator, a folder named twice; `path` is what
    /// the message names.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let mut list = Self { folders: Vec::new(), names: Vec::new(), index: HashMap::new() };
        for (number, line) in (1..).zip(text.lines()) {
            let (folder, name) = line.split_once('\t').unwrap_or((line, line));
            let (folder, name) = (folder.trim(), name.trim());
            if folder.is_empty() || name.is_empty() || folder.contains(['/', '\\']) {
                let problem =
                    format!("expected a class folder's name, optionally a tab and a readable name, found {line:?}");
                return Err(Error::line(path, number, problem));
            }
            if let Some(first) = list.index.insert(folder.into(), list.folders.len()) {
                return Err(Error::line(path, number, format!("class `{folder}` is already on line {}", first + 1)));
            }
            list.folders.push(folder.into());
            list.names.push(name.into());
        }
        if list.folders.is_empty() {
            return Err(Error::layout(path, "lists no classes; expected one class folder's name a line"));
        }
        Ok(list)
    }

    /// Number of classes, at least 1.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // a list has at least one class
    pub fn len(&self) -> usize {
        self.folders.len()
    }

    /// Folder names (ImageNet: wnids) by index.
    #[must_use]
    pub fn folders(&self) -> &[String] {
        &self.folders
    }

    /// Readable names by index; not unique.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Index of the class whose folder is `folder`.
    #[must_use]
    pub fn index_of(&self, folder: &str) -> Option<usize> {
        self.index.get(folder).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imagenet_is_a_thousand_sorted_wnids() {
        let list = ClassList::imagenet();
        assert_eq!(list.len(), 1000);
        assert!(list.folders().is_sorted());
        assert!(
            list.folders()
                .iter()
                .all(|w| w.len() == 9 && w.starts_with('n') && w[1..].bytes().all(|b| b.is_ascii_digit()))
        );
        assert_eq!(list.index_of("n01440764"), Some(0));
        assert_eq!(list.index_of("n02123045"), Some(281)); // tabby
        assert_eq!(list.index_of("n15075141"), Some(999));
        assert_eq!(list.names()[2], "great white shark");
        assert_eq!(list.index_of("tench"), None);
    }

    #[test]
    fn bad_lists_are_refused_with_their_line() {
        let message = |text| ClassList::parse(text, Path::new("c.txt")).unwrap_err().to_string();
        assert_eq!(message(""), "c.txt: lists no classes; expected one class folder's name a line");
        assert!(message("a\n\nb\n").starts_with("c.txt:2: expected a class folder's name"));
        assert!(message("a\nb/c\n").starts_with("c.txt:2: expected a class folder's name"));
        assert_eq!(message("a\tx\nb\na\ty\n"), "c.txt:3: class `a` is already on line 1");
    }
}
