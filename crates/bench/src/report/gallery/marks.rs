//! Marks on a tile: where the class is, and where a map points.

use image::{Rgb, RgbImage};

const LIGHT: Rgb<u8> = Rgb([255, 255, 255]);
const DARK: Rgb<u8> = Rgb([0, 0, 0]);
/// Half the length of a cross, in pixels.
const ARM: i64 = 6;

/// Draws the border of a mask of the image's size: its outermost pixels light, the first beyond it
/// dark, so that it shows on any ground.
pub(crate) fn outline(image: &mut RgbImage, mask: &[bool]) {
    let (width, height) = image.dimensions();
    let at = |x: i64, y: i64| {
        (0..i64::from(width)).contains(&x)
            && (0..i64::from(height)).contains(&y)
            && mask.get((y * i64::from(width) + x) as usize).copied().unwrap_or(false)
    };
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let (x, y) = (i64::from(x), i64::from(y));
        let own = at(x, y);
        if [(1, 0), (-1, 0), (0, 1), (0, -1)].iter().any(|(dx, dy)| at(x + dx, y + dy) != own) {
            *pixel = if own { LIGHT } else { DARK };
        }
    }
}

/// Draws a cross at (x, y), light in dark.
pub(crate) fn cross(image: &mut RgbImage, [x, y]: [f64; 2]) {
    let (x, y) = (x.round() as i64, y.round() as i64);
    let (width, height) = (i64::from(image.width()), i64::from(image.height()));
    let mut dot = |x: i64, y: i64, color| {
        if (0..width).contains(&x) && (0..height).contains(&y) {
            image.put_pixel(x as u32, y as u32, color);
        }
    };
    for (half, arm, color) in [(1, ARM + 1, DARK), (0, ARM, LIGHT)] {
        for along in -arm..=arm {
            for beside in -half..=half {
                dot(x + along, y + beside, color);
                dot(x + beside, y + along, color);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_is_light_within_and_dark_beyond() {
        let mut image = RgbImage::from_pixel(5, 5, Rgb([9; 3]));
        let mask: Vec<bool> = (0..25).map(|i| (1..4).contains(&(i % 5)) && (1..4).contains(&(i / 5))).collect();
        outline(&mut image, &mask);
        let shown = |x, y| image.get_pixel(x, y).0[0];
        assert_eq!([shown(2, 2), shown(1, 2), shown(0, 2), shown(0, 0)], [9, 255, 0, 9]);
    }

    #[test]
    fn a_cross_may_stick_out() {
        let mut image = RgbImage::from_pixel(9, 9, Rgb([9; 3]));
        cross(&mut image, [0.0, 8.0]);
        let shown = |x, y| image.get_pixel(x, y).0[0];
        assert_eq!([shown(0, 8), shown(6, 8), shown(7, 8), shown(8, 8), shown(3, 7)], [255, 255, 0, 9, 0]);
    }
}
