//! A picture made into a PNG or an SVG.

use anyhow::{Context, anyhow};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::{
    BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, PathElement, Polygon, Rectangle, SVGBackend, Text,
    WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontTransform, IntoFont, IntoTextStyle, ShapeStyle};

use super::{Align, FAMILY, INK, Picture, Point, Shape, font};

/// Device pixels for each logical pixel of a PNG, for screens that have them.
const DENSITY: f64 = 2.0;

/// The picture as a PNG, twice as many pixels each way as its size.
///
/// # Errors
/// Where plotters or the encoder refuses.
pub fn png(picture: &Picture) -> anyhow::Result<Vec<u8>> {
    let (width, height) = pixels(picture, DENSITY);
    let mut buffer = vec![0; (width * height * 3) as usize];
    {
        let area = BitMapBackend::with_buffer(&mut buffer, (width, height)).into_drawing_area();
        paint(&area, picture, DENSITY)?;
    }
    encode(&buffer, width, height)
}

/// The picture as an SVG.
///
/// # Errors
/// Where plotters refuses.
pub fn svg(picture: &Picture) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, pixels(picture, 1.0)).into_drawing_area();
        paint(&area, picture, 1.0)?;
    }
    Ok(text)
}

/// RGB bytes as a PNG.
pub(crate) fn encode(rgb: &[u8], width: u32, height: u32) -> anyhow::Result<Vec<u8>> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(rgb, width, height, ExtendedColorType::Rgb8).context("can't encode a PNG")?;
    Ok(png)
}

/// Draws on RGB bytes that may already hold an image.
pub(crate) fn over(rgb: &mut [u8], size: (u32, u32), shapes: &[Shape]) -> anyhow::Result<()> {
    let area = BitMapBackend::with_buffer(rgb, size).into_drawing_area();
    font();
    shapes.iter().try_for_each(|shape| draw(&area, shape, 1.0))?;
    area.present().map_err(|error| anyhow!("can't draw: {error}"))
}

fn pixels(picture: &Picture, density: f64) -> (u32, u32) {
    ((picture.size.0 * density).ceil() as u32, (picture.size.1 * density).ceil() as u32)
}

fn paint<B: DrawingBackend>(area: &DrawingArea<B, Shift>, picture: &Picture, density: f64) -> anyhow::Result<()> {
    font();
    area.fill(&WHITE).map_err(|error| anyhow!("can't draw: {error}"))?;
    picture.shapes.iter().try_for_each(|shape| draw(area, shape, density))?;
    area.present().map_err(|error| anyhow!("can't draw: {error}"))
}

fn draw<B: DrawingBackend>(area: &DrawingArea<B, Shift>, shape: &Shape, density: f64) -> anyhow::Result<()> {
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
        Shape::Text { text, at, size, color, align, upwards } => {
            let align = match align {
                Align::Start => HPos::Left,
                Align::Middle => HPos::Center,
                Align::End => HPos::Right,
            };
            let turn = if *upwards { FontTransform::Rotate270 } else { FontTransform::None };
            let style = (FAMILY, size * density).into_font().transform(turn).with_color(color);
            let style = style.into_text_style(&area.dim_in_pixel()).pos(Pos::new(align, VPos::Center));
            area.draw(&Text::new(text.as_str(), place(*at), style))
        }
    }
    .map_err(|error| anyhow!("can't draw: {error}"))
}
