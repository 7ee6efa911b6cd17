//! The energy pointing game (Wang et al., CVPR Workshops 2020), as the UCAG authors' code plays it:
//! see docs/protocol.md#energy-pointing-game.
//!
//! How much of the map's sum lies on the class, in the photo as it is in the data set.

use crate::protocol::EmptyPairs;

use crate::Result;
use crate::averaging::Averaging;
use crate::metric::{Annotation, Column, Direction, Metric, Resolution, Score, ScoreInput, Subset};
use crate::pointing_game::photo;

/// Registry entry.
pub(crate) static ENERGY: Metric = Metric {
    id: "energy",
    name: "Energy pointing game",
    summary: "share of the map's sum that lies on the class's mask",
    source: "Wang et al., CVPR Workshops 2020",
    version: 1,
    direction: Direction::Higher,
    scale: 100.0,
    unit: "%",
    frame: Resolution::Original,
    wants: Annotation::Region,
    averaging: Averaging::ClassesAsReleased,
    columns: &[
        Column { subset: Subset::All, published: "energy_pointing_all_pct" },
        Column { subset: Subset::Difficult, published: "energy_pointing_difficult_pct" },
    ],
    axes: None,
    is_scored: |region, tally| tally == EmptyPairs::Released || region.is_none_or(|region| !region.all_difficult),
    score,
    forward_passes: |_, _, _| 0,
    endpoints: &[],
};

/// The share of the map's energy that lies on the mask. A pair whose objects are all flagged as difficult has none under `EmptyPairs::Released` and is not
/// part of the game under `EmptyPairs::Pairs`.
///
/// # Errors
/// Where there is no region, its mask isn't of the map's size, or the map isn't finite.
pub fn score(case: &ScoreInput<'_>) -> Result<Option<Score>> {
    let (map, region) = photo(case)?;
    let value = match (region.all_difficult, case.tally) {
        (true, EmptyPairs::Pairs) => return Ok(None),
        (true, EmptyPairs::Released) => 0.0,
        (false, _) => energy(&map, region.mask.pixels),
    };
    Ok(Some(Score::of(value)))
}

/// Sum of the map on the mask over its whole sum; zero for a map without energy. The game is for maps that aren't negative: what is negative
/// in a signed map speaks against the class and counts as zero.
pub fn energy(map: &[f64], mask: &[bool]) -> f64 {
    let (mut on, mut all) = (0.0, 0.0);
    for (value, &inside) in map.iter().zip(mask) {
        let value = value.max(0.0);
        all += value;
        if inside {
            on += value;
        }
    }
    if all > 0.0 { on / all } else { 0.0 }
}
