//! Masks of single objects, rasterised as pycocotools does it: the `hotcoco` crate is a port of its
//! arithmetic.

use hotcoco::mask;

use crate::Mask;

use super::json::{Runs, Segmentation};
use super::loose::{Loose, Numbers};

/// Coordinates farther from zero belong to no image; pycocotools' own integers overflow a little
/// beyond.
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
    pub(super) fn new(spelled: Segmentation, width: u32, height: u32) -> Result<Self, String> {
        match spelled {
            Segmentation::Polygons(polygons) => polygons_checked(polygons),
            Segmentation::Runs(runs) => runs_checked(runs, width, height),
            Segmentation::Other(Loose::Absent | Loose::Null) => Err("has no segmentation".into()),
            Segmentation::Other(other) => {
                Err(format!("has the segmentation {other}; expected polygons, or run lengths with `size` and `counts`"))
            }
        }
    }

    /// Returns true if the mask holds no pixel of an image of `width` × `height`.
    pub(super) fn is_empty(&self, width: u32, height: u32) -> bool {
        match self {
            Self::Runs(runs) => runs.iter().skip(1).step_by(2).all(|&run| run == 0),
            Self::Polygons(polygons) => polygons.iter().all(|polygon| {
                // One that is thick somewhere need not be drawn to be known to hold a pixel.
                !is_thick(polygon, f64::from(width), f64::from(height))
                    && mask::fr_poly(polygon, height, width).is_ok_and(|runs| runs.counts.len() < 2)
            }),
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

    /// Returns its content as numbers that differ where masks do.
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

/// Returns true if a polygon within the image holds a circle of more than 2 pixels' radius. No area
/// is larger than its outline times the radius of the largest circle in it.
fn is_thick(polygon: &[f64], width: f64, height: f64) -> bool {
    let corners = || polygon.chunks_exact(2).map(|corner| (corner[0], corner[1]));
    let (mut area, mut outline) = (0.0, 0.0);
    for ((x, y), (next_x, next_y)) in corners().zip(corners().skip(1).chain(corners().take(1))) {
        area += x * next_y - next_x * y;
        outline += (next_x - x).hypot(next_y - y);
    }
    let inside = corners().all(|(x, y)| (0.0..=width).contains(&x) && (0.0..=height).contains(&y));
    inside && area.abs() / 2.0 > 2.0 * outline
}

fn polygons_checked(polygons: Vec<Numbers>) -> Result<Shape, String> {
    if polygons.is_empty() {
        return Err("has an empty segmentation".into());
    }
    let polygon = |(polygon, number): (Numbers, usize)| {
        let polygon = match polygon {
            Numbers::List(polygon) => polygon,
            Numbers::Other(other) => {
                return Err(format!(
                    "has a polygon (number {number}) that is {other}; expected a list of x, y, x, y, …"
                ));
            }
        };
        let count = polygon.len();
        if count < 6 || !count.is_multiple_of(2) {
            return Err(format!(
                "has a polygon (number {number}) of {count} numbers; expected x and y of at least 3 corners"
            ));
        }
        if polygon.iter().any(|value| value.is_nan()) {
            return Err(format!("has a polygon (number {number}) with a coordinate that is not a number"));
        }
        if let Some(far) = polygon.iter().find(|value| value.abs() > FAR) {
            return Err(format!(
                "has a polygon (number {number}) with the coordinate {far}, which is far outside any image"
            ));
        }
        Ok(polygon)
    };
    polygons.into_iter().zip(1..).map(polygon).collect::<Result<_, _>>().map(Shape::Polygons)
}

fn runs_checked(Runs { size, counts }: Runs, width: u32, height: u32) -> Result<Shape, String> {
    match size {
        Numbers::List(size) if *size == [f64::from(height), f64::from(width)] => {}
        Numbers::List(size) => {
            let size = size.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "has run lengths of size [{size}]; its image's height and width are [{height}, {width}]"
            ));
        }
        Numbers::Other(other) => return Err(format!("has run lengths: {}", other.refuse("size", "a list"))),
    }
    let runs: Box<[u32]> = match counts {
        Numbers::List(counts) => {
            let fits = |count: f64| count.trunc() == count && (0.0..=f64::from(u32::MAX)).contains(&count);
            let run =
                |&count: &f64| if fits(count) { Ok(count as u32) } else { Err(format!("has a run length of {count}")) };
            counts.iter().map(run).collect::<Result<_, _>>()?
        }
        Numbers::Other(Loose::Text(text)) => {
            let runs = mask::rle_from_string(&text, height, width);
            runs.map_err(|error| format!("has malformed run lengths ({error})"))?.counts.into()
        }
        Numbers::Other(other) => {
            return Err(format!("has run lengths: {}", other.refuse("counts", "a list of numbers or a text")));
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
