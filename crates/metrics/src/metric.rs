//! What a metric is given, what it gives, and what the registry knows of it.

use crate::protocol::{EmptyPairs, TieOrder};
use tch::Tensor;
use ucag_core::postprocess::MapState;
use ucag_core::suggest::nearest;

use crate::averaging::Averaging;
use crate::{
    Endpoint, Endpoints, Error, Result, deletion_insertion, density, energy_pointing_game, pointing_game, segmentation,
};

/// From a batch of normalised images `[B, 3, H, W]` to class probabilities `[B, N]`.
pub type Probabilities<'a> = dyn Fn(&Tensor) -> Result<Tensor, Box<dyn std::error::Error + Send + Sync>> + 'a;

/// One map to be scored, with all that any metric may ask for.
pub struct ScoreInput<'a> {
    /// The map, `[H, W]`, finite, of the size that the metric's [`Resolution`] asks for.
    pub map: &'a Tensor,
    /// Whether the map is signed and in native units; any other is in [0, 1].
    pub signed: bool,
    /// What the map turned out to be; a degenerate one comes as zeros.
    pub state: MapState,
    /// The explanation itself (x, y), in the map's pixels, where it is a point and the map only stands for it.
    pub point: Option<[f64; 2]>,
    /// The normalised image, `[1, 3, H, W]`, or `[1, 1, H, W]` in grey.
    pub image: &'a Tensor,
    /// The class that the map explains.
    pub class: usize,
    /// The network.
    pub probabilities: &'a Probabilities<'a>,
    /// What the network says of images that no map has changed. Cases of the same image and network share it.
    pub endpoints: &'a Endpoints,
    /// Value of a deleted pixel, `[1, 3, 1, 1]`, normalized: see
    /// docs/protocol.md#d12-deletion-baseline.
    pub deleted: &'a Tensor,
    /// Order of pixels of equal saliency.
    pub ties: TieOrder,
    /// Pixels moved per step; `None` for the published eight rows.
    pub step: Option<usize>,
    /// Images in one call of the network.
    pub batch: usize,
    /// Where the class is, if the data set says so. Pointing games need it.
    pub region: Option<Region<'a>>,
    /// What of the image is the object, if the data set says so. Segmentation needs it.
    pub object: Option<Object<'a>>,
    /// Treatment of pairs that aren't part of the energy game: see
    /// docs/protocol.md#d21-energy-tally.
    pub tally: EmptyPairs,
}

impl ScoreInput<'_> {
    /// Height and width of the image, once it is sure that it is one and that the map fits it.
    ///
    /// # Errors
    /// Where it isn't or doesn't.
    pub(crate) fn sides(&self) -> Result<[i64; 2]> {
        let size = self.image.size();
        let [1, 1 | 3, height, width] = size[..] else {
            let problem = format!("one image of three channels, or a grey one, is scored at a time, not {size:?}");
            return Err(Error::Invalid(problem));
        };
        if self.map.size() != [height, width] {
            let problem = format!("a map of {:?} for an image of {height} × {width} pixels", self.map.size());
            return Err(Error::Invalid(problem));
        }
        Ok([height, width])
    }

    /// The network's class probabilities for images, `[B, N]`.
    ///
    /// # Errors
    /// Where the network fails, or its answer isn't of this shape or has no such class.
    pub(crate) fn ask(&self, images: &Tensor) -> Result<Tensor> {
        let probabilities = (self.probabilities)(images).map_err(Error::Network)?;
        match probabilities.size()[..] {
            [count, classes] if count == images.size()[0] && (self.class as i64) < classes => Ok(probabilities),
            ref size => {
                let (count, class) = (images.size()[0], self.class);
                Err(Error::Invalid(format!("probabilities {size:?} for {count} images, class {class}")))
            }
        }
    }

    /// The map's values row by row, once it is sure that they are finite and that they fit the mask.
    ///
    /// # Errors
    /// Where they aren't or don't.
    pub(crate) fn values(&self, mask: &Mask<'_>) -> Result<Vec<f64>> {
        let invalid = |problem: String| Err(Error::Invalid(problem));
        let size = self.map.size();
        let [height, width] = size[..] else {
            return invalid(format!("one map is scored at a time, not {size:?}"));
        };
        if mask.width as i64 != width || mask.pixels.len() as i64 != height * width || mask.pixels.is_empty() {
            let rows = mask.pixels.len() / mask.width.max(1);
            return invalid(format!("a map of {height} × {width} pixels for a mask of {rows} × {}", mask.width));
        }
        let map = self.map.f_flatten(0, -1)?.f_to_kind(tch::Kind::Double)?.f_to_device(tch::Device::Cpu)?;
        let map = Vec::<f64>::try_from(&map)?;
        if map.iter().any(|value| !value.is_finite()) {
            return invalid(
                "the map holds values that are not finite; degenerate maps are to be scored as zeros".into(),
            );
        }
        Ok(map)
    }
}

/// A part of an image, of the map's size.
#[derive(Debug, Clone, Copy)]
pub struct Mask<'a> {
    /// Whether a pixel is part of it, row by row.
    pub pixels: &'a [bool],
    /// Pixels in a row.
    pub width: usize,
}

/// What of an image is the object; the rest is background.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// The object.
    pub mask: Mask<'a>,
    /// Whether a pixel counts neither as object nor as background, row by row; as many as the
    /// mask's. None does where absent.
    pub void: Option<&'a [bool]>,
}

/// Where a class is in a photo.
#[derive(Debug, Clone, Copy)]
pub struct Region<'a> {
    /// The union of the class's objects.
    pub mask: Mask<'a>,
    /// Whether every one of the class's objects is flagged as difficult.
    pub all_difficult: bool,
}

/// What a metric makes of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The number, in the metric's own range (not in percent).
    pub value: f64,
    /// What it was integrated from, where there is such a thing: values at equal steps from 0 to 1.
    pub curve: Option<Vec<f32>>,
    /// The counts that [`Averaging::Ratios`] sums over images: numerators and denominators, as many for every image.
    pub counts: Vec<[u64; 2]>,
}

impl Score {
    /// A number that comes from no curve and no counts.
    pub fn of(value: f64) -> Self {
        Self { value, curve: None, counts: Vec::new() }
    }
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A smaller number is a better explanation.
    Lower,
    /// A larger number is a better explanation.
    Higher,
}

impl Direction {
    /// An arrow for table heads.
    pub fn arrow(self) -> &'static str {
        match self {
            Direction::Lower => "↓",
            Direction::Higher => "↑",
        }
    }

    /// The direction in words.
    pub fn words(self) -> &'static str {
        match self {
            Direction::Lower => "lower is better",
            Direction::Higher => "higher is better",
        }
    }
}

/// At which size a metric wants the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// The network's input.
    NetworkInput,
    /// The photo as it is in the data set, before any resizing.
    Original,
}

/// What a metric must be told of an image beyond the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Annotation {
    /// Nothing.
    Nothing,
    /// Where the class is: [`ScoreInput::region`].
    Region,
    /// What is the object, whatever its class: [`ScoreInput::object`].
    Object,
}

impl Annotation {
    /// What it must be told, in words that follow "needs to know".
    pub fn words(self) -> &'static str {
        match self {
            Annotation::Nothing => "nothing",
            Annotation::Region => "where a class is in an image",
            Annotation::Object => "what of an image is the object",
        }
    }
}

/// Which pairs of image and class a number is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subset {
    /// All that were scored.
    All,
    /// Those that the data set counts as difficult.
    Difficult,
}

impl Subset {
    /// The word for it in tables and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Subset::All => "all",
            Subset::Difficult => "difficult",
        }
    }
}

/// One of the numbers that a metric's values come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Which pairs are in it.
    pub subset: Subset,
    /// The `metric` column of the published tables that it reproduces; empty where there is none.
    pub published: &'static str,
}

/// A metric and what the registry knows of it.
pub struct Metric {
    /// The id in configs and records.
    pub id: &'static str,
    /// The name in tables.
    pub name: &'static str,
    /// One line on what is measured.
    pub summary: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// Raised whenever a change here changes numbers.
    pub version: u32,
    /// Which way is better.
    pub direction: Direction,
    /// What tables multiply values by.
    pub scale: f64,
    /// Unit of the scaled value.
    pub unit: &'static str,
    /// At which size it wants the map.
    pub frame: Resolution,
    /// What it must be told of an image.
    pub wants: Annotation,
    /// How the values of pairs become one number.
    pub averaging: Averaging,
    /// The numbers that its values come to, in the order of tables.
    pub columns: &'static [Column],
    /// What the curve's axes are, horizontal and vertical, where there is one.
    pub axes: Option<[&'static str; 2]>,
    /// Whether a pair of image and class is part of the game at all: of one that isn't, no map need be made.
    pub is_scored: fn(Option<&Region<'_>>, EmptyPairs) -> bool,
    /// Scores a map; `None` where the pair of image and class is not part of the game (`is_scored`), or the metric has no number for the map.
    pub score: fn(&ScoreInput<'_>) -> Result<Option<Score>>,
    /// How many images it asks the network for, for a map of H × W pixels and a step, beyond its `ends`.
    pub forward_passes: fn(usize, usize, Option<usize>) -> usize,
    /// The images that it asks for whatever the map.
    pub endpoints: &'static [Endpoint],
}

/// Every metric. To add one: a file with its entries, and their lines here.
pub static METRICS: &[&Metric] = &[
    &deletion_insertion::DELETION,
    &deletion_insertion::INSERTION,
    &deletion_insertion::DELETION_RISE,
    &deletion_insertion::INSERTION_RISE,
    &pointing_game::POINTING,
    &energy_pointing_game::ENERGY,
    &segmentation::MAP,
    &segmentation::PIXEL_ACCURACY,
    &segmentation::MEAN_IOU,
    &segmentation::MAP_MEAN,
    &segmentation::PIXEL_ACCURACY_MEAN,
    &segmentation::MEAN_IOU_MEAN,
    &segmentation::SOFT_AP,
    &density::POSITIVE,
    &density::NEGATIVE,
];

/// The metric of this id.
///
/// # Errors
/// [`ucag_core::Error::Unknown`] with the nearest id.
pub fn metric(id: &str) -> ucag_core::Result<&'static Metric> {
    METRICS.iter().copied().find(|metric| metric.id == id).ok_or_else(|| ucag_core::Error::Unknown {
        what: "metric",
        name: id.to_owned(),
        suggestion: nearest(id, METRICS.iter().map(|metric| metric.id)),
    })
}
