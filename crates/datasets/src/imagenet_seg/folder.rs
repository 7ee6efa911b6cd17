//! Images and masks in two folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::RgbImage;

use crate::checksum::Reading;
use crate::image::object;
use crate::image::object::Rule;
use crate::image::{decode, exif};
use crate::index::clutter::is_clutter;
use crate::{Checksum, Error, Object, Result};

/// Folder of the images, below the root.
pub(super) const IMAGES: &str = "images";
/// Folder of the masks, below the root.
pub(super) const MASKS: &str = "masks";

/// Of images and of masks, whatever the case.
const EXTENSIONS: [&str; 3] = ["png", "jpg", "jpeg"];

/// Pairs of files with the same name, by name.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) samples: Vec<ImageAndMask>,
}

/// A sample's files.
#[derive(Debug)]
pub(super) struct ImageAndMask {
    pub(super) stem: String,
    pub(super) image: PathBuf,
    mask: PathBuf,
}

impl Folder {
    /// Pairs images with masks; opens none.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let images = files(&root.join(IMAGES))?;
        let mut masks = files(&root.join(MASKS))?;
        if images.is_empty() {
            return Err(Error::layout(&root.join(IMAGES), "holds no .png, .jpg or .jpeg; put the images there"));
        }
        let without: Vec<&PathBuf> =
            images.iter().filter(|(stem, _)| !masks.contains_key(*stem)).map(|(_, path)| path).collect();
        if let Some(first) = without.first() {
            let problem = format!(
                "has no mask in {}; {} of {} images have none",
                root.join(MASKS).display(),
                without.len(),
                images.len()
            );
            return Err(Error::layout(first, problem));
        }
        let pair = |(stem, image)| {
            let mask = masks.remove(&stem)?;
            Some(ImageAndMask { stem, image, mask })
        };
        let samples = images.into_iter().filter_map(pair).collect();
        if let Some(alone) = masks.values().next() {
            let problem =
                format!("is a mask without an image in {}; {} masks are", root.join(IMAGES).display(), masks.len());
            return Err(Error::layout(alone, problem));
        }
        Ok(Self { samples })
    }

    /// Checksum of the image's file followed by the mask's.
    pub(super) fn checksum(&self, index: usize) -> Result<Checksum> {
        let pair = &self.samples[index];
        Checksum::of_files(&[&pair.image, &pair.mask])
    }

    /// Image and object of sample `index`, whose bytes are added to `reading`.
    pub(super) fn load(&self, index: usize, rule: Rule, reading: &mut Reading) -> Result<(RgbImage, Object)> {
        let pair = &self.samples[index];
        let image = decode::decode_into(&pair.image, reading)?;
        let mask = decode::read(&pair.mask)?;
        reading.add(&mask);
        let object = object::read(&mask, rule).map_err(|problem| Error::image(&pair.mask, problem))?;
        let ((width, height), (w, h)) = ((object.mask.width, object.mask.height), image.dimensions());
        if (width, height) != (w, h) {
            let swapped = exif::swapped(&pair.image, (width, height), (w, h));
            return Err(Error::image(
                &pair.mask,
                format!("is {width} × {height} pixels, its image {w} × {h}{swapped}"),
            ));
        }
        Ok((image, object))
    }

    /// The object of sample `index` by itself, or what is wrong with its mask.
    pub(super) fn mask(&self, index: usize, rule: Rule) -> std::result::Result<Object, String> {
        let path = &self.samples[index].mask;
        let bytes = decode::read(path).map_err(|_| "can't be read".to_owned())?;
        object::read(&bytes, rule)
    }
}

impl ImageAndMask {
    /// Bytes of image and mask.
    pub(super) fn sizes(&self) -> Result<[u64; 2]> {
        let size = |path: &Path| Ok(std::fs::metadata(path).map_err(Error::io(path))?.len());
        Ok([size(&self.image)?, size(&self.mask)?])
    }
}

/// Images by name without extension.
fn files(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_clutter(&name, false) {
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() || !EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension)) {
            continue;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let stem = stem.ok_or_else(|| Error::layout(&path, "this name is not UTF-8; rename it"))?.to_owned();
        if let Some(other) = files.insert(stem, path.clone()) {
            let problem = format!("and {} have the same name; remove one", other.display());
            return Err(Error::layout(&path, problem));
        }
    }
    Ok(files)
}
