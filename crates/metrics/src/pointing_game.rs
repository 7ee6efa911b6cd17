//! The pointing game (Zhang et al., IJCV 2018), as TorchRay and the UCAG authors' code play it: see
//! docs/protocol.md#pointing-game.
//!
//! A map points at its maximum. It hits if the class is less than 15 pixels away from there, in the photo as it is in the data set.

use crate::averaging::Averaging;
use crate::metric::{Annotation, Column, Direction, Metric, Region, Resolution, Score, ScoreInput, Subset};
use crate::{Error, Result};

/// Registry entry.
pub(crate) static POINTING: Metric = Metric {
    id: "pointing",
    name: "Pointing game",
    summary: "whether the map's maximum lies less than 15 pixels from the class's mask",
    source: "Zhang et al., IJCV 2018; as in TorchRay",
    version: 1,
    direction: Direction::Higher,
    scale: 100.0,
    unit: "%",
    frame: Resolution::Original,
    wants: Annotation::Region,
    averaging: Averaging::Classes,
    columns: &[
        Column { subset: Subset::All, published: "pointing_acc_all_pct" },
        Column { subset: Subset::Difficult, published: "pointing_acc_difficult_pct" },
    ],
    axes: None,
    is_scored: |region, _| region.is_none_or(|region| !region.all_difficult),
    score,
    forward_passes: |_, _, _| 0,
    endpoints: &[],
};

/// How close to the mask a point must come, in pixels; a distance of just that is a miss.
pub const TOLERANCE: f64 = 15.0;

/// One for a hit and zero for a miss; `None` for a pair whose objects are all flagged as difficult, which isn't part of the game.
///
/// Degenerate maps come as zeros and so point at the top left corner, as the released code has them do. A mask without a pixel, which a sliver of a
/// polygon may come to, can't be hit.
///
/// # Errors
/// Where there is no region, its mask isn't of the map's size, or the map isn't finite.
pub fn score(case: &ScoreInput<'_>) -> Result<Option<Score>> {
    let (map, region) = photo(case)?;
    if region.all_difficult {
        return Ok(None);
    }
    let point = case.point.unwrap_or_else(|| {
        let place = argmax(&map);
        [(place % region.mask.width) as f64, (place / region.mask.width) as f64]
    });
    let hit = hit(point, region.mask.pixels, region.mask.width, TOLERANCE);
    Ok(Some(Score::of(f64::from(u8::from(hit)))))
}

/// The map's values row by row, and the region, once it is sure that they fit.
pub(crate) fn photo<'a>(case: &ScoreInput<'a>) -> Result<(Vec<f64>, Region<'a>)> {
    let none = "a pointing game needs to know where the class is, and the data set doesn't say";
    let region = case.region.ok_or_else(|| Error::Invalid(none.into()))?;
    Ok((case.values(&region.mask)?, region))
}

/// The place of the first maximum; zero where there are no values.
pub fn argmax<T: PartialOrd>(map: &[T]) -> usize {
    (0..map.len()).fold(0, |best, place| if map[place] > map[best] { place } else { best })
}

/// Whether some pixel of the mask, `width` in a row, is nearer to the point (x, y) than the tolerance. The point may lie outside.
pub fn hit(point: [f64; 2], mask: &[bool], width: usize, tolerance: f64) -> bool {
    let [x, y] = point;
    // Only rows and columns that come near enough; what is negative becomes zero.
    let near = |middle: f64, end: usize| {
        (middle - tolerance).floor() as usize..((middle + tolerance).ceil() as usize + 1).min(end)
    };
    let rows = mask.len() / width.max(1);
    near(y, rows).any(|v| {
        near(x, width).any(|u| {
            let (dx, dy) = (u as f64 - x, v as f64 - y);
            mask[v * width + u] && dx * dx + dy * dy < tolerance * tolerance
        })
    })
}
