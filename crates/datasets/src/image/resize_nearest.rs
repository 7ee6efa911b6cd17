//! Resizing masks without new values, as Pillow does it, to the bit.
//!
//! Pillow takes the source pixel that an output pixel's centre falls on, and finds the centres by
//! adding the scale up, one output pixel after the other, in double precision. Where a centre falls
//! between two source pixels the rounding of that sum decides, so it is done here as there. Source:
//! Pillow's `Geometry.c` (`ImagingScaleAffine`).

use crate::Mask;

/// Resizes to `height` × `width` with Pillow's `resize((width, height), NEAREST)`; the aspect ratio
/// is not kept.
///
/// # Panics
/// Where a side of `mask` or of the result is 0.
#[must_use]
pub(crate) fn nearest(mask: &Mask, height: u32, width: u32) -> Mask {
    assert!(height > 0 && width > 0, "the size to resize to is {width} × {height}");
    assert!(mask.width > 0 && mask.height > 0, "the mask to resize is empty");
    let columns = sources(mask.width, width);
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    for row in sources(mask.height, height) {
        let row = row.map(|row| &mask.pixels[row * mask.width as usize..][..mask.width as usize]);
        pixels.extend(columns.iter().map(|column| row.zip(*column).is_some_and(|(row, column)| row[column])));
    }
    Mask { width, height, pixels }
}

/// The source pixel of every output pixel along one axis; none, and so no object, where rounding
/// leads past the last.
fn sources(input: u32, output: u32) -> Vec<Option<usize>> {
    let scale = f64::from(input) / f64::from(output);
    let mut centre = scale * 0.5;
    let mut next = || {
        let source = centre as usize;
        centre += scale;
        (source < input as usize).then_some(source)
    };
    (0..output).map(|_| next()).collect()
}
