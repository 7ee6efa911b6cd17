//! Inputs of metrics, and the checks that all metrics share.

use tch::{Device, Kind, Tensor};

use crate::error::BoxError;
use crate::{Error, Result};

/// A classifier: from a batch of normalised images `[B, C, H, W]` to class probabilities `[B, N]`.
pub type Classifier<'a> = dyn Fn(&Tensor) -> Result<Tensor, BoxError> + 'a;

/// A part of an image, of the map's size.
#[derive(Debug, Clone, Copy)]
pub struct Mask<'a> {
    /// True for each pixel that is part of it, row by row.
    pub pixels: &'a [bool],
    /// Pixels in a row.
    pub width: usize,
}

impl Mask<'_> {
    /// Checks that a map is `[H, W]`, of the mask's size, and has a pixel.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it isn't.
    pub fn check(&self, map: &Tensor) -> Result<()> {
        let size = map.size();
        let [height, width] = size[..] else {
            return Err(Error::Invalid(format!("one map is scored at a time, not {size:?}")));
        };
        if self.width as i64 == width && self.pixels.len() as i64 == height * width && !self.pixels.is_empty() {
            return Ok(());
        }
        let rows = self.pixels.len() / self.width.max(1);
        Err(Error::Invalid(format!("a map of {height} × {width} pixels for a mask of {rows} × {}", self.width)))
    }
}

/// The object in an image; the rest is background.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// The object.
    pub mask: Mask<'a>,
    /// True for each pixel that counts neither as object nor as background, row by row; as many as
    /// the mask's. None does where absent.
    pub void: Option<&'a [bool]>,
}

/// The region of a class in a photo.
#[derive(Debug, Clone, Copy)]
pub struct Region<'a> {
    /// The union of the class's objects.
    pub mask: Mask<'a>,
    /// True if every one of the class's objects is flagged as difficult.
    pub all_difficult: bool,
}

/// Validity of an explanation. An invalid one is scored as zeros, so that every pixel is tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Finite, with at least two different values.
    Valid,
    /// The same value everywhere.
    Constant,
    /// Some value was NaN or infinite.
    NonFinite,
}

/// Height and width of an image `[1, C, H, W]`, C being 3 or 1, which the map `[H, W]` must fit.
///
/// # Errors
/// [`Error::Invalid`] where either has another shape.
pub(crate) fn image_size(map: &Tensor, image: &Tensor) -> Result<[i64; 2]> {
    let size = image.size();
    let [1, 1 | 3, height, width] = size[..] else {
        let problem = format!("one image of three channels, or a grey one, is scored at a time, not {size:?}");
        return Err(Error::Invalid(problem));
    };
    if map.size() != [height, width] {
        let problem = format!("a map of {:?} for an image of {height} × {width} pixels", map.size());
        return Err(Error::Invalid(problem));
    }
    Ok([height, width])
}

/// Class probabilities of images, `[B, N]`.
///
/// # Errors
/// [`Error::Network`] where the classifier fails; [`Error::Invalid`] where its answer has another
/// shape or no such class.
pub(crate) fn classify(classifier: &Classifier<'_>, images: &Tensor, class: usize) -> Result<Tensor> {
    let probabilities = classifier(images).map_err(Error::Network)?;
    match probabilities.size()[..] {
        [count, classes] if count == images.size()[0] && (class as i64) < classes => Ok(probabilities),
        ref size => {
            let count = images.size()[0];
            Err(Error::Invalid(format!("probabilities {size:?} for {count} images, class {class}")))
        }
    }
}

/// The values of a map `[H, W]` row by row.
///
/// # Errors
/// [`Error::Invalid`] where the map doesn't fit the mask, or isn't finite.
pub(crate) fn values(map: &Tensor, mask: &Mask<'_>) -> Result<Vec<f64>> {
    mask.check(map)?;
    let map = map.f_flatten(0, -1)?.f_to_kind(Kind::Double)?.f_to_device(Device::Cpu)?;
    let map = Vec::<f64>::try_from(&map)?;
    if map.iter().any(|value| !value.is_finite()) {
        return Err(not_finite());
    }
    Ok(map)
}

/// The error of a map that isn't finite.
pub(crate) fn not_finite() -> Error {
    Error::Invalid("the map holds values that are not finite; degenerate maps are to be scored as zeros".into())
}
