//! A folder in which everything is as it must be but for one file.

use std::path::{Path, PathBuf};

use datasets::{Dataset, Sample, Source};
use tempfile::TempDir;

/// The folder; it goes away with the value.
pub(super) struct Stage(TempDir);

impl Stage {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self(TempDir::new().expect("a folder for temporary files"))
    }

    /// With a file in it.
    pub(super) fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(name, content.as_ref());
        self
    }

    /// Puts a file into it.
    pub(super) fn write(&self, name: &str, content: &[u8]) {
        let path = self.0.path().join(name);
        let written =
            std::fs::create_dir_all(path.parent().unwrap_or(self.path())).and_then(|()| std::fs::write(&path, content));
        written.expect("room for temporary files");
    }

    /// Returns where it is.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Opens it as a data set, and loads up to four samples. `name` is the file that may be
    /// damaged: messages must lead there, or to the folder.
    pub(super) fn load(&self, kind: &str, name: &str) -> Result<(), String> {
        self.load_with(kind, name, [None; 2])
    }

    /// The same with values of masks that are void, and from which on they are object.
    pub(super) fn load_with(&self, kind: &str, name: &str, [void, threshold]: [Option<u16>; 2]) -> Result<(), String> {
        let file = self.path().join(name);
        let root = if file.is_file() && name.ends_with(".mat") { &file } else { self.path() };
        let said = |error: datasets::Error| {
            let message = error.to_string();
            assert!(message.contains(&*self.path().to_string_lossy()), "a message without a file: {message}");
            assert!(message.chars().count() < 4000, "a message that nobody reads");
            message
        };
        let dataset = datasets::open(kind, &Source { void, threshold, ..Source::at(root) }).map_err(said)?;
        assert!(!dataset.is_empty() && !dataset.fingerprint().is_empty(), "nothing is in it");
        assert!(dataset.remarks().iter().all(|remark| !remark.is_empty()), "an empty remark");
        let places: Vec<usize> = (0..dataset.len().min(4)).collect();
        assert!(dataset.look_through(&places).iter().all(|remark| !remark.is_empty()), "an empty remark");
        let loaded = places.into_iter().map(|index| {
            let sample = dataset.load(index).map_err(said)?;
            consistent(&*dataset, index, &sample);
            Ok(())
        });
        loaded.collect()
    }
}

/// A file of a fixture's folder.
pub(super) fn fixture(path: &str) -> Vec<u8> {
    let path = fixtures(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A path below the workspace.
pub(super) fn fixtures(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// A black PNG.
pub(super) fn blank(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).expect("a PNG in memory");
    bytes.into_inner()
}

/// Returns what must hold of every sample.
fn consistent(dataset: &dyn Dataset, index: usize, sample: &Sample) {
    let (width, height) = sample.image.dimensions();
    assert!(width > 0 && height > 0 && dataset.id(index) == sample.id);
    assert!(sample.labels.is_sorted_by(|a, b| a < b), "labels ascend: {:?}", sample.labels);
    assert!(sample.labels.iter().all(|&label| label < dataset.classes().len()), "labels are classes");
    if dataset.is_localised() {
        let classes: Vec<usize> = sample.regions.iter().map(|region| region.class).collect();
        assert_eq!(classes, sample.labels, "a region a label");
        let pairs = dataset.pairs(index).expect("it names classes");
        assert_eq!(pairs.iter().map(|pair| pair.class).collect::<Vec<_>>(), sample.labels);
    }
    let both = sample.object.iter().filter_map(|object| Some((&object.mask, object.void.as_ref()?)));
    for (object, void) in both {
        let overlap = object.pixels.iter().zip(&void.pixels).any(|(object, void)| *object && *void);
        assert!(!overlap, "a pixel that is object and void");
    }
    for mask in sample
        .regions
        .iter()
        .map(|region| &region.mask)
        .chain(sample.object.iter().flat_map(|object| [&object.mask].into_iter().chain(&object.void)))
    {
        assert_eq!((mask.width, mask.height), (width, height), "masks are of the image's size");
        assert_eq!(mask.pixels.len(), width as usize * height as usize);
    }
}
