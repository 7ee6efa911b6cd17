//! The layout of a figure: the image and its name on the left, rows of maps beside it, the legend
//! and the caption below.

use image::RgbImage;
use image::imageops::overlay as paste;

use super::lines::lines;
use super::{Block, Figure, Placed, legend, tile};
use crate::report::plot::paint::{DENSITY, bitmap};
use crate::report::plot::{Align, INK, MUTED, Picture, Shape, width};

/// Width of a tile in logical pixels: 320 pixels of the PNG.
const TILE: f64 = 160.0;
const MARGIN: f64 = 12.0;
/// Between tiles, between groups of columns, and between images.
const GAP: f64 = 5.0;
const GROUP_GAP: f64 = 18.0;
const BLOCK_GAP: f64 = 16.0;
/// Room for a row's label, in one line or in two.
const SIDE: [f64; 2] = [26.0, 42.0];
const HEADING: f64 = 21.0;
const LABEL: f64 = 19.0;
const NAME: f64 = 18.0;
const SMALL: f64 = 15.0;
const CAPTION: f64 = 16.0;
/// Height of a line of text, in its size.
const LINE: f64 = 1.2;
/// A tile is at least half as high as it is wide, and at most twice.
const SHAPE: (f64, f64) = (0.5, 2.0);

/// Left edges of the columns, where they start and end, and what spans each group.
struct Across {
    first: f64,
    columns: Vec<f64>,
    groups: Vec<(f64, f64)>,
    end: f64,
}

/// The figure as an image. A tile is 320 pixels wide, and as high as its image's proportions make
/// it.
///
/// # Errors
/// Where a map isn't of its image's size.
pub fn compose(figure: &Figure) -> anyhow::Result<RgbImage> {
    let across = across(figure);
    let mut picture = Picture { size: (across.end + MARGIN, 0.0), shapes: Vec::new() };
    let mut placed: Vec<Placed> = Vec::new();
    let mut top = head(figure, &across, &mut picture);
    for block in &figure.blocks {
        let tall = tall(&block.image);
        placed.push(tile::photo(&block.image, pixels((TILE, tall))).moved(pixels((MARGIN, top))));
        let name_end = name(block, top + tall, &mut picture);
        for (row, (cells, label)) in block.cells.iter().zip(&figure.rows).enumerate() {
            let y = top + row as f64 * (tall + GAP);
            side(label, (across.first, y + tall / 2.0), tall, &mut picture);
            for (cell, x) in cells.iter().zip(&across.columns) {
                placed.extend(tile::draw(cell, pixels((TILE, tall)))?.map(|tile| tile.moved(pixels((*x, y)))));
            }
        }
        let rows_end = top + figure.rows.len() as f64 * (tall + GAP) - GAP;
        top = rows_end.max(name_end) + BLOCK_GAP;
    }
    let (bars, legend) = legend::legend(figure, &mut picture, (MARGIN, top), across.end);
    placed.extend(bars);
    top += legend;
    for line in lines(&figure.caption, CAPTION, across.end - MARGIN, usize::MAX) {
        top += CAPTION * LINE;
        picture.text(line, (MARGIN, top - CAPTION * LINE / 2.0), CAPTION, INK, Align::Start);
    }
    picture.size.1 = top + MARGIN;
    let mut all = bitmap(&picture)?;
    for Placed { picture, at: (x, y) } in &placed {
        paste(&mut all, picture, i64::from(*x), i64::from(*y));
    }
    Ok(all)
}

/// Logical pixels as pixels of the PNG.
pub(super) fn pixels((x, y): (f64, f64)) -> (u32, u32) {
    let place = |at: f64| (at * f64::from(DENSITY)).round() as u32;
    (place(x), place(y))
}

fn across(figure: &Figure) -> Across {
    let room = figure.blocks.iter().map(|block| tall(&block.image)).fold(TILE, f64::min);
    let two = figure.rows.iter().any(|label| width(label, NAME) > room);
    let mut x = MARGIN + TILE + SIDE[usize::from(two)];
    let first = x;
    let (mut columns, mut groups) = (Vec::new(), Vec::new());
    for group in &figure.groups {
        let from = x;
        for _ in &group.columns {
            columns.push(x);
            x += TILE + GAP;
        }
        groups.push((from, x - GAP));
        x += GROUP_GAP - GAP;
    }
    Across { first, columns, groups, end: x - GROUP_GAP }
}

/// Height of the tiles beside an image.
fn tall(image: &RgbImage) -> f64 {
    let (width, height) = image.dimensions();
    // Whole logical pixels, so that all tiles of a figure are whole pixels apart.
    (TILE * (f64::from(height) / f64::from(width)).clamp(SHAPE.0, SHAPE.1)).round()
}

/// Headings of groups and what is above columns; returns where they end.
fn head(figure: &Figure, across: &Across, picture: &mut Picture) -> f64 {
    let mut top = MARGIN;
    if figure.groups.iter().any(|group| !group.name.is_empty()) {
        for (group, (from, to)) in figure.groups.iter().zip(&across.groups) {
            let heading = lines(&group.name, HEADING, to - from, 1).concat();
            picture.text(heading, ((from + to) / 2.0, top + HEADING * LINE / 2.0), HEADING, INK, Align::Middle);
            let y = top + HEADING * LINE + 2.0;
            picture.line([(*from, y), (*to, y)], MUTED, 1.0);
        }
        top += HEADING * LINE + 8.0;
    }
    let labels: Vec<Vec<String>> =
        figure.groups.iter().flat_map(|group| &group.columns).map(|label| lines(label, LABEL, TILE, 2)).collect();
    let most = labels.iter().map(Vec::len).max().unwrap_or(0);
    let bottom = top + most as f64 * LABEL * LINE;
    for (lines, x) in labels.iter().zip(&across.columns) {
        for (place, line) in lines.iter().rev().enumerate() {
            let y = bottom - (place as f64 + 0.5) * LABEL * LINE;
            picture.text(line.as_str(), (x + TILE / 2.0, y), LABEL, INK, Align::Middle);
        }
    }
    bottom + 4.0
}

/// The image's name below it; returns where it ends.
fn name(block: &Block, top: f64, picture: &mut Picture) -> f64 {
    let mut y = top + 4.0;
    for line in lines(&block.name, NAME, TILE, 3) {
        y += NAME * LINE;
        picture.text(line, (MARGIN + TILE / 2.0, y - NAME * LINE / 2.0), NAME, INK, Align::Middle);
    }
    y
}

/// Draws a row's label, upwards and left of `right`: in two smaller lines where the row is too
/// short for it.
fn side(label: &str, (right, middle): (f64, f64), room: f64, picture: &mut Picture) {
    let (size, lines) = match width(label, NAME) <= room {
        true => (NAME, vec![label.to_owned()]),
        false => (SMALL, lines(label, SMALL, room, 2)),
    };
    let count = lines.len() as f64;
    for (place, text) in lines.into_iter().enumerate() {
        let x = right - SIDE[0] / 2.0 - (count - 1.0 - place as f64) * size * LINE;
        picture.shapes.push(Shape::Text {
            text,
            at: (x, middle),
            size,
            color: INK,
            align: Align::Middle,
            upwards: true,
        });
    }
}
