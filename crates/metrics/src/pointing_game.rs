//! The pointing game (Zhang et al., IJCV 2018), as TorchRay and the UCAG authors' code play it: see
//! docs/protocol.md#pointing-game.
//!
//! A map points at its maximum. It hits if the class is less than 15 pixels away from there, in the
//! photo as it is in the data set.

use tch::Tensor;

use crate::Result;
use crate::averaging::Averaging;
use crate::input::{Mask, values};
use crate::metric::{Annotation, Column, Direction, Entry, Metric, Resolution, Score, ScoreInput, Subset};

/// Registry entry.
pub(crate) static POINTING: Metric = Metric::new(Entry {
    id: "pointing",
    name: "Pointing game",
    summary: "whether the map's maximum lies less than 15 pixels from the class's mask",
    source: "Zhang et al., IJCV 2018; as in TorchRay",
    direction: Direction::Higher,
    averaging: Averaging::Classes,
    score,
})
.percent()
.resolution(Resolution::Original)
.annotation(Annotation::Region)
.columns(&[
    Column { subset: Subset::All, published: "pointing_acc_all_pct" },
    Column { subset: Subset::Difficult, published: "pointing_acc_difficult_pct" },
])
.is_scored(|region, _| region.is_none_or(|region| !region.all_difficult));

/// Tolerance of the published game, in pixels; a distance of just that is a miss.
pub const TOLERANCE: f64 = 15.0;

/// Pointing game: returns true if the map's first maximum, row by row, lies less than the tolerance
/// (in pixels, published: [`TOLERANCE`]) from the mask.
///
/// `map` is `[H, W]`, finite, of the mask's size. A mask without a pixel can't be hit.
///
/// ```
/// use metrics::{Mask, pointing_game_hit};
/// use tch::Tensor;
///
/// let map = Tensor::from_slice(&[9f32, 0.0, 0.0, 0.0]).view([1, 4]);
/// let mask = Mask { pixels: &[false, false, false, true], width: 4 };
/// assert!(pointing_game_hit(&map, &mask, 3.5)?);
/// assert!(!pointing_game_hit(&map, &mask, 3.0)?);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Invalid`] where the map has another size than the mask, or isn't finite.
pub fn pointing_game_hit(map: &Tensor, mask: &Mask<'_>, tolerance: f64) -> Result<bool> {
    let place = argmax(&values(map, mask)?);
    let point = [(place % mask.width) as f64, (place / mask.width) as f64];
    Ok(hit(point, mask, tolerance))
}

/// One for a hit and zero for a miss; `None` for a pair whose objects are all flagged as difficult,
/// which isn't part of the game. An explanation that is a point counts as that point.
///
/// Degenerate maps come as zeros and so point at the top left corner, as the released code has them
/// do. A mask without a pixel, which a sliver of a polygon may come to, can't be hit.
///
/// # Errors
/// As [`pointing_game_hit`], and where there is no region.
pub fn score(input: &ScoreInput<'_>) -> Result<Option<Score>> {
    let region = input.region()?;
    let hit = match input.point {
        None => pointing_game_hit(input.map, &region.mask, TOLERANCE)?,
        Some(point) => {
            values(input.map, &region.mask)?;
            hit(point, &region.mask, TOLERANCE)
        }
    };
    Ok((!region.all_difficult).then(|| Score::of(f64::from(u8::from(hit)))))
}

/// Returns the index of the first maximum; zero where there are no values.
pub fn argmax<T: PartialOrd>(map: &[T]) -> usize {
    (0..map.len()).fold(0, |best, place| if map[place] > map[best] { place } else { best })
}

/// Returns true if some pixel of the mask is nearer to the point (x, y) than the tolerance. The
/// point may lie outside.
pub fn hit(point: [f64; 2], mask: &Mask<'_>, tolerance: f64) -> bool {
    let ([x, y], Mask { pixels, width }) = (point, *mask);
    // Only rows and columns that come near enough; what is negative becomes zero.
    let near = |middle: f64, end: usize| {
        (middle - tolerance).floor() as usize..((middle + tolerance).ceil() as usize + 1).min(end)
    };
    let rows = pixels.len() / width.max(1);
    near(y, rows).any(|v| {
        near(x, width).any(|u| {
            let (dx, dy) = (u as f64 - x, v as f64 - y);
            pixels[v * width + u] && dx * dx + dy * dy < tolerance * tolerance
        })
    })
}
