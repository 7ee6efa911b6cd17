//! Deletion and insertion (Petsiuk et al., BMVC 2018), as the UCAG authors' code has them and as
//! RISE's has them: see docs/protocol.md#deletion-insertion.
//!
//! Pixels are taken in order of falling saliency, `step` at a time. Deletion replaces them by a
//! constant; insertion starts from a blurred image and puts the image's own back. The class's
//! probability before every step and after the last makes a curve `s_0 … s_n`, whose normalised
//! area is the score: `(Σ s_i − s_0/2 − s_n/2) / n`.

use tch::{Kind, Tensor};

use crate::averaging::Averaging;
use crate::blur::Blur;
use crate::endpoints::{Classified, Endpoint};
use crate::input::{Classifier, classify, image_size, not_finite};
use crate::metric::{Column, Direction, Entry, Metric, Score, ScoreInput, Subset};
use crate::protocol::TieOrder;
use crate::{Error, Result};

const SOURCE: &str = "Petsiuk et al., BMVC 2018";

/// Registry entry.
pub(crate) static DELETION: Metric = deletion_metric(
    "deletion",
    "Deletion",
    "area under the class's probability as the most salient pixels are deleted",
    |input| score(input, Perturbation::Deletion, ScoredClass::Given).map(Some),
)
.columns(&[Column { subset: Subset::All, published: "deletion_auc_pct" }]);

/// Registry entry.
pub(crate) static INSERTION: Metric = insertion_metric(
    "insertion",
    "Insertion",
    "area under the class's probability as the most salient pixels are put back into the image blurred by 51 × 51 taps, σ 50",
    |input| score(input, Perturbation::Insertion(Blur::Authors), ScoredClass::Given).map(Some),
)
.columns(&[Column { subset: Subset::All, published: "insertion_auc_pct" }])
.asks(Perturbation::Insertion(Blur::Authors).endpoints(), images_between);

/// Registry entry.
pub(crate) static DELETION_RISE: Metric = deletion_metric(
    "deletion-rise",
    "Deletion (RISE)",
    "deletion as RISE's own code has it: the predicted class is scored",
    |input| score(input, Perturbation::Deletion, ScoredClass::Predicted).map(Some),
);

/// Registry entry.
pub(crate) static INSERTION_RISE: Metric = insertion_metric(
    "insertion-rise",
    "Insertion (RISE)",
    "insertion as RISE's own code has it: the predicted class is scored, from an image blurred by 11 × 11 taps, σ 5, zeros beyond the border",
    |input| score(input, Perturbation::Insertion(Blur::Rise), ScoredClass::Predicted).map(Some),
)
.asks(Perturbation::Insertion(Blur::Rise).endpoints(), images_between);

type ScoreFn = fn(&ScoreInput<'_>) -> Result<Option<Score>>;

const fn deletion_metric(id: &'static str, name: &'static str, summary: &'static str, score: ScoreFn) -> Metric {
    let averaging = Averaging::Samples;
    Metric::new(Entry { id, name, summary, source: SOURCE, direction: Direction::Lower, averaging, score })
        .percent()
        .axes(["fraction of pixels deleted", "probability of the class"])
        .asks(Perturbation::Deletion.endpoints(), images_between)
}

const fn insertion_metric(id: &'static str, name: &'static str, summary: &'static str, score: ScoreFn) -> Metric {
    let averaging = Averaging::Samples;
    Metric::new(Entry { id, name, summary, source: SOURCE, direction: Direction::Higher, averaging, score })
        .percent()
        .axes(["fraction of pixels inserted", "probability of the class"])
}

/// Images of a curve between its endpoints.
fn images_between(height: usize, width: usize, step: Option<usize>) -> usize {
    steps(height * width, step_size(height, width, step)) - 1
}

/// Options of [`deletion`]. The default is the UCAG authors' code.
#[derive(Debug, Clone, PartialEq)]
pub struct DeletionOptions {
    /// Value of a deleted pixel, normalised: one for each channel, or one for all. 0 is the data
    /// set's mean colour.
    pub deleted: Vec<f32>,
    /// Pixels deleted per step; `None` for `8 √(H W)`.
    pub step: Option<usize>,
    /// Order of pixels of equal saliency.
    pub tie_order: TieOrder,
    /// Most images in one call of the classifier.
    pub batch: usize,
}

impl Default for DeletionOptions {
    fn default() -> Self {
        Self { deleted: vec![0.0], step: None, tie_order: TieOrder::LargerIndexFirst, batch: 8 }
    }
}

/// Options of [`insertion`]. The default is the UCAG authors' code.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertionOptions {
    /// Blur of the image that insertion starts from.
    pub blur: Blur,
    /// Pixels inserted per step; `None` for `8 √(H W)`.
    pub step: Option<usize>,
    /// Order of pixels of equal saliency.
    pub tie_order: TieOrder,
    /// Most images in one call of the classifier.
    pub batch: usize,
}

impl Default for InsertionOptions {
    fn default() -> Self {
        Self { blur: Blur::Authors, step: None, tie_order: TieOrder::LargerIndexFirst, batch: 8 }
    }
}

/// A curve and its normalised area.
#[derive(Debug, Clone, PartialEq)]
pub struct AreaUnderCurve {
    /// The area, in [0, 1].
    pub area: f64,
    /// The class's probability after 0, 1, … steps.
    pub curve: Vec<f32>,
}

/// Deletion: the area under the class's probability while the most salient pixels are replaced by a
/// constant. Lower is better.
///
/// `map` is `[H, W]` and finite, `image` normalised, `[1, C, H, W]` with C 3 or 1.
///
/// ```
/// use metrics::{DeletionOptions, deletion};
/// use tch::{Device, Kind, Tensor};
///
/// // p of class 0 is the image's mean, so that it falls by a quarter with each deleted pixel of 1.
/// let classifier = |images: &Tensor| {
///     let p = images.flatten(1, -1).mean_dim(1, true, Kind::Float);
///     Ok(Tensor::cat(&[&p, &(1.0 - &p)], 1))
/// };
/// let image = Tensor::ones([1, 1, 2, 2], (Kind::Float, Device::Cpu));
/// let map = Tensor::from_slice(&[4f32, 3.0, 2.0, 1.0]).view([2, 2]);
/// let options = DeletionOptions { step: Some(1), ..DeletionOptions::default() };
/// let score = deletion(&map, &image, 0, &classifier, &options)?;
/// assert_eq!((score.area, score.curve), (0.5, vec![1.0, 0.75, 0.5, 0.25, 0.0]));
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] where map and image differ in size, the map isn't finite, the step is zero,
/// or the value of a deleted pixel has another number of channels; [`Error::Network`] where the
/// classifier fails.
pub fn deletion(
    map: &Tensor,
    image: &Tensor,
    class: usize,
    classifier: &Classifier<'_>,
    options: &DeletionOptions,
) -> Result<AreaUnderCurve> {
    image_size(map, image)?;
    let (channels, values) = (image.size()[1] as usize, options.deleted.len());
    if values != 1 && values != channels {
        let problem = format!("a deleted pixel has {values} values; expected 1, or {channels} as the image");
        return Err(Error::Invalid(problem));
    }
    let deleted = Tensor::f_from_slice(&options.deleted)?.f_view([1, -1, 1, 1])?;
    let deleted = deleted.f_to_device(image.device())?.f_to_kind(image.kind())?;
    let ends = [Endpoint::Image, Endpoint::Deleted].map(|end| end.of(image, &deleted));
    let schedule = Schedule { step: options.step, batch: options.batch };
    area(&order(map, options.tie_order)?, ends, class, classifier, schedule)
}

/// Insertion: the area under the class's probability while the most salient pixels are put back
/// into the blurred image. Higher is better. The arguments are those of [`deletion`].
///
/// ```
/// use metrics::{InsertionOptions, insertion};
/// use tch::{Device, Kind, Tensor};
///
/// // A grey image blurs to itself: the probability of class 0, its mean, stays the same.
/// let classifier = |images: &Tensor| {
///     let p = images.flatten(1, -1).mean_dim(1, true, Kind::Float);
///     Ok(Tensor::cat(&[&p, &(1.0 - &p)], 1))
/// };
/// let image = Tensor::full([1, 1, 32, 32], 0.25, (Kind::Float, Device::Cpu));
/// let map = Tensor::arange(1024, (Kind::Float, Device::Cpu)).view([32, 32]);
/// let score = insertion(&map, &image, 0, &classifier, &InsertionOptions::default())?;
/// assert!((score.area - 0.25).abs() < 1e-5);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// As [`deletion`], and where the image is too small to be blurred with reflected borders.
pub fn insertion(
    map: &Tensor,
    image: &Tensor,
    class: usize,
    classifier: &Classifier<'_>,
    options: &InsertionOptions,
) -> Result<AreaUnderCurve> {
    image_size(map, image)?;
    let ends = [options.blur.apply(image), Ok(image.shallow_clone())];
    let schedule = Schedule { step: options.step, batch: options.batch };
    area(&order(map, options.tie_order)?, ends, class, classifier, schedule)
}

/// Flat pixel indices in order of falling saliency, `[H·W]`: a stable sort, so that equal pixels
/// come in the order that `ties` says.
///
/// # Errors
/// [`Error::Invalid`] where the map isn't finite.
pub fn order(map: &Tensor, ties: TieOrder) -> Result<Tensor> {
    if map.f_isfinite()?.f_all()?.f_int64_value(&[])? == 0 {
        return Err(not_finite());
    }
    let flat = map.f_flatten(0, -1)?;
    Ok(match ties {
        TieOrder::LargerIndexFirst => flat.f_sort_stable(true, 0, false)?.1.f_flip([0i64])?,
        TieOrder::SmallerIndexFirst => flat.f_sort_stable(true, 0, true)?.1,
    })
}

/// Pixels per step and images per call of the classifier.
#[derive(Clone, Copy)]
struct Schedule {
    step: Option<usize>,
    batch: usize,
}

fn area(
    order: &Tensor,
    [from, to]: [Result<Tensor>; 2],
    class: usize,
    classifier: &Classifier<'_>,
    schedule: Schedule,
) -> Result<AreaUnderCurve> {
    let classified = |image: Tensor| -> Result<Classified> {
        Ok(Classified { probabilities: classify(classifier, &image, class)?, image })
    };
    let (from, to) = (classified(from?)?, classified(to?)?);
    let curve = probabilities(order, [&from, &to], class, classifier, schedule)?;
    Ok(AreaUnderCurve { area: auc(&curve), curve })
}

/// The class's probabilities after 0, 1, … steps of moving pixels in the given order from one image
/// to the other.
fn probabilities(
    order: &Tensor,
    [from, to]: [&Classified; 2],
    class: usize,
    classifier: &Classifier<'_>,
    Schedule { step, batch }: Schedule,
) -> Result<Vec<f32>> {
    let size = from.image.size();
    let (height, width) = (size[2], size[3]);
    let pixels = (height * width) as usize;
    let step = step_size(height as usize, width as usize, step);
    if step == 0 {
        return Err(Error::Invalid("a step of 0 pixels".into()));
    }
    // A pixel has moved by step i if its rank is below i · step: no image depends on the one before
    // it.
    let rank = Tensor::f_empty([pixels as i64], (Kind::Int64, order.device()))?;
    let ranks = Tensor::f_arange(pixels as i64, (Kind::Int64, order.device()))?;
    let rank = rank.f_scatter(0, order, &ranks)?.f_view([1, 1, height, width])?;
    let of_class = |probabilities: &Tensor| -> Result<Vec<f32>> {
        Ok(Vec::try_from(&probabilities.f_select(1, class as i64)?.f_to_kind(Kind::Float)?)?)
    };
    let last = steps(pixels, step);
    let mut curve = of_class(&from.probabilities)?;
    curve.reserve(last);
    // Batches of nearly one size: a small last one would cost more than its share.
    let between = last - 1;
    let batch = between.div_ceil(between.div_ceil(batch.max(1)).max(1)).max(1);
    for first in (1..last).step_by(batch) {
        let moved: Vec<i64> = (first..last.min(first + batch)).map(|i| (i * step) as i64).collect();
        let threshold = Tensor::f_from_slice(&moved)?.f_view([-1, 1, 1, 1])?.f_to_device(rank.device())?;
        let images = to.image.f_where_self(&rank.f_lt_tensor(&threshold)?, &from.image)?;
        curve.extend(of_class(&classify(classifier, &images, class)?)?);
    }
    curve.extend(of_class(&to.probabilities)?);
    Ok(curve)
}

/// Area under a curve at equal steps over [0, 1], by the trapezoid rule. A last, shorter step
/// counts in full, as published.
pub fn auc(curve: &[f32]) -> f64 {
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return 0.0 };
    if curve.len() == 1 {
        return f64::from(*first);
    }
    let sum: f64 = curve.iter().map(|&p| f64::from(p)).sum();
    (sum - f64::from(*first) / 2.0 - f64::from(*last) / 2.0) / (curve.len() - 1) as f64
}

/// Pixels per step. The published step is eight rows of a square image; of any other, eight times
/// the side of the square of the same area.
fn step_size(height: usize, width: usize, step: Option<usize>) -> usize {
    step.unwrap_or_else(|| 8 * ((height * width) as f64).sqrt().round() as usize)
}

fn steps(pixels: usize, step: usize) -> usize {
    pixels.div_ceil(step.max(1))
}

/// A perturbation of the image along which a curve runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perturbation {
    /// From the image, pixels are deleted.
    Deletion,
    /// From the blurred image, pixels are put back.
    Insertion(Blur),
}

impl Perturbation {
    /// The first and the last image.
    const fn endpoints(self) -> &'static [Endpoint; 2] {
        match self {
            Perturbation::Deletion => &[Endpoint::Image, Endpoint::Deleted],
            Perturbation::Insertion(Blur::Authors) => &[Endpoint::Blurred(Blur::Authors), Endpoint::Image],
            Perturbation::Insertion(Blur::Rise) => &[Endpoint::Blurred(Blur::Rise), Endpoint::Image],
        }
    }
}

/// Class whose probability makes the curve.
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
/// As [`deletion`].
pub fn score(input: &ScoreInput<'_>, perturbation: Perturbation, scored: ScoredClass) -> Result<Score> {
    let order = order(input.map, input.tie_order)?;
    let curve = curve(input, &order, perturbation, scored)?;
    let value = auc(&curve);
    Ok(Score { curve: Some(curve), ..Score::of(value) })
}

/// Returns the probabilities after 0, 1, … steps of moving pixels in the given order.
///
/// # Errors
/// As [`deletion`].
pub fn curve(
    input: &ScoreInput<'_>,
    order: &Tensor,
    perturbation: Perturbation,
    scored: ScoredClass,
) -> Result<Vec<f32>> {
    image_size(input.map, input.image)?;
    let schedule = Schedule { step: input.step, batch: input.batch };
    let [from, to] = perturbation.endpoints().map(|end| input.endpoint(end));
    let (from, to) = (from?, to?);
    let class = match scored {
        ScoredClass::Given => input.class,
        ScoredClass::Predicted => {
            let predicted = input.endpoint(Endpoint::Image)?.probabilities.f_argmax(1, false)?;
            predicted.f_int64_value(&[0])? as usize
        }
    };
    probabilities(order, [&*from, &*to], class, input.classifier, schedule)
}
