//! Data sets built in temporary folders.

#![allow(dead_code)] // `all`, `bad_bytes` and `real_size` use a part each
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A root to put files into; it goes away with the value.
pub(crate) struct Root(TempDir);

impl Root {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A root with these files, all empty: opening an index must not read images.
    pub(crate) fn with(files: &[&str]) -> Self {
        files.iter().fold(Self::new(), |root, file| root.file(file, ""))
    }

    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn open(&self) -> datasets::Result<Box<dyn datasets::Dataset>> {
        self.open_as("imagenet")
    }

    pub(crate) fn open_as(&self, kind: &str) -> datasets::Result<Box<dyn datasets::Dataset>> {
        datasets::open(kind, &datasets::Source::at(self.path()))
    }

    /// The message of the error that opening gives, the root's path replaced by `ROOT`.
    pub(crate) fn error(&self) -> String {
        self.error_as("imagenet")
    }

    /// The same for a data set of kind `kind`.
    pub(crate) fn error_as(&self, kind: &str) -> String {
        match self.open_as(kind) {
            Ok(dataset) => panic!("opened with {} samples", dataset.len()),
            Err(error) => self.in_root(&error),
        }
    }

    /// The message of `error`, the root's path replaced by `ROOT`.
    pub(crate) fn in_root(&self, error: &datasets::Error) -> String {
        error.to_string().replace(&self.path().display().to_string(), "ROOT")
    }
}

/// The bytes of a fixture of `decode/`.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(fixture_path(name)).unwrap()
}

pub(crate) fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/decode").join(name)
}

/// A table of ILSVRC ids in which id 1 is the last wnid, id 2 the one before, and so on: surely not
/// the sorted order.
pub(crate) fn reversed_ids() -> String {
    let classes = datasets::index::classes::ClassList::imagenet();
    let lines = classes.folders().iter().rev().zip(1..).map(|(wnid, id)| format!("{wnid} {id} name\n"));
    lines.collect()
}

/// A black PNG; what a file is its content says, so it may be called `.jpg`.
pub(crate) fn blank(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// The most memory that this process has had, in MiB.
pub(crate) fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
