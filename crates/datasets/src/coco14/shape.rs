//! Masks of single objects, rasterised as pycocotools does it: the `hotcoco` crate is a port of its arithmetic.

use hotcoco::mask;

use crate::Mask;

use super::json::{Counts, Segmentation};

/// Coordinates farther from zero belong to no image; pycocotools' own integers overflow a little beyond.
const FAR: f64 = 4_194_304.0;

/// An object's mask, checked.
#[derive(Debug)]
pub(super) enum Shape {
    /// At least one polygon, each of at least three corners `x, y, …`, all near enough.
    Polygons(Box<[Box<[f64]>]>),
    /// Run lengths that add up to the image's pixels.
    Runs(Box<[u32]>),
}

impl Shape {
    /// Checks a mask of an image of `width` × `height` pixels.
    pub(super) fn new(spelled: Option<Segmentation>, width: u32, height: u32) -> Result<Self, String> {
        match spelled {
            None => Err("has no segmentation".into()),
            Some(Segmentation::Polygons(polygons)) => polygons_checked(polygons),
            Some(Segmentation::Runs { size, counts }) => runs_checked(&size, counts, width, height),
        }
    }

    /// Sets the object's pixels in `mask`, which is of the image's size.
    pub(super) fn draw(&self, mask: &mut Mask) -> Result<(), String> {
        match self {
            Self::Runs(runs) => mask.fill_runs(runs),
            Self::Polygons(polygons) => {
                for polygon in polygons {
                    let runs = mask::fr_poly(polygon, mask.height, mask.width).map_err(|error| error.to_string())?;
                    mask.fill_runs(&runs.counts);
                }
            }
        }
        Ok(())
    }

    /// What it holds, as numbers that differ where masks do.
    pub(super) fn bits(&self) -> Vec<u64> {
        match self {
            Self::Runs(runs) => runs.iter().map(|&run| run.into()).collect(),
            Self::Polygons(polygons) => {
                let mut bits = Vec::new();
                for polygon in polygons {
                    bits.push(polygon.len() as u64);
                    bits.extend(polygon.iter().map(|value| value.to_bits()));
                }
                bits
            }
        }
    }
}

fn polygons_checked(polygons: Box<[Box<[f64]>]>) -> Result<Shape, String> {
    if polygons.is_empty() {
        return Err("has an empty segmentation".into());
    }
    for (number, polygon) in (1..).zip(&polygons) {
        let count = polygon.len();
        if count < 6 || !count.is_multiple_of(2) {
            return Err(format!(
                "has a polygon (number {number}) of {count} numbers; expected x and y of at least 3 corners"
            ));
        }
        if let Some(far) = polygon.iter().find(|value| value.is_nan() || value.abs() > FAR) {
            return Err(format!(
                "has a polygon (number {number}) with the coordinate {far}, which is far outside any image"
            ));
        }
    }
    Ok(Shape::Polygons(polygons))
}

fn runs_checked(size: &[i64], counts: Counts, width: u32, height: u32) -> Result<Shape, String> {
    if size != [i64::from(height), i64::from(width)] {
        return Err(format!("has run lengths of size {size:?}; its image's height and width are [{height}, {width}]"));
    }
    let runs: Box<[u32]> = match counts {
        Counts::Plain(counts) => {
            let run = |&count: &i64| u32::try_from(count).map_err(|_| format!("has a run length of {count}"));
            counts.iter().map(run).collect::<Result<_, _>>()?
        }
        Counts::Text(text) => {
            let runs = mask::rle_from_string(&text, height, width);
            runs.map_err(|error| format!("has malformed run lengths ({error})"))?.counts.into()
        }
    };
    let sum = runs.iter().map(|&run| u64::from(run)).sum::<u64>();
    let pixels = u64::from(width) * u64::from(height);
    if sum != pixels {
        return Err(format!(
            "has run lengths that add up to {sum}, not to the image's {width} × {height} = {pixels} pixels"
        ));
    }
    Ok(Shape::Runs(runs))
}
