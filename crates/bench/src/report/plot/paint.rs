//! A picture made into a PNG or an SVG.

use anyhow::{Context, anyhow};
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::{
    BitMapBackend, Circle, DrawingArea, DrawingBackend, IntoDrawingArea, PathElement, Polygon, Rectangle, SVGBackend,
    Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, IntoTextStyle, ShapeStyle};

use super::{Align, FAMILY, INK, Picture, Point, Shape, font, width};

/// The properties of a format.
#[derive(Debug, Clone, Copy)]
struct Format {
    /// Device pixels for each logical pixel.
    density: f64,
    /// The distance that text is lowered, in its size, for its letters to stand around its middle.
    lower: f64,
}

impl Format {
    fn dense(self, density: u32) -> Self {
        Self { density: f64::from(density), ..self }
    }
}

/// Pixels of a bitmap for each logical pixel.
pub(crate) const DENSITY: u32 = 2;

/// Twice as many pixels each way, for screens that have them. plotters centres the line from a
/// nominal ascent, not the letters.
const BITMAP: Format = Format { density: DENSITY as f64, lower: 0.14 };
const VECTOR: Format = Format { density: 1.0, lower: 0.0 };

/// The picture as a PNG, twice as many pixels each way as its size.
///
/// # Errors
/// Where plotters or the encoder refuses.
pub fn png(picture: &Picture) -> anyhow::Result<Vec<u8>> {
    let bitmap = bitmap(picture)?;
    encode(&bitmap, bitmap.width(), bitmap.height())
}

/// The picture's pixels, [`DENSITY`] times as many each way as its size.
pub(crate) fn bitmap(picture: &Picture) -> anyhow::Result<RgbImage> {
    let size = pixels(picture, BITMAP.density);
    let mut bitmap = RgbImage::new(size.0, size.1);
    paint(&BitMapBackend::with_buffer(&mut bitmap, size).into_drawing_area(), picture, BITMAP)?;
    Ok(bitmap)
}

/// The picture as an SVG.
///
/// # Errors
/// Where plotters refuses.
pub fn svg(picture: &Picture) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, pixels(picture, 1.0)).into_drawing_area();
        paint(&area, picture, VECTOR)?;
    }
    Ok(text)
}

/// RGB bytes as a PNG.
pub(crate) fn encode(rgb: &[u8], width: u32, height: u32) -> anyhow::Result<Vec<u8>> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(rgb, width, height, ExtendedColorType::Rgb8).context("can't encode a PNG")?;
    Ok(png)
}

/// A line of text on white, `height` pixels high. Drawn larger and made smaller, since plotters
/// puts glyphs at whole pixels, which shows in small text.
///
/// # Errors
/// Where plotters refuses.
pub(crate) fn caption(words: &str, size: f64, height: u32) -> anyhow::Result<RgbImage> {
    const FINER: u32 = 4;
    let width = width(words, size * f64::from(FINER)).ceil() as u32 / FINER + 2;
    let mut picture = Picture { size: (f64::from(width), f64::from(height)), shapes: Vec::new() };
    picture.text(words, (1.0, f64::from(height) / 2.0), size, INK, Align::Start);
    let mut large = RgbImage::new(width * FINER, height * FINER);
    paint(
        &BitMapBackend::with_buffer(&mut large, (width * FINER, height * FINER)).into_drawing_area(),
        &picture,
        BITMAP.dense(FINER),
    )?;
    Ok(resize(&large, width, height, FilterType::Triangle))
}

fn pixels(picture: &Picture, density: f64) -> (u32, u32) {
    ((picture.size.0 * density).ceil() as u32, (picture.size.1 * density).ceil() as u32)
}

fn paint<B: DrawingBackend>(area: &DrawingArea<B, Shift>, picture: &Picture, format: Format) -> anyhow::Result<()> {
    font();
    area.fill(&WHITE).map_err(|error| anyhow!("can't draw: {error}"))?;
    picture.shapes.iter().try_for_each(|shape| draw(area, shape, format))?;
    area.present().map_err(|error| anyhow!("can't draw: {error}"))
}

fn draw<B: DrawingBackend>(area: &DrawingArea<B, Shift>, shape: &Shape, format: Format) -> anyhow::Result<()> {
    let density = format.density;
    let place = |(x, y): Point| ((x * density).round() as i32, (y * density).round() as i32);
    let long = |length: f64| (length * density).round() as u32;
    match shape {
        Shape::Fill { from, to, color } => area.draw(&Rectangle::new([place(*from), place(*to)], color.filled())),
        Shape::Line { points, color, width, dashed } => {
            let style = ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: long(*width).max(1) };
            let points: Vec<(i32, i32)> = points.iter().copied().map(place).collect();
            match dashed {
                false => area.draw(&PathElement::new(points, style)),
                true => area.draw(&DashedPathElement::new(points, long(5.0), long(3.0), style)),
            }
        }
        Shape::Diamond { at: (x, y), radius } => {
            let diamond = |r: f64| [(*x, y - r), (x + r, *y), (*x, y + r), (x - r, *y)].map(place).to_vec();
            area.draw(&Polygon::new(diamond(radius + 1.5), WHITE.filled()))
                .and_then(|()| area.draw(&Polygon::new(diamond(*radius), INK.filled())))
        }
        Shape::Dot { at, radius, color, filled } => {
            let inner = if *filled { color.filled() } else { WHITE.filled() };
            area.draw(&Circle::new(place(*at), long(*radius), color.filled()))
                .and_then(|()| area.draw(&Circle::new(place(*at), long(radius - 1.5), inner)))
        }
        Shape::Text { text, at, size, color, align, upwards } => {
            let align = match align {
                Align::Start => HPos::Left,
                Align::Middle => HPos::Center,
                Align::End => HPos::Right,
            };
            let turn = if *upwards { FontTransform::Rotate270 } else { FontTransform::None };
            let style = (FAMILY, size * density).into_font().transform(turn).with_color(color);
            let style = style.into_text_style(&area.dim_in_pixel()).pos(Pos::new(align, VPos::Center));
            let lower = format.lower * size;
            let at = if *upwards { (at.0 + lower, at.1) } else { (at.0, at.1 + lower) };
            area.draw(&Text::new(text.as_str(), place(at), style))
        }
    }
    .map_err(|error| anyhow!("can't draw: {error}"))
}
