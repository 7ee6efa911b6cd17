//! Metrics as a run calls them: the input of a score, the score, and a metric's facts.

use std::rc::Rc;

use tch::Tensor;

use crate::averaging::Averaging;
use crate::endpoints::{Classified, Endpoint, Endpoints};
use crate::input::{Classifier, Object, Region, Validity, classify};
use crate::protocol::{EmptyPairs, TieOrder};
use crate::{Error, Result};

/// One map to be scored, with all that any metric may ask for.
pub struct ScoreInput<'a> {
    /// The map, `[H, W]`, finite, of the size that the metric's [`Resolution`] asks for.
    pub map: &'a Tensor,
    /// True if the map is signed and in native units; any other is in [0, 1].
    pub signed: bool,
    /// Validity of the explanation; an invalid one comes as zeros.
    pub validity: Validity,
    /// The explanation itself (x, y), in the map's pixels, where it is a point and the map only
    /// stands for it.
    pub point: Option<[f64; 2]>,
    /// The normalised image, `[1, 3, H, W]`, or `[1, 1, H, W]` in grey.
    pub image: &'a Tensor,
    /// The class that the map explains.
    pub class: usize,
    /// The network.
    pub classifier: &'a Classifier<'a>,
    /// The endpoints of curves. Inputs of the same image and network share them.
    pub endpoints: &'a Endpoints,
    /// Value of a deleted pixel, `[1, C, 1, 1]`, normalized: see
    /// docs/protocol.md#d12-deletion-baseline.
    pub deleted: &'a Tensor,
    /// Order of pixels of equal saliency.
    pub tie_order: TieOrder,
    /// Pixels moved per step; `None` for the published eight rows.
    pub step: Option<usize>,
    /// Images in one call of the network.
    pub batch: usize,
    /// The region of the class, if the data set says so. Pointing games need it.
    pub region: Option<Region<'a>>,
    /// The object in the image, if the data set says so. Segmentation needs it.
    pub object: Option<Object<'a>>,
    /// Treatment of pairs that aren't part of the energy game: see
    /// docs/protocol.md#d21-energy-tally.
    pub empty_pairs: EmptyPairs,
}

impl<'a> ScoreInput<'a> {
    /// The region of the class.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the data set doesn't say.
    pub fn region(&self) -> Result<Region<'a>> {
        let none = "the metric needs to know where the class is, and the data set doesn't say";
        self.region.ok_or_else(|| Error::Invalid(none.into()))
    }

    /// The object in the image.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the data set doesn't say.
    pub fn object(&self) -> Result<Object<'a>> {
        let none = "the metric needs to know what of an image is the object, and the data set doesn't say";
        self.object.ok_or_else(|| Error::Invalid(none.into()))
    }

    /// An endpoint of the image, classified.
    ///
    /// # Errors
    /// As [`classify`].
    pub(crate) fn endpoint(&self, end: Endpoint) -> Result<Rc<Classified>> {
        self.endpoints.get(end, || {
            let image = end.of(self.image, self.deleted)?;
            Ok(Classified { probabilities: classify(self.classifier, &image, self.class)?, image })
        })
    }
}

/// Score of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The number, in the metric's own range (not in percent).
    pub value: f64,
    /// The curve that it is the area under, where there is one: values at equal steps from 0 to 1.
    pub curve: Option<Vec<f32>>,
    /// The counts that [`Averaging::Ratios`] sums over images: numerators and denominators, as many
    /// for every image.
    pub counts: Vec<[u64; 2]>,
}

impl Score {
    /// A number that comes from no curve and no counts.
    pub fn of(value: f64) -> Self {
        Self { value, curve: None, counts: Vec::new() }
    }
}

/// Direction of better values.
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

/// Size of the map that a metric scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// The network's input.
    NetworkInput,
    /// The photo as it is in the data set, before any resizing.
    Original,
}

/// Annotation of the image that a metric needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Annotation {
    /// None.
    Nothing,
    /// The region of the class: [`ScoreInput::region`].
    Region,
    /// The object, of any class: [`ScoreInput::object`].
    Object,
}

impl Annotation {
    /// The annotation in words that follow "needs to know".
    pub fn words(self) -> &'static str {
        match self {
            Annotation::Nothing => "nothing",
            Annotation::Region => "where a class is in an image",
            Annotation::Object => "what of an image is the object",
        }
    }
}

/// Pairs of image and class that a number averages.
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

/// One number that a metric's values come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The pairs in it.
    pub subset: Subset,
    /// The `metric` column of the published tables that it reproduces; empty where there is none.
    pub published: &'static str,
}

/// A metric and its facts, which tables and plots read.
pub struct Metric {
    /// The id in configs and records.
    pub id: &'static str,
    /// The name in tables.
    pub name: &'static str,
    /// The measured quantity, in one line.
    pub summary: &'static str,
    /// Its publication.
    pub source: &'static str,
    /// Raised whenever a change here changes numbers.
    pub version: u32,
    /// Direction of better values.
    pub direction: Direction,
    /// Factor by which tables multiply values.
    pub scale: f64,
    /// Unit of the scaled value.
    pub unit: &'static str,
    /// Size of the map that it scores.
    pub resolution: Resolution,
    /// Annotation of the image that it needs.
    pub annotation: Annotation,
    /// The way from the values of pairs to one number.
    pub averaging: Averaging,
    /// The numbers that its values come to, in the order of tables.
    pub columns: &'static [Column],
    /// Labels of the curve's axes, horizontal and vertical, where there is a curve.
    pub axes: Option<[&'static str; 2]>,
    /// Returns true if a pair of image and class is part of the game: of one that isn't, no map
    /// need be made.
    pub is_scored: fn(Option<&Region<'_>>, EmptyPairs) -> bool,
    /// Scores a map; `None` where the pair of image and class isn't part of the game (`is_scored`),
    /// or the metric has no number for the map.
    pub score: fn(&ScoreInput<'_>) -> Result<Option<Score>>,
    /// Number of images that it has classified for a map of H × W pixels and a step, beyond its
    /// `endpoints`.
    pub forward_passes: fn(usize, usize, Option<usize>) -> usize,
    /// Images that it has classified for every map alike.
    pub endpoints: &'static [Endpoint],
}

/// The parts of a metric that no default can stand for.
pub struct Entry {
    /// As [`Metric::id`].
    pub id: &'static str,
    /// As [`Metric::name`].
    pub name: &'static str,
    /// As [`Metric::summary`].
    pub summary: &'static str,
    /// As [`Metric::source`].
    pub source: &'static str,
    /// As [`Metric::direction`].
    pub direction: Direction,
    /// As [`Metric::averaging`].
    pub averaging: Averaging,
    /// As [`Metric::score`].
    pub score: fn(&ScoreInput<'_>) -> Result<Option<Score>>,
}

impl Metric {
    /// A plain number of a map at the network's input size, which needs no annotation, asks no
    /// network and wasn't published; setters change that.
    pub const fn new(entry: Entry) -> Self {
        let Entry { id, name, summary, source, direction, averaging, score } = entry;
        Self {
            id,
            name,
            summary,
            source,
            version: 1,
            direction,
            scale: 1.0,
            unit: "",
            resolution: Resolution::NetworkInput,
            annotation: Annotation::Nothing,
            averaging,
            columns: &[Column { subset: Subset::All, published: "" }],
            axes: None,
            is_scored: |_, _| true,
            score,
            forward_passes: |_, _, _| 0,
            endpoints: &[],
        }
    }

    /// Sets [`Metric::version`].
    pub const fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// Shows values, which are fractions, in percent.
    pub const fn percent(self) -> Self {
        Self { scale: 100.0, unit: "%", ..self }
    }

    /// Sets [`Metric::resolution`].
    pub const fn resolution(self, resolution: Resolution) -> Self {
        Self { resolution, ..self }
    }

    /// Sets [`Metric::annotation`].
    pub const fn annotation(self, annotation: Annotation) -> Self {
        Self { annotation, ..self }
    }

    /// Sets [`Metric::columns`].
    pub const fn columns(self, columns: &'static [Column]) -> Self {
        Self { columns, ..self }
    }

    /// Sets [`Metric::axes`]: scores have a curve.
    pub const fn axes(self, axes: [&'static str; 2]) -> Self {
        Self { axes: Some(axes), ..self }
    }

    /// Sets [`Metric::is_scored`].
    pub const fn is_scored(self, is_scored: fn(Option<&Region<'_>>, EmptyPairs) -> bool) -> Self {
        Self { is_scored, ..self }
    }

    /// Sets [`Metric::endpoints`] and [`Metric::forward_passes`]: the metric asks the network.
    pub const fn asks(
        self,
        endpoints: &'static [Endpoint],
        forward_passes: fn(usize, usize, Option<usize>) -> usize,
    ) -> Self {
        Self { endpoints, forward_passes, ..self }
    }
}
