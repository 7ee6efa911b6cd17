//! The energy pointing game (Wang et al., CVPR Workshops 2020), as the UCAG authors' code plays it:
//! see docs/protocol.md#energy-pointing-game.
//!
//! The part of the map's sum that lies on the class, in the photo as it is in the data set.

use tch::Tensor;

use crate::Result;
use crate::averaging::Averaging;
use crate::input::{Mask, values};
use crate::metric::{Annotation, Column, Direction, Entry, Metric, Resolution, Score, ScoreInput, Subset};
use crate::protocol::EmptyPairs;

/// Registry entry.
pub(crate) static ENERGY: Metric = Metric::new(Entry {
    id: "energy",
    name: "Energy pointing game",
    summary: "share of the map's sum that lies on the class's mask",
    source: "Wang et al., CVPR Workshops 2020",
    direction: Direction::Higher,
    averaging: Averaging::ClassesAsReleased,
    score,
})
.percent()
.resolution(Resolution::Original)
.annotation(Annotation::Region)
.columns(&[
    Column { subset: Subset::All, published: "energy_pointing_all_pct" },
    Column { subset: Subset::Difficult, published: "energy_pointing_difficult_pct" },
])
.is_scored(|region, empty| empty == EmptyPairs::Released || region.is_none_or(|region| !region.all_difficult));

/// Energy: the sum of the map on the mask over its whole sum, in [0, 1]; zero for a map without
/// energy. Higher is better. The game is for maps that aren't negative: a negative value of a
/// signed map is evidence against the class and counts as zero.
///
/// `map` is `[H, W]`, finite, of the mask's size.
///
/// ```
/// use metrics::{Mask, energy};
/// use tch::Tensor;
///
/// let map = Tensor::from_slice(&[3f32, 1.0, 0.0, 4.0]).view([2, 2]);
/// let mask = Mask { pixels: &[true, true, false, false], width: 2 };
/// assert_eq!(energy(&map, &mask)?, 0.5);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`crate::Error::Invalid`] where the map has another size than the mask, or isn't finite.
pub fn energy(map: &Tensor, mask: &Mask<'_>) -> Result<f64> {
    let (mut on, mut all) = (0.0, 0.0);
    for (value, &inside) in values(map, mask)?.into_iter().zip(mask.pixels) {
        let value = value.max(0.0);
        all += value;
        if inside {
            on += value;
        }
    }
    Ok(if all > 0.0 { on / all } else { 0.0 })
}

/// Scores a map. A pair whose objects are all flagged as difficult has no energy under
/// `EmptyPairs::Released` and isn't part of the game under `EmptyPairs::Pairs`.
///
/// # Errors
/// As [`energy`], and where there is no region.
pub fn score(input: &ScoreInput<'_>) -> Result<Option<Score>> {
    let region = input.region()?;
    let energy = energy(input.map, &region.mask)?;
    Ok(match (region.all_difficult, input.empty_pairs) {
        (true, EmptyPairs::Pairs) => None,
        (true, EmptyPairs::Released) => Some(Score::of(0.0)),
        (false, _) => Some(Score::of(energy)),
    })
}
