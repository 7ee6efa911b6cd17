//! The canvas of scenes.

use image::RgbImage;

use super::draw::{Colour, Draw};

/// Half-width of the grain, in grey levels.
const GRAIN: i32 = 6;

/// An image in single precision.
pub(super) struct Canvas {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Row by row.
    pub(super) pixels: Vec<Colour>,
}

impl Canvas {
    /// Lays `colour` over the pixel at `index` with the given opacity, in 0 to 1.
    pub(super) fn blend(&mut self, index: usize, colour: Colour, opacity: f32) {
        for (under, over) in self.pixels[index].iter_mut().zip(colour) {
            *under += (over - *under) * opacity;
        }
    }

    /// Side of one pixel of a 128 × 128 input, in pixels of this image's longer side: what must
    /// survive the squash to that size is measured in it.
    pub(super) fn unit(&self) -> f32 {
        self.width.max(self.height) as f32 / 128.0
    }

    /// Index, column and row of every pixel whose centre is in the square around `centre`, clipped
    /// to the image.
    pub(super) fn square(&self, centre: (f32, f32), reach: f32) -> impl Iterator<Item = (usize, f32, f32)> + use<> {
        let clip = |low: f32, high: f32, length: u32| (low.max(0.0) as u32, (high.max(0.0) as u32 + 1).min(length));
        let (left, right) = clip(centre.0 - reach, centre.0 + reach, self.width);
        let (top, bottom) = clip(centre.1 - reach, centre.1 + reach, self.height);
        let width = self.width;
        (top..bottom)
            .flat_map(move |y| (left..right).map(move |x| ((y * width + x) as usize, x as f32 + 0.5, y as f32 + 0.5)))
    }

    /// 8-bit pixels, with a fine grain over everything.
    pub(super) fn finish(self, draw: &mut Draw) -> RgbImage {
        let mut grain = vec![0; self.pixels.len()];
        draw.fill(&mut grain);
        let pixel = |(colour, grain): (&Colour, &u8)| {
            let offset = ((i32::from(*grain) * (2 * GRAIN + 1)) >> 8) - GRAIN;
            colour.map(|part| (part as i32 + offset).clamp(0, 255) as u8)
        };
        let bytes = self.pixels.iter().zip(&grain).flat_map(pixel).collect();
        RgbImage::from_raw(self.width, self.height, bytes).expect("the canvas has width × height pixels")
    }
}
