//! Segmentation of ImageNet's objects by a map (Gur et al., AAAI 2021), as the authors of AGF
//! evaluate it: see docs/protocol.md#segmentation.
//!
//! A threshold makes a map into object and background. Pixel accuracy and mean IoU are quotients of counts that are summed over all images. Average
//! precision is an image's own: of two channels, background and object, each pixel's place in the one or the other being what should rank first.
//! Table 4's is of the thresholded map and not of its values, so that it says no more than an image's accuracy a does: it is a² + (1 − a)/2.

use ucag_core::postprocess::MapState;

use crate::averaging::{Averaging, ratio};
use crate::metric::{Annotation, Column, Direction, Metric, Resolution, Score, ScoreInput, Subset};
use crate::{Error, Result};

/// Registry entry.
pub(crate) static MAP: Metric = Metric {
    id: "map",
    name: "mAP",
    summary: "mean over images of the average precision of object and background, from the map above zero and not from its values",
    averaging: Averaging::Samples,
    columns: &[Column { subset: Subset::All, published: "mAP" }],
    score: |case| precision(case, Threshold::Zero),
    ..COMMON
};

/// Registry entry.
pub(crate) static PIXEL_ACCURACY: Metric = Metric {
    id: "pixel-accuracy",
    name: "Pixel accuracy",
    summary: "share of pixels that are object and where the map is above zero, or background and where it isn't",
    columns: &[Column { subset: Subset::All, published: "pixel_acc" }],
    score: |case| accuracy(case, Threshold::Zero),
    ..COMMON
};

/// Registry entry.
pub(crate) static MEAN_IOU: Metric = Metric {
    id: "mean-iou",
    name: "Mean IoU",
    summary: "intersection over union of the map above zero and the object, and of the rest and the background, averaged",
    score: |case| iou(case, Threshold::Zero),
    ..COMMON
};

/// Registry entry.
pub(crate) static MAP_MEAN: Metric = Metric {
    id: "map-mean",
    name: "mAP (above mean)",
    summary: "mAP of the map above its mean, as that evaluation has it for transformers",
    averaging: Averaging::Samples,
    score: |case| precision(case, Threshold::Mean),
    ..COMMON
};

/// Registry entry.
pub(crate) static PIXEL_ACCURACY_MEAN: Metric = Metric {
    id: "pixel-accuracy-mean",
    name: "Pixel accuracy (above mean)",
    summary: "pixel accuracy of the map above its mean, as that evaluation has it for transformers",
    score: |case| accuracy(case, Threshold::Mean),
    ..COMMON
};

/// Registry entry.
pub(crate) static MEAN_IOU_MEAN: Metric = Metric {
    id: "mean-iou-mean",
    name: "Mean IoU (above mean)",
    summary: "mean IoU of the map above its mean, as that evaluation has it for transformers",
    score: |case| iou(case, Threshold::Mean),
    ..COMMON
};

/// Registry entry.
pub(crate) static SOFT_AP: Metric = Metric {
    id: "soft-ap",
    name: "Soft AP",
    summary: "mean over images of the average precision of object and background, from the map's values m brought to [0, 1] and from 1 − m",
    source: "Chefer et al., CVPR 2021",
    averaging: Averaging::Samples,
    score: |case| {
        let (map, labels) = image(case)?;
        Ok(Some(Score::of(channels_precision(&soft(&map), &labels)?)))
    },
    ..COMMON
};

const COMMON: Metric = Metric {
    id: "",
    name: "",
    summary: "",
    source: "Gur et al., AAAI 2021",
    version: 1,
    direction: Direction::Higher,
    scale: 1.0,
    unit: "",
    frame: Resolution::NetworkInput,
    wants: Annotation::Object,
    averaging: Averaging::Ratios,
    columns: &[Column { subset: Subset::All, published: "" }],
    axes: None,
    is_scored: |_, _| true,
    score: |case| accuracy(case, Threshold::Zero),
    forward_passes: |_, _, _| 0,
    endpoints: &[],
};

/// What a pixel is: object or not, or nothing that counts.
pub type Label = Option<bool>;

/// Above which value a pixel is taken for the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// Zero, of the map as it is: convolutional networks.
    Zero,
    /// The mean, of the map brought to [0, 1]: transformers.
    Mean,
}

/// Scores of a pixel in the two channels, background and object. Where the map isn't finite, it has neither.
pub type Channels = [f32; 2];

/// The map with a threshold, each pixel in the one channel or in the other; what isn't a number is in none.
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

/// How many pixels of each label were taken for each: `[label][taken for]`, background first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion(pub [[u64; 2]; 2]);

impl Confusion {
    /// Counts the labelled pixels. A pixel is taken for the channel in which it scores more, and for background where it scores the same.
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

/// Average precision of scores where `positive` says which should rank first: `Σ (R_n − R_{n−1}) P_n` over falling thresholds, without interpolation. Equal
/// scores pass a threshold together. Zero where nothing is positive. As scikit-learn's `average_precision_score`.
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

/// Average precision of the two channels of all labelled pixels together, where a pixel's own channel should rank first.
///
/// # Errors
/// As [`average_precision`].
pub fn channels_precision(channels: &[Channels], labels: &[Label]) -> Result<f64> {
    let labelled = || channels.iter().zip(labels).filter_map(|(channels, label)| Some((channels, (*label)?)));
    let scores: Vec<f32> = labelled().flat_map(|(channels, _)| *channels).collect();
    let positive: Vec<bool> = labelled().flat_map(|(_, object)| [!object, object]).collect();
    average_precision(&scores, &positive)
}

/// The map and its pixels' labels. A map with values that weren't finite is in neither channel anywhere, as in that evaluation; other degenerate maps are zero.
fn image(case: &ScoreInput<'_>) -> Result<(Vec<f32>, Vec<Label>)> {
    let none = "segmentation needs to know what of an image is the object, and the data set doesn't say";
    let object = case.object.ok_or_else(|| Error::Invalid(none.into()))?;
    let value = |value: f64| if case.state == MapState::NonFinite { f32::NAN } else { value as f32 };
    let map = case.values(&object.mask)?.into_iter().map(value).collect();
    let pixels = object.mask.pixels.iter().copied();
    let labels: Vec<Label> = match object.void {
        None => pixels.map(Some).collect(),
        Some(void) if void.len() == pixels.len() => {
            pixels.zip(void).map(|(object, void)| (!void).then_some(object)).collect()
        }
        Some(void) => {
            let problem = format!("a mask of {} pixels with {} that are void or not", pixels.len(), void.len());
            return Err(Error::Invalid(problem));
        }
    };
    Ok((map, labels))
}

fn precision(case: &ScoreInput<'_>, threshold: Threshold) -> Result<Option<Score>> {
    let (map, labels) = image(case)?;
    Ok(Some(Score::of(channels_precision(&hard(&map, threshold), &labels)?)))
}

fn accuracy(case: &ScoreInput<'_>, threshold: Threshold) -> Result<Option<Score>> {
    let (map, labels) = image(case)?;
    Ok(Some(pooled(&[Confusion::of(&hard(&map, threshold), &labels).accuracy()])))
}

fn iou(case: &ScoreInput<'_>, threshold: Threshold) -> Result<Option<Score>> {
    let (map, labels) = image(case)?;
    Ok(Some(pooled(&Confusion::of(&hard(&map, threshold), &labels).overlaps())))
}

/// A score of counts; its value is what they come to for the one image.
fn pooled(counts: &[[u64; 2]]) -> Score {
    let sum: f64 = counts.iter().map(|pair| ratio(pair.map(|count| count as f64))).sum();
    Score { counts: counts.to_vec(), ..Score::of(sum / counts.len() as f64) }
}
