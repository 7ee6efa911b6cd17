//! Figures: maps side by side at a size fit for a paper, drawn from a gallery's saved maps. A pair
//! of rows an image, without UCAG and with it.

mod gather;
mod layout;
mod legend;
mod lines;
mod tile;

use image::RgbImage;
use ucag_core::postprocess::MapState;

use super::plot::paint;

pub use gather::gather;
pub use layout::compose;
pub use tile::{shade, shade_signed};

/// The contents of a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Columns side by side, from left to right.
    pub groups: Vec<Group>,
    /// The labels of every block's rows, from top to bottom.
    pub rows: Vec<String>,
    /// Images with their maps, from top to bottom.
    pub blocks: Vec<Block>,
    /// Below all, a paragraph.
    pub caption: String,
}

/// Columns under one heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its heading; empty where there is one group only.
    pub name: String,
    /// The labels above its columns.
    pub columns: Vec<String>,
}

/// An image, and its maps.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The image.
    pub image: RgbImage,
    /// The explained class.
    pub name: String,
    /// A cell for every column in each of the figure's rows.
    pub cells: Vec<Vec<FigureCell>>,
}

/// The contents of a column of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureCell {
    /// Nothing: the method has no such row.
    Blank,
    /// No map, since the sample failed.
    Failed,
    /// A map that says nothing, over its image.
    Degenerate(RgbImage, MapState),
    /// A map over its image.
    Map(Map),
}

/// A map over its image.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// The image.
    pub image: RgbImage,
    /// The image's height times its width values, row by row: in [0, 1], or in [−1, 1] where it is
    /// signed.
    pub values: Vec<f32>,
    /// True if it speaks for and against the class.
    pub signed: bool,
}

/// The figure as a PNG.
///
/// # Errors
/// As [`compose`].
pub fn png(figure: &Figure) -> anyhow::Result<Vec<u8>> {
    let picture = compose(figure)?;
    paint::encode(&picture, picture.width(), picture.height())
}

/// A picture, and where its upper left corner is, in pixels.
struct Placed {
    picture: RgbImage,
    at: (u32, u32),
}

impl Placed {
    /// In the middle of as many pixels.
    fn centred(picture: RgbImage, (width, height): (u32, u32)) -> Self {
        let at = ((width - picture.width()) / 2, (height - picture.height()) / 2);
        Self { picture, at }
    }

    /// Moves it to the right and down by so many pixels.
    fn moved(self, (x, y): (u32, u32)) -> Self {
        Self { at: (self.at.0 + x, self.at.1 + y), ..self }
    }
}
