//! Segmentation of ImageNet's objects by a map (Gur et al., AAAI 2021), as the authors of AGF
//! evaluate it: see docs/protocol.md#segmentation.
//!
//! A threshold makes a map into object and background. Pixel accuracy and mean IoU are quotients of
//! counts that are summed over all images. Average precision is an image's own: of two channels,
//! background and object, each pixel's place in the one or the other being the one to rank first.
//! Table 4's is of the thresholded map and not of its values, so that it says no more than an
//! image's accuracy a does: it is a² + (1 − a)/2.

use tch::Tensor;

use crate::averaging::{Averaging, ratio};
use crate::input::{Object, Validity, values};
use crate::metric::{Annotation, Column, Direction, Entry, Metric, Score, ScoreInput, Subset};
use crate::{Error, Result};

/// Registry entry.
pub(crate) static MAP: Metric = entry(
    "map",
    "mAP",
    "mean over images of the average precision of object and background, from the map above zero and not from its values",
    Averaging::Samples,
    |input| precision(input, Threshold::Zero),
)
.columns(&[Column { subset: Subset::All, published: "mAP" }]);

/// Registry entry.
pub(crate) static PIXEL_ACCURACY: Metric = entry(
    "pixel-accuracy",
    "Pixel accuracy",
    "share of pixels that are object and where the map is above zero, or background and where it isn't",
    Averaging::Ratios,
    |input| accuracy(input, Threshold::Zero),
)
.columns(&[Column { subset: Subset::All, published: "pixel_acc" }]);

/// Registry entry.
pub(crate) static MEAN_IOU: Metric = entry(
    "mean-iou",
    "Mean IoU",
    "intersection over union of the map above zero and the object, and of the rest and the background, averaged",
    Averaging::Ratios,
    |input| iou(input, Threshold::Zero),
);

/// Registry entry.
pub(crate) static MAP_MEAN: Metric = entry(
    "map-mean",
    "mAP (above mean)",
    "mAP of the map above its mean, as that evaluation has it for transformers",
    Averaging::Samples,
    |input| precision(input, Threshold::Mean),
);

/// Registry entry.
pub(crate) static PIXEL_ACCURACY_MEAN: Metric = entry(
    "pixel-accuracy-mean",
    "Pixel accuracy (above mean)",
    "pixel accuracy of the map above its mean, as that evaluation has it for transformers",
    Averaging::Ratios,
    |input| accuracy(input, Threshold::Mean),
);

/// Registry entry.
pub(crate) static MEAN_IOU_MEAN: Metric = entry(
    "mean-iou-mean",
    "Mean IoU (above mean)",
    "mean IoU of the map above its mean, as that evaluation has it for transformers",
    Averaging::Ratios,
    |input| iou(input, Threshold::Mean),
);

/// Registry entry.
pub(crate) static SOFT_AP: Metric = Metric::new(Entry {
    id: "soft-ap",
    name: "Soft AP",
    summary: "mean over images of the average precision of object and background, from the map's values m brought to [0, 1] and from 1 − m",
    source: "Chefer et al., CVPR 2021",
    direction: Direction::Higher,
    averaging: Averaging::Samples,
    score: |input| {
        let (map, labels) = map_and_labels(input)?;
        Ok(Some(Score::of(channels_precision(&soft(&map), &labels)?)))
    },
})
.annotation(Annotation::Object);

const fn entry(
    id: &'static str,
    name: &'static str,
    summary: &'static str,
    averaging: Averaging,
    score: fn(&ScoreInput<'_>) -> Result<Option<Score>>,
) -> Metric {
    let source = "Gur et al., AAAI 2021";
    Metric::new(Entry { id, name, summary, source, direction: Direction::Higher, averaging, score })
        .annotation(Annotation::Object)
}

/// Mean IoU of one image: intersection over union of the thresholded map and the object, and of the
/// rest and the background, averaged. Higher is better.
///
/// `map` is `[H, W]`, finite, of the object's size.
///
/// ```
/// use metrics::segmentation::{Threshold, average_precision_of_map, mean_iou, pixel_accuracy};
/// use metrics::{Mask, Object};
/// use tch::Tensor;
///
/// // One of two object pixels is found, and both of the background.
/// let map = Tensor::from_slice(&[1f32, -1.0, -1.0, -1.0]).view([2, 2]);
/// let mask = Mask { pixels: &[true, true, false, false], width: 2 };
/// let object = Object { mask, void: None };
/// assert_eq!(mean_iou(&map, &object, Threshold::Zero)?, (1.0 / 2.0 + 2.0 / 3.0) / 2.0);
/// let accuracy = pixel_accuracy(&map, &object, Threshold::Zero)?;
/// assert_eq!(accuracy, 0.75);
/// let precision = average_precision_of_map(&map, &object, Threshold::Zero)?;
/// assert_eq!(precision, accuracy * accuracy + (1.0 - accuracy) / 2.0);
/// # Ok::<(), metrics::Error>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] where the map has another size than the object, or isn't finite.
pub fn mean_iou(map: &Tensor, object: &Object<'_>, threshold: Threshold) -> Result<f64> {
    Ok(mean_ratio(&confusion(map, object, threshold)?.overlaps()))
}

/// Pixel accuracy of one image: the part of the labelled pixels that the thresholded map has right.
/// Higher is better. The arguments, and an example, are those of [`mean_iou`].
///
/// # Errors
/// As [`mean_iou`].
pub fn pixel_accuracy(map: &Tensor, object: &Object<'_>, threshold: Threshold) -> Result<f64> {
    Ok(mean_ratio(&[confusion(map, object, threshold)?.accuracy()]))
}

/// Average precision of one image, from the thresholded map: mAP is its mean over images. Higher is
/// better. The arguments, and an example, are those of [`mean_iou`].
///
/// # Errors
/// As [`mean_iou`].
pub fn average_precision_of_map(map: &Tensor, object: &Object<'_>, threshold: Threshold) -> Result<f64> {
    let map = as_floats(values(map, &object.mask)?);
    channels_precision(&hard(&map, threshold), &labels(object)?)
}

fn confusion(map: &Tensor, object: &Object<'_>, threshold: Threshold) -> Result<Confusion> {
    let map = as_floats(values(map, &object.mask)?);
    Ok(Confusion::of(&hard(&map, threshold), &labels(object)?))
}

fn as_floats(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}

/// Label of a pixel: object or not, or nothing that counts.
pub type Label = Option<bool>;

/// Value above which a pixel is taken for the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// Zero, of the map as it is: convolutional networks.
    Zero,
    /// The mean, of the map brought to [0, 1]: transformers.
    Mean,
}

/// Scores of a pixel in the two channels, background and object. Both are zero where the map isn't
/// finite.
pub type Channels = [f32; 2];

/// Thresholds a map: each pixel is in the one channel or in the other; one that isn't a number is
/// in none.
pub fn hard(map: &[f32], threshold: Threshold) -> Vec<Channels> {
    let one = |value: f32, bound: f32| [f32::from(value <= bound), f32::from(value > bound)];
    match threshold {
        Threshold::Zero => map.iter().map(|&value| one(value, 0.0)).collect(),
        Threshold::Mean => {
            let unit = unit(map);
            let mean = unit.iter().map(|&value| f64::from(value)).sum::<f64>() / unit.len().max(1) as f64;
            unit.iter().map(|&value| one(value, mean as f32)).collect()
        }
    }
}

/// The map's values brought to [0, 1], m, as scores 1 − m and m; a map of one value has neither.
pub fn soft(map: &[f32]) -> Vec<Channels> {
    let scores = |m: f32| if m.is_nan() { [0.0; 2] } else { [1.0 - m, m] };
    unit(map).into_iter().map(scores).collect()
}

/// The map brought to [0, 1]; not a number anywhere if it has one value only or isn't finite.
fn unit(map: &[f32]) -> Vec<f32> {
    let (low, high) = map.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    // A minimum passes over what isn't a number; the reference's doesn't.
    let span = if map.iter().all(|value| value.is_finite()) { high - low } else { f32::NAN };
    map.iter().map(|&value| (value - low) / span).collect()
}

/// Pixels of each label that were taken for each: `[label][taken for]`, background first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion(pub [[u64; 2]; 2]);

impl Confusion {
    /// Counts the labelled pixels. A pixel is taken for the channel in which it scores more, and
    /// for background where it scores the same.
    pub fn of(channels: &[Channels], labels: &[Label]) -> Self {
        let mut counts = [[0; 2]; 2];
        for ([background, object], label) in channels.iter().zip(labels) {
            if let Some(label) = label {
                counts[usize::from(*label)][usize::from(object > background)] += 1;
            }
        }
        Self(counts)
    }

    /// Correct and labelled pixels.
    pub fn accuracy(&self) -> [u64; 2] {
        let Self(counts) = self;
        [counts[0][0] + counts[1][1], counts.iter().flatten().sum()]
    }

    /// Intersection and union, of background and of object.
    pub fn overlaps(&self) -> [[u64; 2]; 2] {
        let Self(counts) = self;
        let wrong = counts[0][1] + counts[1][0];
        [0, 1].map(|class| [counts[class][class], counts[class][class] + wrong])
    }
}

/// Average precision of scores, of which the positive ones should rank first: `Σ (R_n − R_{n−1})
/// P_n` over falling thresholds, without interpolation. Equal scores pass a threshold together.
/// Zero where nothing is positive. As scikit-learn's `average_precision_score`.
///
/// # Errors
/// Where there is not a score for each, or one isn't a number.
pub fn average_precision(scores: &[f32], positive: &[bool]) -> Result<f64> {
    if scores.len() != positive.len() {
        return Err(Error::Invalid(format!("{} scores for {} pixels", scores.len(), positive.len())));
    }
    if scores.iter().any(|score| score.is_nan()) {
        return Err(Error::Invalid("a score isn't a number".into()));
    }
    let mut ranked: Vec<(f32, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
    ranked.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
    let all = positive.iter().filter(|&&positive| positive).count() as f64;
    let (mut seen, mut found, mut sum) = (0.0, 0.0, 0.0);
    for tied in ranked.chunk_by(|(a, _), (b, _)| a == b) {
        let more = tied.iter().filter(|(_, positive)| *positive).count() as f64;
        seen += tied.len() as f64;
        found += more;
        sum += more * found / seen;
    }
    Ok(ratio([sum, all]))
}

/// Average precision of the two channels of all labelled pixels together, where a pixel's own
/// channel should rank first.
///
/// # Errors
/// As [`average_precision`].
pub fn channels_precision(channels: &[Channels], labels: &[Label]) -> Result<f64> {
    let labelled = || channels.iter().zip(labels).filter_map(|(channels, label)| Some((channels, (*label)?)));
    let scores: Vec<f32> = labelled().flat_map(|(channels, _)| *channels).collect();
    let positive: Vec<bool> = labelled().flat_map(|(_, object)| [!object, object]).collect();
    average_precision(&scores, &positive)
}

/// The labels of an object's pixels.
fn labels(object: &Object<'_>) -> Result<Vec<Label>> {
    let pixels = object.mask.pixels.iter().copied();
    match object.void {
        None => Ok(pixels.map(Some).collect()),
        Some(void) if void.len() == pixels.len() => {
            Ok(pixels.zip(void).map(|(object, void)| (!void).then_some(object)).collect())
        }
        Some(void) => {
            let problem = format!("a mask of {} pixels with {} that are void or not", pixels.len(), void.len());
            Err(Error::Invalid(problem))
        }
    }
}

/// The map and its pixels' labels. A map with values that weren't finite is in neither channel
/// anywhere, as in that evaluation; other degenerate maps are zero.
fn map_and_labels(input: &ScoreInput<'_>) -> Result<(Vec<f32>, Vec<Label>)> {
    let object = input.object()?;
    let mut map = as_floats(values(input.map, &object.mask)?);
    if input.validity == Validity::NonFinite {
        map.fill(f32::NAN);
    }
    Ok((map, labels(&object)?))
}

fn precision(input: &ScoreInput<'_>, threshold: Threshold) -> Result<Option<Score>> {
    let (map, labels) = map_and_labels(input)?;
    Ok(Some(Score::of(channels_precision(&hard(&map, threshold), &labels)?)))
}

fn accuracy(input: &ScoreInput<'_>, threshold: Threshold) -> Result<Option<Score>> {
    let (map, labels) = map_and_labels(input)?;
    Ok(Some(pooled(&[Confusion::of(&hard(&map, threshold), &labels).accuracy()])))
}

fn iou(input: &ScoreInput<'_>, threshold: Threshold) -> Result<Option<Score>> {
    let (map, labels) = map_and_labels(input)?;
    Ok(Some(pooled(&Confusion::of(&hard(&map, threshold), &labels).overlaps())))
}

/// A score of counts; its value is their mean ratio for the one image.
fn pooled(counts: &[[u64; 2]]) -> Score {
    Score { counts: counts.to_vec(), ..Score::of(mean_ratio(counts)) }
}

fn mean_ratio(counts: &[[u64; 2]]) -> f64 {
    let sum: f64 = counts.iter().map(|pair| ratio(pair.map(|count| count as f64))).sum();
    sum / counts.len() as f64
}
