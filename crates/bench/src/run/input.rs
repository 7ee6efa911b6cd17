//! From an image to a network's input: see docs/protocol.md#preprocessing.

use anyhow::Result;
use datasets::image::preprocess::{normalise, squash};
use image::RgbImage;
use tch::{Device, Kind, Tensor};
use ucag_core::image_ops::{Interpolation, resize};
use ucag_core::network::Network;

use crate::config::Resize;

/// A photo as a network sees it.
#[derive(Debug)]
pub struct Input {
    /// The input as a picture; in grey for a network that sees grey.
    pub picture: RgbImage,
    /// The input, normalised, `[1, 3, H, W]`, or `[1, 1, H, W]` in grey.
    pub image: Tensor,
    /// The same photo squashed to a square, for methods that are defined on one; `None` where
    /// `image` is that already.
    pub square: Option<Tensor>,
}

/// The input for a network whose square input, or shorter side, has `side` pixels. A network for
/// grey images sees Pillow's grey of the original image.
///
/// # Errors
/// Where libtorch refuses.
pub fn input(photo: &RgbImage, network: &Network, side: usize, how: Resize) -> Result<Input> {
    let (mean, std) = (network.preprocessing.mean(), network.preprocessing.std());
    let channels = mean.len() as i64;
    let grey = (channels == 1).then(|| grey(photo));
    let photo = grey.as_ref().unwrap_or(photo);
    let device = network.device;
    match how {
        Resize::Squash => {
            let picture = squash(photo, side as u32, side as u32);
            // A grey picture has three equal channels, of which the first is the network's.
            let of = |values: &[f32]| std::array::from_fn(|channel| values[channel % values.len()]);
            let values = normalise(&picture, of(&mean), of(&std));
            let image = Tensor::f_from_slice(&values)?.f_view([1, 3, side as i64, side as i64])?;
            let image = image.f_narrow(1, 0, channels)?.f_contiguous()?;
            Ok(Input { picture, image: sent(image, device)?, square: None })
        }
        Resize::ShorterSide => {
            let (width, height) = photo.dimensions();
            let pixels = Tensor::f_from_slice(photo.as_raw())?.f_view([1, i64::from(height), i64::from(width), 3])?;
            let unit = pixels.f_permute([0, 3, 1, 2])?.f_to_kind(Kind::Float)?.f_div_scalar(255.0)?.f_contiguous()?;
            let normalised = |size: [i64; 2]| -> Result<(Tensor, Tensor)> {
                let resized = resize(&unit, size, Interpolation::Bilinear)?;
                let numbers = |values: &[f32]| Tensor::f_from_slice(values)?.f_view([1, -1, 1, 1]);
                let image = resized.f_narrow(1, 0, channels)?.f_sub(&numbers(&mean)?)?.f_div(&numbers(&std)?)?;
                Ok((resized, sent(image, device)?))
            };
            let size = shorter_side([height, width], side);
            let (resized, image) = normalised(size)?;
            let square = [side as i64; 2];
            let square = (size != square).then(|| normalised(square)).transpose()?.map(|(_, image)| image);
            Ok(Input { picture: picture(&resized)?, image, square })
        }
    }
}

/// The photo in grey, as Pillow's mode L has it: ITU-R 601 luma in 16-bit fixed point.
fn grey(photo: &RgbImage) -> RgbImage {
    let mut grey = photo.clone();
    for pixel in grey.pixels_mut() {
        let [r, g, b] = pixel.0.map(u32::from);
        pixel.0 = [((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8; 3];
    }
    grey
}

/// The same on the network's device. To a GPU it goes from memory that can't be paged out, so that
/// nobody waits for the copy.
fn sent(image: Tensor, device: Device) -> Result<Tensor> {
    Ok(match device {
        Device::Cuda(_) => image.f_pin_memory(device)?.f_to_device_(device, image.kind(), true, false)?,
        _ => image.f_to_device(device)?,
    })
}

/// The shorter side becomes `side`, the longer `⌊side · longer / shorter⌋`.
pub fn shorter_side([height, width]: [u32; 2], side: usize) -> [i64; 2] {
    let short = u64::from(height.min(width)).max(1);
    let scaled = |length: u32| (side as u64 * u64::from(length) / short) as i64;
    [scaled(height), scaled(width)]
}

/// `[1, 3, H, W]` in [0, 1] as a picture.
fn picture(unit: &Tensor) -> Result<RgbImage> {
    let size = unit.size();
    let bytes = unit.f_mul_scalar(255.0)?.f_round()?.f_clamp(0.0, 255.0)?.f_to_kind(Kind::Uint8)?;
    let raw = Vec::<u8>::try_from(&bytes.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_view([-1])?)?;
    RgbImage::from_raw(size[3] as u32, size[2] as u32, raw).ok_or_else(|| anyhow::anyhow!("an empty picture"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_side_is_exact_and_the_longer_rounded_down() {
        assert_eq!(shorter_side([375, 500], 224), [224, 298]);
        assert_eq!(shorter_side([500, 333], 224), [336, 224]);
        assert_eq!(shorter_side([100, 100], 128), [128, 128]);
    }

    #[test]
    fn a_network_from_caffe_sees_255_x_less_the_mean_colour() {
        let path =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../ucag-core/tests/fixtures/families/resnet_caffe.safetensors");
        let network = Network::load("resnet", path.as_ref()).unwrap();
        let photo = RgbImage::from_pixel(40, 30, image::Rgb([100, 150, 200]));
        for how in [Resize::Squash, Resize::ShorterSide] {
            let seen = input(&photo, &network, 20, how).unwrap().image;
            for (channel, expected) in [100.0 - 123.68, 150.0 - 116.779, 200.0 - 103.939].into_iter().enumerate() {
                let value = seen.double_value(&[0, channel as i64, 7, 7]);
                assert!((value - expected).abs() < 1e-3, "{value} is not {expected}");
            }
        }
    }
}
