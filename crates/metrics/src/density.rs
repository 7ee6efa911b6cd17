//! Positive and negative map density (Jalwana et al., CVPR 2021), the numbers of the paper's Table
//! 5: see docs/protocol.md#density.
//!
//! The class's probability that survives, over the part of the map that it survives on: `D⁺ =
//! f(x·M) / mean(M)` where the image is dimmed by the map, and `D⁻ = f(x·(1 − M)) / mean(1 − M)`
//! where it is dimmed by the rest. No code of either was published, and the papers leave much open.
//! The reading here:
//!
//! - `f` is the probability of the explained class; only that has the published magnitudes. The
//!   papers don't say if the label or the predicted class was explained; here the protocol's
//!   `target` does.
//! - `x` is the normalised image, as in the authors' script that draws masked images, so that a
//!   pixel of weight zero has the mean colour and isn't black.
//! - `M` is the map in [0, 1]: the saliency as it is where the method's maps are in [0, 1] anyway,
//!   smoothed where the protocol smooths them. A signed map is scaled by its own minimum and
//!   maximum, so that the strongest evidence against the class has weight zero.
//!
//! Data set, number of images and Inception's input size are unknown, too.

use tch::{Kind, Tensor};

use crate::averaging::Averaging;
use crate::input::{Classifier, Validity, classify, image_size};
use crate::metric::{Column, Direction, Entry, Metric, Score, ScoreInput, Subset};
use crate::{Error, Result};

const SOURCE: &str = "Jalwana et al., CVPR 2021";

/// Registry entry.
pub(crate) static POSITIVE: Metric = Metric::new(Entry {
    id: "positive-map-density",
    name: "Positive map density",
    summary: "probability of the class in the image times the map, over the map's mean",
    source: SOURCE,
    direction: Direction::Higher,
    averaging: Averaging::Samples,
    score: |input| score(input, Part::Marked),
})
.columns(&[Column { subset: Subset::All, published: "positive_map_density" }])
.asks(&[], |_, _, _| 1);

/// Registry entry.
pub(crate) static NEGATIVE: Metric = Metric::new(Entry {
    id: "negative-map-density",
    name: "Negative map density",
    summary: "probability of the class in the image times what the map lacks to one, over the mean of that",
    source: SOURCE,
    direction: Direction::Lower,
    averaging: Averaging::Samples,
    score: |input| score(input, Part::Rest),
})
.columns(&[Column { subset: Subset::All, published: "negative_map_density" }])
.asks(&[], |_, _, _| 1);

/// Largest excess of a saliency over [0, 1]: a blur's taps don't sum to one to the last bit.
const ROUNDING: f64 = 1e-5;

/// Part of the image that is left in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The part that the map marks: `M`.
    Marked,
    /// The rest: `1 − M`.
    Rest,
}

/// Map density: the class's probability in the image dimmed to a part, over the mean of that part's
/// weights. `None` where that mean is zero. For [`Part::Marked`] higher is better, for
/// [`Part::Rest`] lower.
///
/// `map` is `[H, W]` in [0, 1], `image` normalised, `[1, C, H, W]` with C 3 or 1.
///
/// ```
/// use metrics::density::{Part, map_density};
/// use tch::{Device, Kind, Tensor};
///
/// // p of class 0 is the image's mean: 1/4 where one pixel of four is left, 3/4 for the others.
/// let classifier = |images: &Tensor| {
///     let p = images.flatten(1, -1).mean_dim(1, true, Kind::Float);
///     Ok(Tensor::cat(&[&p, &(1.0 - &p)], 1))
/// };
/// let image = Tensor::ones([1, 1, 2, 2], (Kind::Float, Device::Cpu));
/// let map = Tensor::from_slice(&[1f32, 0.0, 0.0, 0.0]).view([2, 2]);
/// assert_eq!(map_density(&map, &image, 0, &classifier, Part::Marked)?, Some(0.25 / 0.25));
/// assert_eq!(map_density(&map, &image, 0, &classifier, Part::Rest)?, Some(0.75 / 0.75));
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] where map and image differ in size, or the map isn't in [0, 1];
/// [`Error::Network`] where the classifier fails.
pub fn map_density(
    map: &Tensor,
    image: &Tensor,
    class: usize,
    classifier: &Classifier<'_>,
    part: Part,
) -> Result<Option<f64>> {
    let [height, width] = image_size(map, image)?;
    let (low, high) = range(map)?;
    if low < -ROUNDING || high > 1.0 + ROUNDING {
        let problem = format!("map density needs a map in [0, 1]; this one has values from {low} to {high}");
        return Err(Error::Invalid(problem));
    }
    let map = map.f_to_kind(Kind::Double)?;
    let weights = match part {
        Part::Marked => map,
        Part::Rest => map.f_neg()?.f_add_scalar(1.0)?,
    };
    let mean = weights.f_mean(Kind::Double)?.f_double_value(&[])?;
    if mean <= 0.0 {
        return Ok(None);
    }
    let dimmed = image.f_mul(&weights.f_to_kind(image.kind())?.f_view([1, 1, height, width])?)?;
    let probability = classify(classifier, &dimmed, class)?.f_double_value(&[0, class as i64])?;
    Ok(Some(probability / mean))
}

/// Least and largest value of a map.
fn range(map: &Tensor) -> Result<(f64, f64)> {
    let (low, high) = (map.f_min()?.f_double_value(&[])?, map.f_max()?.f_double_value(&[])?);
    // The minimum or the maximum of a map with NaN is NaN.
    if !(low.is_finite() && high.is_finite()) {
        let problem = "the map holds values that are not finite, though its state says it is fine";
        return Err(Error::Invalid(problem.into()));
    }
    Ok((low, high))
}

/// Scores a map; `None` for a degenerate one, which marks nothing. A signed map is scaled to [0,
/// 1].
///
/// # Errors
/// As [`map_density`].
pub fn score(input: &ScoreInput<'_>, part: Part) -> Result<Option<Score>> {
    image_size(input.map, input.image)?;
    if input.validity != Validity::Valid {
        return Ok(None);
    }
    let map = if input.signed {
        let (low, high) = range(input.map)?;
        if low == high {
            return Ok(None);
        }
        input.map.f_to_kind(Kind::Double)?.f_sub_scalar(low)?.f_div_scalar(high - low)?
    } else {
        input.map.shallow_clone()
    };
    let density = map_density(&map, input.image, input.class, input.classifier, part)?;
    Ok(density.map(Score::of))
}
