//! From a photo to what a network is fed.

use image::RgbImage;

use crate::image::{resize_bilinear, resize_nearest};
use crate::{Mask, Object};

/// Means of ImageNet's channels, red first, for values in 0 to 1 (torchvision's models).
pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviations of ImageNet's channels, red first, for values in 0 to 1 (torchvision's
/// models).
pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

/// The way from a photo to a network's input: a change of size on 8-bit values, then a change of
/// values.
///
/// The two steps are free functions ([`squash`], [`normalise`]); another recipe is another pair of
/// them.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// Input height in pixels, at least 1.
    pub height: u32,
    /// Input width in pixels, at least 1.
    pub width: u32,
    /// Subtracted from red, green and blue in 0 to 1.
    pub mean: [f32; 3],
    /// Divides red, green and blue after that; not 0.
    pub std: [f32; 3],
}

impl Preprocess {
    /// ImageNet's means and deviations at `height` × `width`.
    #[must_use]
    pub fn imagenet(height: u32, width: u32) -> Self {
        Self { height, width, mean: IMAGENET_MEAN, std: IMAGENET_STD }
    }

    /// The photo at the input's size, still 8-bit RGB: what perturbation methods and pictures start
    /// from.
    ///
    /// # Panics
    /// Where a side of the photo or of the input is 0.
    #[must_use]
    pub fn resize(&self, photo: &RgbImage) -> RgbImage {
        squash(photo, self.height, self.width)
    }

    /// The network's input for `photo`: `3 × height × width` values, channel by channel, red first.
    ///
    /// # Panics
    /// Where a side of the photo or of the input is 0.
    #[must_use]
    pub fn apply(&self, photo: &RgbImage) -> Vec<f32> {
        normalise(&self.resize(photo), self.mean, self.std)
    }
}

/// Resizes to `height` × `width` whatever the aspect ratio, with Pillow's anti-aliased bilinear
/// filter on 8-bit values.
///
/// # Panics
/// Where a side of `photo` or of the result is 0.
#[must_use]
pub fn squash(photo: &RgbImage, height: u32, width: u32) -> RgbImage {
    resize_bilinear::bilinear(photo, height, width)
}

/// Resizes a mask to `width` × `height` whatever the aspect ratio, with Pillow's nearest-neighbour
/// filter: what [`squash`] does to the photo, so that the two still lie on each other.
///
/// # Panics
/// Where a side of `mask` or of the result is 0.
#[must_use]
pub fn squash_mask(mask: &Mask, width: u32, height: u32) -> Mask {
    resize_nearest::nearest(mask, height, width)
}

/// Resizes an object's mask, and what is void beside it, as [`squash_mask`].
///
/// # Panics
/// As [`squash_mask`].
#[must_use]
pub fn squash_object(object: &Object, width: u32, height: u32) -> Object {
    let squash = |mask: &Mask| squash_mask(mask, width, height);
    Object { mask: squash(&object.mask), void: object.void.as_ref().map(squash) }
}

/// `(value / 255 − mean) / std` in single precision, as torchvision's `ToTensor` and `Normalize`
/// compute it; the result is `3 × height × width`, channel by channel, red first.
#[must_use]
pub fn normalise(image: &RgbImage, mean: [f32; 3], std: [f32; 3]) -> Vec<f32> {
    let mut values = Vec::with_capacity(image.as_raw().len());
    for channel in 0..3 {
        let scaled = |pixel: &image::Rgb<u8>| (f32::from(pixel.0[channel]) / 255.0 - mean[channel]) / std[channel];
        values.extend(image.pixels().map(scaled));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalise_goes_channel_by_channel() {
        let image = RgbImage::from_raw(2, 1, vec![0, 51, 255, 102, 153, 204]).unwrap();
        let got = normalise(&image, [0.5, 0.0, 0.2], [0.5, 2.0, 0.1]);
        let expected = [-1.0, -0.2, 0.1, 0.3, 8.0, 6.0];
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{got} is not {expected}");
        }
    }

    #[test]
    fn apply_is_resize_then_normalise() {
        let photo = RgbImage::from_fn(8, 6, |x, y| image::Rgb([x as u8 * 30, y as u8 * 40, 7]));
        let recipe = Preprocess::imagenet(3, 4);
        assert_eq!(recipe.resize(&photo).dimensions(), (4, 3));
        let got = recipe.apply(&photo);
        assert_eq!(got.len(), 36);
        assert!(got[24..].iter().all(|v| (v - (7.0 / 255.0 - 0.406) / 0.225).abs() < 1e-6));
    }
}
