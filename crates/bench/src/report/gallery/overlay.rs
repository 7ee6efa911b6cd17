//! A map over its image.

use anyhow::ensure;
use image::{Rgb, RgbImage};
use ucag_core::postprocess::MapKind;

/// The fraction of a pixel that is the color of a map that isn't signed.
const SHARE: f64 = 0.6;

/// The map over the image in grey: viridis for maps in [0, 1] (values beyond are clipped); for
/// signed maps red for what speaks for the class and blue for what speaks against it, the stronger
/// the further from zero, against the map's largest magnitude.
///
/// `map` has the image's height times its width values, row by row.
///
/// # Errors
/// Where it has another number of values, or one that isn't finite.
pub fn overlay(image: &RgbImage, map: &[f32], map_kind: MapKind) -> anyhow::Result<RgbImage> {
    let (width, height) = image.dimensions();
    ensure!(
        map.len() == (width * height) as usize,
        "a map of {} values can't lie over an image of {width} × {height} pixels",
        map.len()
    );
    ensure!(map.iter().all(|value| value.is_finite()), "a map with NaN or infinite values can't be shown");
    let largest = map.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    let signed = map_kind == MapKind::Signed;
    Ok(RgbImage::from_fn(width, height, |x, y| {
        let value = map[(y * width + x) as usize];
        let grey = grey(image.get_pixel(x, y));
        match signed {
            false => blend(grey, colorous::VIRIDIS.eval_continuous(f64::from(value).clamp(0.0, 1.0)), SHARE),
            true => {
                let strength = if largest > 0.0 { f64::from(value.abs() / largest) } else { 0.0 };
                let color = if value > 0.0 {
                    colorous::Color { r: 178, g: 24, b: 43 }
                } else {
                    colorous::Color { r: 33, g: 102, b: 172 }
                };
                // Lighter, so that both colours stand out on dark ground.
                blend(0.5 * grey + 127.0, color, 0.9 * strength.sqrt())
            }
        }
    }))
}

/// The picture of a missing map: the image in gray under diagonal stripes.
pub(crate) fn hatched(image: &RgbImage) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let stripe = (x + y) % 12 < 2;
        let grey = 0.4 * grey(image.get_pixel(x, y)) + if stripe { 60.0 } else { 150.0 };
        Rgb([grey as u8; 3])
    })
}

/// Luma after ITU-R BT.601.
pub(crate) fn grey(Rgb([r, g, b]): &Rgb<u8>) -> f64 {
    0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b)
}

fn blend(grey: f64, color: colorous::Color, share: f64) -> Rgb<u8> {
    Rgb([color.r, color.g, color.b].map(|channel| (share * f64::from(channel) + (1.0 - share) * grey).round() as u8))
}
