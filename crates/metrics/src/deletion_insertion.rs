//! Deletion and insertion (Petsiuk et al., BMVC 2018), as the UCAG authors' code has them and as
//! RISE's has them: see docs/protocol.md#deletion-insertion.
//!
//! Pixels are taken in order of falling saliency, `step` at a time. Deletion replaces them by a constant; insertion starts from a blurred image and puts
//! the image's own back. The class's probability before every step and after the last makes a curve, whose normalised area is the score.

use crate::protocol::TieOrder;
use tch::{Kind, Tensor};

use crate::averaging::Averaging;
use crate::metric::{Annotation, Column, Direction, Metric, Resolution, Score, ScoreInput, Subset};
use crate::{Endpoint, Error, Result};

/// Registry entry.
pub(crate) static DELETION: Metric = Metric {
    id: "deletion",
    name: "Deletion",
    summary: "area under the class's probability as the most salient pixels are deleted",
    direction: Direction::Lower,
    columns: &[Column { subset: Subset::All, published: "deletion_auc_pct" }],
    axes: Some(["fraction of pixels deleted", "probability of the class"]),
    score: |case| score(case, Curve::Image, ScoredClass::Given).map(Some),
    ..COMMON
};

/// Registry entry.
pub(crate) static INSERTION: Metric = Metric {
    id: "insertion",
    name: "Insertion",
    summary: "area under the class's probability as the most salient pixels are put back into the image blurred by 51 × 51 taps, σ 50",
    direction: Direction::Higher,
    columns: &[Column { subset: Subset::All, published: "insertion_auc_pct" }],
    axes: Some(["fraction of pixels inserted", "probability of the class"]),
    score: |case| score(case, Curve::Blurred, ScoredClass::Given).map(Some),
    endpoints: &Curve::Blurred.endpoints(),
    ..COMMON
};

/// Registry entry.
pub(crate) static DELETION_RISE: Metric = Metric {
    id: "deletion-rise",
    name: "Deletion (RISE)",
    summary: "deletion as RISE's own code has it: the predicted class is scored",
    score: |case| score(case, Curve::Image, ScoredClass::Predicted).map(Some),
    ..COMMON
};

/// Registry entry.
pub(crate) static INSERTION_RISE: Metric = Metric {
    id: "insertion-rise",
    name: "Insertion (RISE)",
    summary: "insertion as RISE's own code has it: the predicted class is scored, from an image blurred by 11 × 11 taps, σ 5, zeros beyond the border",
    score: |case| score(case, Curve::BlurredAsRise, ScoredClass::Predicted).map(Some),
    endpoints: &Curve::BlurredAsRise.endpoints(),
    direction: Direction::Higher,
    axes: Some(["fraction of pixels inserted", "probability of the class"]),
    ..COMMON
};

const COMMON: Metric = Metric {
    id: "",
    name: "",
    summary: "",
    source: "Petsiuk et al., BMVC 2018",
    version: 1,
    direction: Direction::Lower,
    scale: 100.0,
    unit: "%",
    frame: Resolution::NetworkInput,
    wants: Annotation::Nothing,
    averaging: Averaging::Samples,
    columns: &[Column { subset: Subset::All, published: "" }],
    axes: Some(["fraction of pixels deleted", "probability of the class"]),
    is_scored: |_, _| true,
    score: |case| score(case, Curve::Image, ScoredClass::Given).map(Some),
    forward_passes: |height, width, step| steps(height * width, step_size(height, width, step)) - 1,
    endpoints: &Curve::Image.endpoints(),
};

/// What the curve starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// The image, from which pixels are deleted.
    Image,
    /// The image under 51 × 51 Gaussian taps, σ 50, reflected borders; pixels are inserted.
    Blurred,
    /// The image under RISE's 11 × 11 taps, zeros beyond the border; pixels are inserted.
    BlurredAsRise,
}

impl Curve {
    /// Where the curve starts, and where it ends.
    const fn endpoints(self) -> [Endpoint; 2] {
        match self {
            Curve::Image => [Endpoint::Image, Endpoint::Deleted],
            Curve::Blurred => [Endpoint::Blurred, Endpoint::Image],
            Curve::BlurredAsRise => [Endpoint::BlurredAsRise, Endpoint::Image],
        }
    }
}

/// Whose probability makes the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoredClass {
    /// The class that the map explains.
    Given,
    /// The class that the network predicts for the whole image.
    Predicted,
}

/// Scores a map: the curve and its normalised area.
///
/// # Errors
/// Where map and image don't have the same size, the map isn't finite, the step is zero, or the network fails.
pub fn score(case: &ScoreInput<'_>, start: Curve, scored: ScoredClass) -> Result<Score> {
    let order = order(case.map, case.ties)?;
    let curve = curve(case, &order, start, scored)?;
    let value = auc(&curve);
    Ok(Score { curve: Some(curve), ..Score::of(value) })
}

/// Flat pixel indices in order of falling saliency, `[H·W]`: a stable sort, so that equal pixels come in the order that `ties` says.
///
/// # Errors
/// Where the map isn't finite.
pub fn order(map: &Tensor, ties: TieOrder) -> Result<Tensor> {
    if map.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
        return Err(Error::Invalid(
            "the map holds values that are not finite; degenerate maps are to be scored as zeros".into(),
        ));
    }
    let flat = map.f_flatten(0, -1)?;
    Ok(match ties {
        TieOrder::LargerIndexFirst => flat.f_sort_stable(true, 0, false)?.1.f_flip([0i64])?,
        TieOrder::SmallerIndexFirst => flat.f_sort_stable(true, 0, true)?.1,
    })
}

/// Probabilities after 0, 1, … steps of moving pixels in the given order.
///
/// # Errors
/// As [`score`].
pub fn curve(case: &ScoreInput<'_>, order: &Tensor, start: Curve, scored: ScoredClass) -> Result<Vec<f32>> {
    let [height, width] = case.sides()?;
    let pixels = (height * width) as usize;
    let step = step_size(height as usize, width as usize, case.step);
    if step == 0 {
        return Err(Error::Invalid("a step of 0 pixels".into()));
    }
    let [from, to] = start.endpoints().map(|end| case.endpoint(end));
    let (from, to) = (from?, to?);
    // A pixel has moved by step i if its rank is below i · step: no image depends on the one before it.
    let rank = Tensor::f_empty([pixels as i64], (Kind::Int64, order.device()))?;
    let ranks = Tensor::f_arange(pixels as i64, (Kind::Int64, order.device()))?;
    let rank = rank.f_scatter(0, order, &ranks)?.f_view([1, 1, height, width])?;
    let class = match scored {
        ScoredClass::Given => case.class as i64,
        ScoredClass::Predicted => {
            case.endpoint(Endpoint::Image)?.probabilities.f_argmax(1, false)?.f_int64_value(&[0])?
        }
    };
    let of_class = |probabilities: &Tensor| -> Result<Vec<f32>> {
        Ok(Vec::try_from(&probabilities.f_select(1, class)?.f_to_kind(Kind::Float)?)?)
    };
    let last = steps(pixels, step);
    let mut curve = of_class(&from.probabilities)?;
    curve.reserve(last);
    // Batches of nearly one size: a small last one would cost more than its share.
    let between = last - 1;
    let batch = between.div_ceil(between.div_ceil(case.batch.max(1)).max(1)).max(1);
    for first in (1..last).step_by(batch) {
        let moved: Vec<i64> = (first..last.min(first + batch)).map(|i| (i * step) as i64).collect();
        let threshold = Tensor::f_from_slice(&moved)?.f_view([-1, 1, 1, 1])?.f_to_device(rank.device())?;
        let images = to.image.f_where_self(&rank.f_lt_tensor(&threshold)?, &from.image)?;
        curve.extend(of_class(&case.ask(&images)?)?);
    }
    curve.extend(of_class(&to.probabilities)?);
    Ok(curve)
}

/// Area under a curve at equal steps over [0, 1], by the trapezoid rule. A last, shorter step counts in full, as published.
pub fn auc(curve: &[f32]) -> f64 {
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return 0.0 };
    if curve.len() == 1 {
        return f64::from(*first);
    }
    let sum: f64 = curve.iter().map(|&p| f64::from(p)).sum();
    (sum - f64::from(*first) / 2.0 - f64::from(*last) / 2.0) / (curve.len() - 1) as f64
}

/// The published step is eight rows of a square image; of any other, eight times the side of the square of the same area.
fn step_size(height: usize, width: usize, step: Option<usize>) -> usize {
    step.unwrap_or_else(|| 8 * ((height * width) as f64).sqrt().round() as usize)
}

fn steps(pixels: usize, step: usize) -> usize {
    pixels.div_ceil(step.max(1))
}

/// One axis of RISE's blur kernel: SciPy's Gaussian filter (σ 5, cut at 4σ) of a unit impulse in the middle of 11 samples, whose border
/// mode mirrors the impulse at both ends. It is wider in the tails than a plain Gaussian of 11 taps.
pub fn rise_kernel() -> Tensor {
    const TAPS: i64 = 11;
    const REACH: i64 = 20;
    let gaussian = |d: i64| if d.abs() <= REACH { (-((d * d) as f64) / 50.0).exp() } else { 0.0 };
    let total: f64 = (-REACH..=REACH).map(gaussian).sum();
    let middle = TAPS / 2;
    let images = (-2..=2).flat_map(|turn| [2 * TAPS * turn + middle, 2 * TAPS * turn - 1 - middle]);
    let images: Vec<i64> = images.collect();
    let tap = |i: i64| (images.iter().map(|image| gaussian(i - image)).sum::<f64>() / total) as f32;
    Tensor::from_slice(&(0..TAPS).map(tap).collect::<Vec<f32>>())
}
