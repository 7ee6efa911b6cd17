//! Positive and negative map density (Jalwana et al., CVPR 2021), the numbers of the paper's Table
//! 5: see docs/protocol.md#density.
//!
//! How much of the class's probability survives for how much of the map: `D⁺ = f(x·M) / mean(M)` where the image is dimmed to what the map marks, and
//! `D⁻ = f(x·(1 − M)) / mean(1 − M)` where it is dimmed to the rest. No code of either was published, and the papers leave much open. The reading here:
//!
//! - `f` is the probability of the explained class; only that is of the published magnitudes. Whether the label or the predicted class was explained is
//!   unknown; here it is what the protocol's `target` says.
//! - `x` is the normalised image, as in the authors' script that draws masked images, so that a pixel of weight zero has the mean colour and isn't black.
//! - `M` is the map in [0, 1]: the saliency as it is where the method's maps are brought there anyway, smoothed where the protocol smooths them; a signed
//!   map goes there by its own minimum and maximum, so that what speaks most against the class has weight zero.
//!
//! Data set, number of images and Inception's input size are unknown, too.

use tch::Kind;
use ucag_core::postprocess::MapState;

use crate::averaging::Averaging;
use crate::metric::{Annotation, Column, Direction, Metric, Resolution, Score, ScoreInput, Subset};
use crate::{Error, Result};

/// Registry entry.
pub(crate) static POSITIVE: Metric = Metric {
    id: "positive-map-density",
    name: "Positive map density",
    summary: "probability of the class in the image times the map, over the map's mean",
    direction: Direction::Higher,
    columns: &[Column { subset: Subset::All, published: "positive_map_density" }],
    score: |case| score(case, Part::Marked),
    ..COMMON
};

/// Registry entry.
pub(crate) static NEGATIVE: Metric = Metric {
    id: "negative-map-density",
    name: "Negative map density",
    summary: "probability of the class in the image times what the map lacks to one, over the mean of that",
    direction: Direction::Lower,
    columns: &[Column { subset: Subset::All, published: "negative_map_density" }],
    score: |case| score(case, Part::Rest),
    ..COMMON
};

const COMMON: Metric = Metric {
    id: "",
    name: "",
    summary: "",
    source: "Jalwana et al., CVPR 2021",
    version: 1,
    direction: Direction::Higher,
    scale: 1.0,
    unit: "",
    frame: Resolution::NetworkInput,
    wants: Annotation::Nothing,
    averaging: Averaging::Samples,
    columns: &[],
    axes: None,
    is_scored: |_, _| true,
    score: |case| score(case, Part::Marked),
    forward_passes: |_, _, _| 1,
    endpoints: &[],
};

/// How far a saliency may be outside of [0, 1]: a blur's taps don't sum to one to the last bit.
const ROUNDING: f64 = 1e-5;

/// What of the image is left in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the map marks: `M`.
    Marked,
    /// All else: `1 − M`.
    Rest,
}

/// Scores a map; `None` for a degenerate one, which marks nothing.
///
/// # Errors
/// Where map and image don't have the same size, the map isn't finite or, not being signed, isn't in [0, 1], or the network fails.
pub fn score(case: &ScoreInput<'_>, part: Part) -> Result<Option<Score>> {
    let [height, width] = case.sides()?;
    if case.state != MapState::Ok {
        return Ok(None);
    }
    let (low, high) = (case.map.f_min()?.f_double_value(&[])?, case.map.f_max()?.f_double_value(&[])?);
    // The minimum or the maximum of a map with NaN is NaN.
    if !(low.is_finite() && high.is_finite()) {
        return Err(Error::Invalid(
            "the map holds values that are not finite, though its state says it is fine".into(),
        ));
    }
    let map = case.map.f_to_kind(Kind::Double)?;
    let map = match case.signed {
        true if low == high => return Ok(None),
        true => map.f_sub_scalar(low)?.f_div_scalar(high - low)?,
        false if low < -ROUNDING || high > 1.0 + ROUNDING => {
            let problem = format!("map density needs a map in [0, 1]; this one has values from {low} to {high}");
            return Err(Error::Invalid(problem));
        }
        false => map,
    };
    let weights = match part {
        Part::Marked => map,
        Part::Rest => map.f_neg()?.f_add_scalar(1.0)?,
    };
    let mean = weights.f_mean(Kind::Double)?.f_double_value(&[])?;
    if mean <= 0.0 {
        return Ok(None);
    }
    let dimmed = case.image.f_mul(&weights.f_to_kind(case.image.kind())?.f_view([1, 1, height, width])?)?;
    let probability = case.ask(&dimmed)?.f_double_value(&[0, case.class as i64])?;
    Ok(Some(Score::of(probability / mean)))
}
