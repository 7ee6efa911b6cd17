//! Plots: pictures as lists of shapes, drawn alike as PNG and as SVG.

pub mod axis;
pub mod bars;
pub mod lines;
pub(crate) mod paint;
pub mod sweep;

pub use paint::{png, svg};

use plotters::style::{FontStyle, IntoFont, RGBColor, register_font};

use crate::config::{Config, Model};

/// A picture in logical pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Width and height.
    pub size: (f64, f64),
    /// Shapes, those further down the list on top.
    pub shapes: Vec<Shape>,
}

/// A point, rightwards and downwards from the upper left corner.
pub type Point = (f64, f64);

/// Something to draw.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A filled rectangle between two corners.
    Fill {
        /// Upper left corner.
        from: Point,
        /// Lower right corner.
        to: Point,
        /// Its colour.
        color: RGBColor,
    },
    /// A line through points.
    Line {
        /// The points.
        points: Vec<Point>,
        /// Its colour.
        color: RGBColor,
        /// Its width.
        width: f64,
        /// True if it is dashed.
        dashed: bool,
    },
    /// A diamond with a white rim around a point.
    Diamond {
        /// Its middle.
        at: Point,
        /// Half its height.
        radius: f64,
    },
    /// A disc.
    Dot {
        /// Its middle.
        at: Point,
        /// Its radius.
        radius: f64,
        /// Its colour.
        color: RGBColor,
        /// True if it is filled, or a ring around white.
        filled: bool,
    },
    /// A line of text.
    Text {
        /// The text.
        text: String,
        /// The place of its anchor; its middle in the vertical.
        at: Point,
        /// Height of its line.
        size: f64,
        /// Its colour.
        color: RGBColor,
        /// The place of the anchor in the horizontal.
        align: Align,
        /// True if it reads upwards.
        upwards: bool,
    },
}

/// The place of a text's anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At its beginning.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

pub(crate) const INK: RGBColor = RGBColor(34, 34, 34);
pub(crate) const FAINT: RGBColor = RGBColor(222, 222, 222);
pub(crate) const MUTED: RGBColor = RGBColor(110, 110, 110);

/// The height of a data set's name above a panel.
pub(crate) const LINE: f64 = 17.0;

/// Colours that colour-blind people can tell apart: Okabe and Ito's, without the yellow, which is
/// too light for lines, and some of Tol's.
const PALETTE: [RGBColor; 10] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
    RGBColor(136, 34, 85),
    RGBColor(153, 153, 51),
    RGBColor(51, 34, 136),
];

/// The colour of the method at a place: the palette, then its colours lighter, darker, much
/// lighter, and much darker. More than these nobody could tell apart, and they repeat.
pub(crate) fn color_at(place: usize) -> RGBColor {
    if let Some(color) = PALETTE.get(place) {
        return *color;
    }
    // Black has no shades of its own: they are the controls' greys.
    let shades: Vec<RGBColor> = PALETTE.into_iter().filter(|color| *color != RGBColor(0, 0, 0)).collect();
    let place = place - PALETTE.len();
    let RGBColor(r, g, b) = shades[place % shades.len()];
    let (towards, share): (u16, u16) = [(255, 9), (0, 9), (255, 14), (0, 14)][place / shades.len() % 4];
    let shade = |channel: u8| ((u16::from(channel) * (20 - share) + towards * share) / 20) as u8;
    RGBColor(shade(r), shade(g), shade(b))
}

impl Picture {
    /// A horizontal text.
    pub(crate) fn text(&mut self, text: impl Into<String>, at: Point, size: f64, color: RGBColor, align: Align) {
        self.shapes.push(Shape::Text { text: text.into(), at, size, color, align, upwards: false });
    }

    /// A solid line.
    pub(crate) fn line(&mut self, points: impl Into<Vec<Point>>, color: RGBColor, width: f64) {
        self.shapes.push(Shape::Line { points: points.into(), color, width, dashed: false });
    }

    /// A filled rectangle.
    pub(crate) fn fill(&mut self, from: Point, to: Point, color: RGBColor) {
        self.shapes.push(Shape::Fill { from, to, color });
    }
}

/// The models in the order of panels, data sets one after the other, each with its data set's
/// place.
pub(crate) fn models(config: &Config) -> Vec<(usize, &Model)> {
    let of = |place| config.models.iter().filter(move |model| model.dataset == place).map(move |model| (place, model));
    (0..config.datasets.len()).flat_map(of).collect()
}

/// The family of every text: generic, so that an SVG finds a font anywhere.
pub(crate) const FAMILY: &str = "sans-serif";

/// Makes the font known to plotters, once; no font of the system is needed.
pub(crate) fn font() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let registered = register_font(FAMILY, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
        debug_assert!(registered.is_ok(), "a font that comes with a crate is well-formed");
    });
}

/// Width of a text in logical pixels.
pub fn width(text: &str, size: f64) -> f64 {
    font();
    (FAMILY, size).into_font().box_size(text).map_or(0.0, |(width, _)| f64::from(width) + 1.0)
}
