//! The properties of a network beyond its tensors: statements of a config and of the file's
//! metadata, and what is assumed where neither does.

use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use super::preprocessing::Preprocessing;
use crate::{Error, Result};

/// The first layers of a ResNet or DenseNet, whose stride and pool no tensor shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stem {
    /// torchvision's: a 7 × 7 convolution with stride 2, and a 3 × 3 max pool with stride 2.
    Imagenet,
    /// A 3 × 3 convolution with stride 1, and no pool.
    Cifar,
    /// A 3 × 3 convolution with stride 1, and torchvision's 3 × 3 max pool with stride 2.
    CifarPool,
}

impl Stem {
    /// All of them.
    const ALL: [Stem; 3] = [Stem::Imagenet, Stem::Cifar, Stem::CifarPool];

    /// Its name in configs and metadata.
    pub fn word(self) -> &'static str {
        match self {
            Stem::Imagenet => "imagenet",
            Stem::Cifar => "cifar",
            Stem::CifarPool => "cifar-pool",
        }
    }

    /// Side of its convolution's kernel.
    fn kernel(self) -> i64 {
        if self == Stem::Imagenet { 7 } else { 3 }
    }

    /// Stride of its convolution.
    pub(super) fn stride(self) -> i64 {
        if self == Stem::Imagenet { 2 } else { 1 }
    }

    /// Returns whether a max pool follows.
    pub(super) fn has_pool(self) -> bool {
        self != Stem::Cifar
    }
}

impl std::str::FromStr for Stem {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = || format!("is '{word}', expected 'imagenet', 'cifar' or 'cifar-pool'");
        Self::ALL.into_iter().find(|stem| stem.word() == word).ok_or_else(known)
    }
}

/// Statements of a config or a command line about a network, which its tensors don't show.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stated {
    /// The stem of a ResNet or DenseNet.
    pub stem: Option<Stem>,
    /// True if an Inception renormalises its input.
    pub transform_input: Option<bool>,
    /// Normalization of the input.
    pub preprocessing: Option<Preprocessing>,
    /// Side of the input in pixels.
    pub input_size: Option<usize>,
}

/// The known and the assumed properties of a checkpoint's network while it is built.
pub(super) struct Properties<'a> {
    pub(super) checkpoint: &'a Checkpoint,
    stated: &'a Stated,
    /// Normalization of its input.
    pub(super) preprocessing: Preprocessing,
    /// True if a config or the file says so.
    normalised: bool,
    /// Its stem, where that isn't torchvision's.
    pub(super) stem: Option<Stem>,
    /// Side of the input of this member of the family, where it isn't the family's.
    pub(super) usual_input_size: Option<usize>,
    /// The keys that this family has a use for.
    asked: Vec<&'static str>,
    assumptions: Vec<String>,
}

/// Keys about layers in a file's metadata and in a config; a family that doesn't ask has no such
/// choice.
const KEYS: [&str; 3] = [STEM, MAX_POOL, TRANSFORM_INPUT];
const STEM: &str = "stem";
const MAX_POOL: &str = "max_pool";
const TRANSFORM_INPUT: &str = "transform_input";

/// The remedy for a network that no statement describes.
pub(super) const REMEDY: &str = "run such a network as TorchScript";

impl<'a> Properties<'a> {
    /// Reads how many channels the input has, from the weight of the convolution `stem`, and how it
    /// is normalised.
    ///
    /// # Errors
    /// Where that is neither one channel nor three, where nothing says how grey images are
    /// normalised, or where the file or the config contradict themselves or the tensor.
    pub(super) fn new(checkpoint: &'a Checkpoint, stated: &'a Stated, stem: &str) -> Result<Self> {
        let first = checkpoint.stem_shape(stem)?;
        let tensor = format!("{stem}.weight");
        let channels = first[1];
        if ![1, 3].contains(&channels) {
            let problem = format!(
                "takes images of {channels} channels (its shape is {first:?}); networks for colour images (3) and grey ones (1) can be run"
            );
            return Err(checkpoint.wrong(&tensor, problem));
        }
        Self::of_input(checkpoint, stated, &tensor, channels)
    }

    /// Reads how an input of so many channels is normalised; `tensor` shows the number.
    ///
    /// # Errors
    /// As [`Properties::new`].
    pub(super) fn of_input(
        checkpoint: &'a Checkpoint,
        stated: &'a Stated,
        tensor: &str,
        channels: i64,
    ) -> Result<Self> {
        let mut assumptions = Vec::new();
        let file = Preprocessing::of(checkpoint, channels)?;
        if let (Some(stated), Some(file)) = (stated.preprocessing, file)
            && !stated.is_same(file)
        {
            assumptions.push(format!(
                "Its input is normalised as this run states, with {}, not as its file does, with {}.",
                stated.describe(),
                file.describe()
            ));
        }
        let said = stated.preprocessing.or(file);
        let preprocessing = match (said, channels) {
            (None, 1) => {
                let problem = "takes grey images, and nothing says how they are normalised: state mean and std, one number each, in the config, with --mean and --std, or in the file's metadata";
                return Err(checkpoint.wrong(tensor, problem.into()));
            }
            (None, _) => Preprocessing::Imagenet,
            (Some(said), _) if said.channels() as i64 == channels => said,
            (Some(said), _) => {
                let problem = format!(
                    "takes images of {channels} {}, but mean and std are of {} ({})",
                    if channels == 1 { "channel" } else { "channels" },
                    said.channels(),
                    said.describe()
                );
                return Err(checkpoint.wrong(tensor, problem));
            }
        };
        let asked = Vec::new();
        Ok(Self {
            checkpoint,
            stated,
            preprocessing,
            normalised: said.is_some(),
            stem: None,
            usual_input_size: None,
            asked,
            assumptions,
        })
    }

    /// Channels of the input.
    pub(super) fn channels(&self) -> i64 {
        self.preprocessing.channels() as i64
    }

    /// Keeps a sentence on what was assumed.
    pub(super) fn assume(&mut self, sentence: String) {
        self.assumptions.push(sentence);
    }

    /// Returns the value of the file's metadata under a key that this family has a use for.
    fn ask(&mut self, key: &'static str) -> Option<&'a str> {
        self.asked.push(key);
        self.checkpoint.metadata(key)
    }

    /// The stem, whose convolution is `name`: torchvision's for a kernel of 7 × 7; any other must
    /// be stated.
    ///
    /// # Errors
    /// Where it isn't, or config, metadata and tensor contradict each other.
    pub(super) fn stem(&mut self, name: &str) -> Result<Stem> {
        let checkpoint = self.checkpoint;
        let wrong = |problem: String| checkpoint.wrong(&format!("{name}.weight"), problem);
        let in_file = |problem: String| checkpoint.wrong("__metadata__", format!("{STEM} {problem}"));
        let file = self.ask(STEM).map(str::parse).transpose().map_err(in_file)?;
        if let (Some(file), Some(stated)) = (file, self.stated.stem)
            && file != stated
        {
            let (file, stated) = (Stem::word(file), stated.word());
            return Err(in_file(format!("is '{file}', but this run states '{stated}'; one of the two is wrong")));
        }
        let shape = checkpoint.stem_shape(name)?;
        let kernel = [shape[2], shape[3]];
        let [height, width] = kernel;
        let stem = match (self.stated.stem.or(file), kernel) {
            (None, [7, 7]) => Stem::Imagenet,
            (None, [3, 3]) => {
                return Err(wrong(format!(
                    "has a kernel of 3 × 3, where torchvision's has 7 × 7, so stride and pool can't be told. State {STEM} = \"cifar\" (stride 1, no max pool) or \"cifar-pool\" (stride 1, torchvision's max pool) in [[model]], with --{STEM}, or in the file's metadata; {REMEDY} if it has another stem"
                )));
            }
            (None, _) => {
                return Err(wrong(format!(
                    "has a kernel of {height} × {width}, where torchvision's has 7 × 7, so stride, padding and pool can't be told; {REMEDY}"
                )));
            }
            (Some(said), _) if kernel == [said.kernel(); 2] => said,
            (Some(said), _) => {
                let (word, side) = (said.word(), said.kernel());
                return Err(wrong(format!(
                    "has a kernel of {height} × {width}, but {STEM} = \"{word}\" is stated, whose kernel is {side} × {side}"
                )));
            }
        };
        if stem != Stem::Imagenet {
            self.stem = Some(stem);
            self.assume_preprocessing();
        }
        Ok(stem)
    }

    /// Takes the input's normalisation for `usual`, whose owner is named, where nothing states it.
    pub(super) fn assume_usual_preprocessing(&mut self, usual: Preprocessing, owner: &str) {
        if !self.normalised && self.channels() == usual.channels() as i64 {
            self.preprocessing = usual;
            self.assume(format!(
                "Its input is taken to be normalised with {owner} constants ({}), since nothing states mean and std.",
                usual.describe()
            ));
        }
    }

    /// Keeps a sentence on the input's normalisation where nothing states it.
    pub(super) fn assume_preprocessing(&mut self) {
        if !self.normalised {
            self.assume(format!(
                "Its input is taken to be normalised with ImageNet's statistics ({}), since nothing states mean and std.",
                self.preprocessing.describe()
            ));
        }
    }

    /// Returns whether max pools round the size of their output up, as Caffe's do; `None` where the
    /// file doesn't say.
    ///
    /// # Errors
    /// Where the file says something else.
    pub(super) fn ceil(&mut self) -> Result<Option<bool>> {
        match self.ask(MAX_POOL) {
            None => Ok(None),
            Some("floor") => Ok(Some(false)),
            Some("ceil") => Ok(Some(true)),
            Some(other) => {
                let problem = format!("{MAX_POOL} is '{other}', expected 'floor' or 'ceil'");
                Err(self.checkpoint.wrong("__metadata__", problem))
            }
        }
    }

    /// Returns whether a ResNet is Caffe's, with strides on the first convolutions of blocks and
    /// pools that round up: where the file states both Caffe's normalisation and its pools.
    ///
    /// # Errors
    /// Where it states one of them only, or a stem beside them.
    pub(super) fn is_caffe(&mut self) -> Result<bool> {
        let wrong = |problem: &str| Err(self.checkpoint.wrong("__metadata__", problem.into()));
        let (preprocessing, stem) = (self.checkpoint.metadata("preprocessing"), self.checkpoint.metadata(STEM));
        match (preprocessing == Some("caffe"), self.checkpoint.metadata(MAX_POOL) == Some("ceil")) {
            (true, true) if stem.or(self.stated.stem.map(Stem::word)).is_some() => wrong(
                "states Caffe's form (preprocessing = 'caffe', max_pool = 'ceil'), which has a stem of its own; leave out stem",
            ),
            (true, true) => Ok(true),
            (false, false) => Ok(false),
            (true, false) => wrong(
                "has preprocessing = 'caffe' without max_pool = 'ceil'. Both together state Caffe's form, with its strides; for torchvision's form with Caffe's colours, state mean and std instead",
            ),
            (false, true) => wrong(
                "has max_pool = 'ceil' without preprocessing = 'caffe'. Both together state Caffe's form, with its strides",
            ),
        }
    }

    /// Returns whether an Inception renormalises its input, as torchvision's pretrained one does.
    /// The config decides, then the file; where neither says, a network of 1000 classes is taken
    /// for torchvision's.
    ///
    /// # Errors
    /// Where the file says neither 'true' nor 'false', or the input isn't what the transformation
    /// is for.
    pub(super) fn transform_input(&mut self, classes: i64) -> Result<bool> {
        let file = match self.ask(TRANSFORM_INPUT) {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(other) => {
                let problem = format!("{TRANSFORM_INPUT} is '{other}', expected 'true' or 'false'");
                return Err(self.checkpoint.wrong("__metadata__", problem));
            }
        };
        let stated = self.stated.transform_input;
        if let (Some(stated), Some(file)) = (stated, file)
            && stated != file
        {
            self.assume(format!("{TRANSFORM_INPUT} is {stated}, as this run states; its file says {file}."));
        }
        let usual = self.preprocessing.is_same(Preprocessing::Imagenet);
        let refused = |problem: String| Err(self.checkpoint.wrong("__metadata__", problem));
        match stated.or(file) {
            Some(true) if self.channels() != 3 => {
                refused(format!("{TRANSFORM_INPUT} is true, but the network takes grey images"))
            }
            Some(said) => Ok(said),
            None if self.channels() != 3 => Ok(false),
            None if classes == 1000 && !usual => refused(format!(
                "doesn't say {TRANSFORM_INPUT}. Of a network of 1000 classes it is taken to be true, which is for ImageNet's mean and std, but others are stated ({}); state {TRANSFORM_INPUT}, too",
                self.preprocessing.describe()
            )),
            None => {
                let taken = classes == 1000;
                let why = match taken {
                    true => "as in torchvision's pretrained network, since it has 1000 classes",
                    false => "since it hasn't the 1000 classes of torchvision's pretrained network",
                };
                self.assume(format!("{TRANSFORM_INPUT} is taken to be {taken}, {why} and nothing states it."));
                Ok(taken)
            }
        }
    }

    /// Side of the input that the network was made for, in pixels; `usual` is the family's.
    ///
    /// # Errors
    /// Where the file says nonsense, or nothing says it of a network whose stem is for small
    /// images.
    pub(super) fn input_size(&self, usual: usize) -> Result<usize> {
        match (self.own_input_size()?, self.stem) {
            (Some(side), _) => Ok(side),
            (None, None) => Ok(self.usual_input_size.unwrap_or(usual)),
            (None, Some(stem)) => self.stated.input_size.ok_or_else(|| {
                self.architecture(format!(
                    "has the stem '{}', which is for small images, and nothing says how large they are: state input_size (32 for CIFAR) in the config, with --input-size, or in the file's metadata",
                    stem.word()
                ))
            }),
        }
    }

    /// Side of the input in the file's metadata.
    ///
    /// # Errors
    /// Where the file says nonsense.
    pub(super) fn own_input_size(&self) -> Result<Option<usize>> {
        let Some(text) = self.checkpoint.metadata("input_size") else { return Ok(None) };
        let side = text.parse().ok().filter(|side| (1..=LARGEST_INPUT).contains(side));
        side.map(Some).ok_or_else(|| {
            self.architecture(format!(
                "its metadata has input_size '{text}', expected pixels from 1 to {LARGEST_INPUT}"
            ))
        })
    }

    /// Side of an input that may have any, as this run states it; else `usual`, which is kept as an
    /// assumption.
    pub(super) fn assumed_input_size(&mut self, usual: usize) -> usize {
        self.stated.input_size.unwrap_or_else(|| {
            self.assume(format!("Its input is taken to be {usual} × {usual}, since nothing states input_size."));
            usual
        })
    }

    /// Returns the assumptions, a sentence each.
    ///
    /// # Errors
    /// Where the config or the file say something of layers that the family `id` has no choice of.
    pub(super) fn finish(self, id: &str) -> Result<Vec<String>> {
        let config = [self.stated.stem.map(|_| STEM), self.stated.transform_input.map(|_| TRANSFORM_INPUT)];
        for key in KEYS.into_iter().filter(|key| !self.asked.contains(key)) {
            if config.contains(&Some(key)) {
                return Err(self.architecture(format!(
                    "this run states {key}, but a network of the family {id} has no such choice"
                )));
            }
            // That it doesn't renormalise its input is true of any other network.
            if let Some(value) = self.checkpoint.metadata(key)
                && (key, value) != (TRANSFORM_INPUT, "false")
            {
                let problem = format!("has {key} = '{value}', but a network of the family {id} has no such choice");
                return Err(self.checkpoint.wrong("__metadata__", problem));
            }
        }
        Ok(self.assumptions)
    }

    fn architecture(&self, problem: String) -> Error {
        Error::Architecture { path: self.checkpoint.path().to_owned(), problem }
    }
}

/// No checkpoint is for larger images, in pixels a side.
const LARGEST_INPUT: usize = 1 << 14;
