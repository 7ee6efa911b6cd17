//! A tile: a map over its image, or stripes where there is none, at the size at which it is
//! printed.

use image::imageops::{FilterType, overlay as paste, resize};
use image::{ImageBuffer, Luma, Rgb, RgbImage};

use super::{FigureCell, Map, Placed};
use crate::report::gallery::{grey, hatched};
use crate::report::plot::paint;

/// The fraction of a pixel that is the color of a map in [0, 1].
const SHARE: f64 = 0.65;

/// A value in [0, 1] over a pixel of this grey: viridis, which is as light as the value is large,
/// for 0.65 of the pixel.
pub fn shade(value: f64, grey: f64) -> Rgb<u8> {
    blend(colorous::VIRIDIS.eval_continuous(value.clamp(0.0, 1.0)), grey, SHARE)
}

/// A value in [−1, 1] over a pixel of this grey: from blue, against the class, over white to red,
/// for it. The colour is that of the root of the value's magnitude, since most of a signed map is
/// small beside its largest value, and the same on both sides of zero. It has 0.6 of the pixel at
/// zero, and 0.95 at the ends; the grey is lightened, so that neither colour sinks into dark
/// ground.
pub fn shade_signed(value: f64, grey: f64) -> Rgb<u8> {
    let strength = value.abs().min(1.0).sqrt();
    let color = colorous::RED_BLUE.eval_continuous(0.5 - 0.5 * strength.copysign(value));
    blend(color, 0.5 * grey + 127.5, 0.6 + 0.35 * strength)
}

/// A cell's picture in the middle of `width` × `height` pixels. `None` where it is blank.
pub(super) fn draw(cell: &FigureCell, (width, height): (u32, u32)) -> anyhow::Result<Option<Placed>> {
    let (mut shown, words) = match cell {
        FigureCell::Blank => return Ok(None),
        FigureCell::Map(map) => (drawn(map, fit(map.image.dimensions(), (width, height)))?, None),
        FigureCell::Failed => (hatched(&RgbImage::from_pixel(width, height, Rgb([200; 3]))), Some("failed".to_owned())),
        FigureCell::Degenerate(image, state) => {
            let shown = hatched(&enlarged(image, fit(image.dimensions(), (width, height))));
            (shown, Some(format!("{} map", state.as_str())))
        }
    };
    if let Some(words) = words {
        let words = paint::caption(&format!(" {words} "), 34.0, 48)?;
        let (x, y) = (i64::from(shown.width()), i64::from(shown.height()));
        let at = ((x - i64::from(words.width())) / 2, (y - i64::from(words.height())) / 2);
        paste(&mut shown, &words, at.0, at.1);
    }
    Ok(Some(Placed::centred(shown, (width, height))))
}

/// The image, as large as it fits.
pub(super) fn photo(image: &RgbImage, room: (u32, u32)) -> Placed {
    Placed::centred(enlarged(image, fit(image.dimensions(), room)), room)
}

/// The map's values are brought to the tile's size, and then coloured: colours between two values
/// are those of values between.
fn drawn(map: &Map, (width, height): (u32, u32)) -> anyhow::Result<RgbImage> {
    let (w, h) = map.image.dimensions();
    // `resize` takes what isn't in [0, 1] for out of range.
    let unit = map.values.iter().map(|value| 0.5 + 0.5 * value).collect::<Vec<_>>();
    let values = ImageBuffer::<Luma<f32>, _>::from_raw(w, h, unit);
    let values = values.filter(|values| values.len() == map.values.len());
    let values = values.ok_or_else(|| anyhow::anyhow!("{} values aren't a map of {w} × {h}", map.values.len()))?;
    let values = resize(&values, width, height, FilterType::Triangle);
    let image = enlarged(&map.image, (width, height));
    Ok(RgbImage::from_fn(width, height, |x, y| {
        let (value, grey) = (2.0 * f64::from(values.get_pixel(x, y).0[0]) - 1.0, grey(image.get_pixel(x, y)));
        if map.signed { shade_signed(value, grey) } else { shade(value, grey) }
    }))
}

/// The largest size of these proportions within a tile.
fn fit((w, h): (u32, u32), (width, height): (u32, u32)) -> (u32, u32) {
    let scale = (f64::from(width) / f64::from(w)).min(f64::from(height) / f64::from(h));
    let side = |side: u32, most: u32| ((f64::from(side) * scale).round() as u32).clamp(1, most);
    (side(w, width), side(h, height))
}

fn enlarged(image: &RgbImage, (width, height): (u32, u32)) -> RgbImage {
    resize(image, width, height, FilterType::CatmullRom)
}

fn blend(color: colorous::Color, grey: f64, share: f64) -> Rgb<u8> {
    Rgb([color.r, color.g, color.b].map(|channel| (share * f64::from(channel) + (1.0 - share) * grey).round() as u8))
}
