//! Samples, which a data set yields.

use std::path::PathBuf;

use image::RgbImage;

use crate::{Checksum, LabeledPair, Result};

/// One image with what its owners say about it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Name of the sample, unique in its data set and the same on every machine: the image's path
    /// below the data set's root, with `/` separators and without its extension, or its number
    /// where images have no names.
    pub id: String,
    /// The image as Pillow's `convert("RGB")` gives it: no EXIF rotation, alpha dropped.
    pub image: RgbImage,
    /// Class indices to explain, ascending and without repeats (one for ImageNet).
    pub labels: Vec<usize>,
    /// Region of each label's class, in the same order. Empty where the data set doesn't say.
    pub regions: Vec<Region>,
    /// The object, where the data set tells it from the background without naming a class.
    pub object: Option<Object>,
    /// SHA-256 of the bytes that were read for it: of the image's file, followed by the mask's
    /// where it has one; of what lies in one file with other samples, of its own values in that
    /// file. What the index holds is in [`Dataset::fingerprint`] instead.
    pub checksum: Checksum,
}

/// The object of an image, and the pixels that were left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The object; what is in neither mask is background.
    pub mask: Mask,
    /// Pixels that count neither as object nor as background, such as the ring round VOC's objects.
    /// None of them is in `mask`.
    pub void: Option<Mask>,
}

/// Region of a class in an image, and the pointing games that the pair is part of.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    /// The class.
    pub class: usize,
    /// The union of its objects, difficult ones and crowds included.
    pub mask: Mask,
    /// True if the annotators flagged every one of its objects as difficult. Pointing games don't
    /// count such a pair.
    pub all_difficult: bool,
    /// True if the pair belongs to the "difficult" subset.
    pub in_difficult_subset: bool,
}

/// A binary mask of the photo's size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Row by row, `height × width`.
    pub pixels: Vec<bool>,
}

/// A data set that is opened: an index in memory, the images still on disk.
///
/// An index of `n` samples costs `O(n)` small strings; images are decoded one at a time in
/// [`Dataset::load`], so memory does not grow with the number of images.
pub trait Dataset: Send + Sync {
    /// Number of samples.
    fn len(&self) -> usize;

    /// True where there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// [`Sample::id`] of sample `index`, without reading the image.
    ///
    /// # Panics
    /// Where `index >= len()`.
    fn id(&self, index: usize) -> &str;

    /// Decodes sample `index`.
    ///
    /// # Errors
    /// Where the file can't be read or decoded; the message names the file. Other samples are not
    /// affected.
    ///
    /// # Panics
    /// Where `index >= len()`.
    fn load(&self, index: usize) -> Result<Sample>;

    /// [`Sample::checksum`] of sample `index`, as its files are now. Nothing is decoded where it
    /// has files to itself.
    ///
    /// # Errors
    /// Where a file can't be read; the message names it.
    ///
    /// # Panics
    /// Where `index >= len()`.
    fn checksum(&self, index: usize) -> Result<Checksum> {
        Ok(self.load(index)?.checksum)
    }

    /// The pairs of sample `index` and the classes that its [`Sample::labels`] will hold, without
    /// reading the image; none where it can't be loaded. `None` where the data set names no
    /// classes.
    ///
    /// # Panics
    /// Where `index >= len()`.
    fn pairs(&self, _index: usize) -> Option<Vec<LabeledPair>> {
        None
    }

    /// The file of sample `index`'s image, where it has one to itself.
    ///
    /// # Panics
    /// Where `index >= len()`.
    fn file(&self, _index: usize) -> Option<PathBuf> {
        None
    }

    /// Class names by index.
    fn classes(&self) -> &[String];

    /// Returns true if samples come with [`Sample::regions`], which pointing games need.
    fn is_localised(&self) -> bool {
        false
    }

    /// Returns true if samples come with [`Sample::object`], which segmentation metrics need. Such
    /// a data set names no classes: the explained class is the one that the network thinks
    /// likeliest.
    fn is_segmented(&self) -> bool {
        false
    }

    /// Returns remarks for readers of the results on the samples `places`, which a run has chosen:
    /// a sentence each. Looks into their files, and so takes longer than the index does; as
    /// [`Dataset::remarks`] otherwise.
    ///
    /// # Panics
    /// Where one of `places >= len()`.
    fn look_through(&self, _places: &[usize]) -> Vec<String> {
        Vec::new()
    }

    /// Returns the remedy for a network that has `count` classes and not as many as the data set,
    /// where that can be told.
    fn remedy_for_classes(&self, _count: usize) -> Option<String> {
        None
    }

    /// Returns remarks for readers of the results on the data, such as the source of the difficult
    /// subset: a sentence each.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }

    /// A digest of what the index holds (ids, labels, where objects are, file sizes), in hex. Two
    /// runs whose fingerprints agree have the same index; whether they read the same bytes,
    /// [`Sample::checksum`] says.
    fn fingerprint(&self) -> String;
}
