//! What a data set yields.

use image::RgbImage;

use crate::Result;

/// One image with what its owners say about it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Name of the sample, unique in its data set and the same on every machine: the image's path below the
    /// data set's root, with `/` separators and without its extension.
    pub id: String,
    /// The image as Pillow's `convert("RGB")` gives it: no EXIF rotation, alpha dropped.
    pub image: RgbImage,
    /// Class indices to explain, ascending and without repeats (one for ImageNet).
    pub labels: Vec<usize>,
}

/// A data set that is opened: an index in memory, the images still on disk.
///
/// An index of `n` samples costs `O(n)` small strings; images are decoded one at a time in [`Dataset::load`], so memory
/// does not grow with the number of images.
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
    /// Where the file can't be read or decoded; the message names the file. Other samples are not affected.
    ///
    /// # Panics
    /// Where `index >= len()`.
    fn load(&self, index: usize) -> Result<Sample>;

    /// Class names by index.
    fn classes(&self) -> &[String];

    /// A digest of what the index holds (ids, labels, file sizes), in hex: two runs whose fingerprints agree read the same data.
    fn fingerprint(&self) -> String;
}
