//! The legend of a figure's colors.

use image::{Rgb, RgbImage};

use super::layout::pixels;
use super::{Figure, FigureCell, Placed, shade, shade_signed};
use crate::report::gallery::hatched;
use crate::report::plot::paint::DENSITY;
use crate::report::plot::{Align, INK, MUTED, Picture, width};

/// Width and height of a colour bar, in logical pixels.
const BAR: (f64, f64) = (200.0, 16.0);
const GAP: f64 = 48.0;
const TEXT: f64 = 17.0;
const TICK: f64 = 15.0;
/// The grey under the bars: neither a light nor a dark image.
const GROUND: f64 = 127.0;

/// A colour bar, its words and its ticks from left to right.
struct LegendEntry {
    words: &'static str,
    bar: RgbImage,
    ticks: Vec<(f64, &'static str)>,
}

/// Height of a line of the legend, in logical pixels.
const HEIGHT: f64 = 68.0;

/// The bars of the kinds of maps that the figure has.
fn keys(figure: &Figure) -> Vec<LegendEntry> {
    let any = |such: fn(&FigureCell) -> bool| figure.blocks.iter().flat_map(|block| &block.cells).flatten().any(such);
    let (wide, tall) = (BAR.0 as u32 * DENSITY, BAR.1 as u32 * DENSITY);
    let bar = |color: &dyn Fn(f64) -> Rgb<u8>| {
        RgbImage::from_fn(wide, tall, |x, _| color(f64::from(x) / f64::from(wide - 1)))
    };
    let mut keys = Vec::new();
    if any(|cell| matches!(cell, FigureCell::Map(map) if !map.signed)) {
        let bar = bar(&|along| shade(along, GROUND));
        let ticks = vec![(0.0, "0"), (0.25, "¼"), (0.5, "½"), (0.75, "¾"), (1.0, "1")];
        keys.push(LegendEntry { words: "saliency", bar, ticks });
    }
    if any(|cell| matches!(cell, FigureCell::Map(map) if map.signed)) {
        let bar = bar(&|along| shade_signed(from_root(2.0 * along - 1.0), GROUND));
        let ticks = vec![(0.0, "−1"), (0.25, "−¼"), (0.5, "0"), (0.75, "¼"), (1.0, "1")];
        keys.push(LegendEntry { words: "relevance; 1 is a map's largest", bar, ticks });
    }
    if any(|cell| matches!(cell, FigureCell::Degenerate(..) | FigureCell::Failed)) {
        let bar = hatched(&RgbImage::from_pixel(wide / 3, tall, Rgb([GROUND as u8; 3])));
        keys.push(LegendEntry { words: "no map", bar, ticks: Vec::new() });
    }
    keys
}

/// The value whose root of the magnitude is at this place of the bar.
fn from_root(place: f64) -> f64 {
    place * place.abs()
}

/// Width of a key: its bar or its words.
fn wide(key: &LegendEntry) -> f64 {
    (f64::from(key.bar.width()) / f64::from(DENSITY)).max(width(key.words, TEXT))
}

/// Writes the words from `at` on, in as many lines as it takes to end before `end`; returns the
/// bars, and the legend's height in logical pixels.
pub(super) fn legend(figure: &Figure, picture: &mut Picture, at: (f64, f64), end: f64) -> (Vec<Placed>, f64) {
    let ((mut x, mut y), mut bars) = (at, Vec::new());
    for key in keys(figure) {
        let wide = wide(&key);
        if x > at.0 && x + wide > end {
            (x, y) = (at.0, y + HEIGHT);
        }
        picture.text(key.words, (x, y + 8.0), TEXT, INK, Align::Start);
        let top = y + 22.0;
        let long = f64::from(key.bar.width()) / f64::from(DENSITY);
        for (along, words) in &key.ticks {
            let align = match *along {
                0.0 => Align::Start,
                1.0 => Align::End,
                _ => Align::Middle,
            };
            picture.text(*words, (x + along * long, top + BAR.1 + 12.0), TICK, MUTED, align);
        }
        bars.push(Placed { picture: key.bar, at: pixels((x, top)) });
        x += wide + GAP;
    }
    let height = if bars.is_empty() { 0.0 } else { y + HEIGHT - at.1 };
    (bars, height)
}
