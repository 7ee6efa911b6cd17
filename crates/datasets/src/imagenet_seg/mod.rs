//! ImageNet-segmentation: photos of ImageNet with masks of what is object, without a class.
//!
//! The published file is one of MATLAB's (7.3, which is HDF5) and is read where it lies, a sample
//! at a time. Images with masks of one's own may lie in two folders instead. Source of the data:
//! Guillaumin, Küttel and Ferrari, "ImageNet auto-annotation with segmentation propagation", IJCV
//! 110, 2014.

mod folder;
mod hdf5;
mod mat;

use std::path::{Path, PathBuf};

use crate::checksum::Reading;
use crate::image::object::Rule;
use crate::index::classes::ClassList;
use crate::index::fingerprint::Fingerprint;
use crate::index::scan;
use crate::kind::DatasetKind;
use crate::{Checksum, Dataset, Error, Object, Result, Sample};
use folder::Folder;
use mat::Mat;

/// Name of the published file.
pub const FILE_NAME: &str = "gtsegs_ijcv.mat";

/// Registry entry.
pub const KIND: DatasetKind = DatasetKind {
    id: "imagenet-seg",
    summary: "ImageNet-segmentation: 4,276 photos with masks of what is object, no classes",
    layout: "\
  ROOT/gtsegs_ijcv.mat (or ROOT is this file itself): MATLAB 7.3, images in /value/img, masks in /value/gt
  or, for images of your own:
    ROOT/images/NAME.png (or .jpg, .jpeg) ...
    ROOT/masks/NAME.png (or .jpg, .jpeg) ...     of the image's size; two values, what isn't 0 is object
                                                 (more: `void` and `threshold` of a config's [[dataset]])
  ROOT/classes.txt (or beside the file), if there, replaces ImageNet's 1000 classes: one a line, in index order",
    how_to_get: "  http://calvin-vision.net/bigstuff/proj-imagenet/data/gtsegs_ijcv.mat",
    open: |source| {
        source.refuse_difficult("ImageNet-segmentation")?;
        Ok(Box::new(ImageNetSeg::open(source.root, source.rule())?))
    },
};

/// Opened images and masks.
#[derive(Debug)]
pub struct ImageNetSeg {
    files: Files,
    /// Meaning of the values of masks.
    rule: Rule,
    ids: Vec<String>,
    classes: ClassList,
    fingerprint: String,
}

#[derive(Debug)]
enum Files {
    Mat(Mat),
    Folder(Folder),
}

impl ImageNetSeg {
    /// Builds the index: of a MATLAB file the lists of references, in the file's order; of folders
    /// the names of files, sorted. No image is read.
    ///
    /// Samples are called by their number from 1 with five digits, in folders by their files' name.
    ///
    /// # Errors
    /// Where neither layout is found, the file is not one of MATLAB 7.3 with images and masks, or
    /// files don't pair up.
    pub(crate) fn open(root: &Path, rule: Rule) -> Result<Self> {
        let file = mat_file(root)?;
        let beside = file.as_deref().and_then(Path::parent).unwrap_or(root);
        let classes = ClassList::of_root(beside)?;
        let mut fingerprint = Fingerprint::new(classes.folders());
        let (files, ids) = match file {
            Some(path) => {
                let mat = Mat::open(&path)?;
                let ids: Vec<String> = (1..=mat.samples.len()).map(|number| format!("{number:05}")).collect();
                let size = std::fs::metadata(&path).map_err(Error::io(&path))?.len();
                for (id, places) in ids.iter().zip(&mat.samples) {
                    fingerprint.sample(id, &[], size);
                    fingerprint.shape(0, places.iter().copied());
                }
                (Files::Mat(mat), ids)
            }
            None => {
                let folder = Folder::open(root)?;
                for pair in &folder.samples {
                    let [image, mask] = pair.sizes()?;
                    fingerprint.sample(&pair.stem, &[], image);
                    fingerprint.shape(0, [mask].into_iter());
                }
                let ids = folder.samples.iter().map(|pair| pair.stem.clone()).collect();
                (Files::Folder(folder), ids)
            }
        };
        Ok(Self { files, rule, ids, classes, fingerprint: fingerprint.finish() })
    }
}

/// The MATLAB file, or none where there are folders in its place.
fn mat_file(root: &Path) -> Result<Option<PathBuf>> {
    if root.is_file() {
        return Ok(Some(root.into()));
    }
    let file = root.join(FILE_NAME);
    let folders = [folder::IMAGES, folder::MASKS].map(|folder| root.join(folder));
    let missing: Vec<PathBuf> = folders.into_iter().filter(|folder| !folder.is_dir()).collect();
    match (file.is_file(), missing.len()) {
        (true, 1 | 2) => Ok(Some(file)),
        (false, 0) => Ok(None),
        (true, _) => {
            let problem = "is beside folders of images and masks; which shall be read? Name the file itself as root, or move it away";
            Err(Error::layout(&file, problem))
        }
        (false, absent) => {
            // Half of the folders says which layout it was to be.
            let paths = if absent == 1 { missing } else { vec![file] };
            Err(Error::Missing { paths, layout: KIND.layout.into(), how_to_get: KIND.how_to_get.into() })
        }
    }
}

impl Dataset for ImageNetSeg {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn id(&self, index: usize) -> &str {
        &self.ids[index]
    }

    fn load(&self, index: usize) -> Result<Sample> {
        let mut reading = Reading::default();
        let (image, object) = match &self.files {
            Files::Mat(mat) => mat.load(index, self.rule, &mut reading)?,
            Files::Folder(folder) => folder.load(index, self.rule, &mut reading)?,
        };
        let (id, object, checksum) = (self.ids[index].clone(), Some(object), reading.finish());
        Ok(Sample { id, image, labels: Vec::new(), regions: Vec::new(), object, checksum })
    }

    fn checksum(&self, index: usize) -> Result<Checksum> {
        match &self.files {
            Files::Mat(_) => Ok(self.load(index)?.checksum),
            Files::Folder(folder) => folder.checksum(index),
        }
    }

    fn file(&self, index: usize) -> Option<PathBuf> {
        match &self.files {
            Files::Mat(_) => None,
            Files::Folder(folder) => Some(folder.samples[index].image.clone()),
        }
    }

    fn classes(&self) -> &[String] {
        self.classes.names()
    }

    fn look_through(&self, places: &[usize]) -> Vec<String> {
        let mask = |place: usize| match &self.files {
            Files::Mat(mat) => mat.mask(place, self.rule),
            Files::Folder(folder) => folder.mask(place, self.rule),
        };
        let empty = |object: Object| !object.mask.pixels.contains(&true);
        let (masks, total) = (places.len(), |count: usize| if count == 1 { "masks has" } else { "masks have" });
        let bare = scan::count(places, |place| mask(place).is_ok_and(empty).then_some(()));
        let bare = bare.map(|(count, (first, ()))| {
            let first = self.id(first);
            format!(
                "{count} of {masks} {} no object, and all of it counts as background; the first: {first}",
                total(count)
            )
        });
        let bad = scan::count(places, |place| mask(place).err());
        let bad = bad.map(|(count, (first, problem))| {
            let first = self.id(first);
            format!("{count} of {masks} {} a fault, and their samples fail; the first: {first} {problem}", total(count))
        });
        let turned = scan::turned(self, places, "masks");
        [bare, bad, turned].into_iter().flatten().collect()
    }

    fn is_segmented(&self) -> bool {
        true
    }

    fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}
