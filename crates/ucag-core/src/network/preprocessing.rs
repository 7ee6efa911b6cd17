//! Normalization of a network's input.

use super::checkpoint::Checkpoint;
use crate::{Error, Result};

/// Normalization of a network's input: (x − mean) / deviation, for red, green and blue in [0, 1],
/// or for grey. See docs/protocol.md#normalization.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preprocessing {
    /// torchvision's, with ImageNet's statistics.
    Imagenet,
    /// That of networks from Caffe: 255 x, less the mean color.
    Caffe,
    /// Of a network that comes from elsewhere.
    Custom {
        /// The subtrahend.
        mean: [f32; 3],
        /// The divisor.
        std: [f32; 3],
    },
    /// Of a network for grey images.
    Grey {
        /// The subtrahend.
        mean: f32,
        /// The divisor.
        std: f32,
    },
}

impl Preprocessing {
    /// That of these numbers: three of each for red, green and blue, or one for grey.
    ///
    /// # Errors
    /// Where there are neither three nor one of both, a mean isn't in [0, 1], or a deviation isn't
    /// above 0; the message says so.
    pub fn new(mean: &[f64], std: &[f64]) -> Result<Self, String> {
        let expected =
            "mean and std: expected three numbers, for red, green and blue in [0, 1], or one for grey images";
        if let Some(bad) = mean.iter().find(|mean| !(0.0..=1.0).contains(*mean)) {
            let hint = if *bad > 1.0 { " (divide numbers for pixels up to 255 by 255)" } else { "" };
            return Err(format!("{expected}; a mean of {bad} is outside of [0, 1]{hint}"));
        }
        // A deviation that is 0 as float32 would divide by 0.
        if let Some(bad) = std.iter().find(|std| !((**std as f32).is_normal() && **std > 0.0)) {
            return Err(format!("{expected}; a deviation must be above 0, which {bad} isn't"));
        }
        match (mean, std) {
            (&[r, g, b], &[s, t, u]) => {
                Ok(Self::Custom { mean: [r, g, b].map(|x| x as f32), std: [s, t, u].map(|x| x as f32) })
            }
            (&[mean], &[std]) => Ok(Self::Grey { mean: mean as f32, std: std as f32 }),
            _ => Err(format!("{expected}; found {} and {}", mean.len(), std.len())),
        }
    }

    /// That of two lists of numbers with commas in between, `0.485, 0.456, 0.406`. Fractions are
    /// numbers, too: `127/255`.
    ///
    /// # Errors
    /// Where they aren't numbers, and as [`Preprocessing::new`].
    pub fn parse(mean: &str, std: &str) -> Result<Self, String> {
        let numbers = |text: &str| -> Result<Vec<f64>, String> {
            let number = |part: &str| {
                let (above, below) = part.split_once('/').unwrap_or((part, "1"));
                let parsed = above.trim().parse::<f64>().ok().zip(below.trim().parse::<f64>().ok());
                let value = parsed.map(|(above, below)| above / below);
                value.ok_or_else(|| format!("mean and std: '{part}' in '{text}' is no number"))
            };
            text.split(',').map(number).collect()
        };
        Self::new(&numbers(mean)?, &numbers(std)?)
    }

    /// Reads the metadata of a network for images of so many channels. One number of each is for
    /// all channels.
    pub(super) fn of(checkpoint: &Checkpoint, channels: i64) -> Result<Option<Self>> {
        let wrong = |problem: String| checkpoint.wrong("__metadata__", problem);
        let [mean, std] = ["mean", "std"].map(|key| checkpoint.metadata(key));
        match (checkpoint.metadata("preprocessing"), mean, std) {
            (None, None, None) => Ok(None),
            (None, Some(mean), Some(std)) => match Self::parse(mean, std).map_err(wrong)? {
                Preprocessing::Grey { mean, std } if channels == 3 => {
                    Ok(Some(Preprocessing::Custom { mean: [mean; 3], std: [std; 3] }))
                }
                parsed => Ok(Some(parsed)),
            },
            (None, ..) => Err(wrong("has one of mean and std, but not the other".into())),
            (Some("imagenet"), None, None) => Ok(Some(Preprocessing::Imagenet)),
            (Some("caffe"), None, None) => Ok(Some(Preprocessing::Caffe)),
            (Some("imagenet" | "caffe"), ..) => {
                Err(wrong("has preprocessing and mean or std, too; one of the two is enough".into()))
            }
            (Some(text), ..) => {
                let problem = format!("its metadata has preprocessing '{text}', expected 'imagenet' or 'caffe'");
                Err(Error::Architecture { path: checkpoint.path().to_owned(), problem })
            }
        }
    }

    /// Returns the subtrahend of each channel.
    pub fn mean(self) -> Vec<f32> {
        match self {
            Preprocessing::Imagenet => vec![0.485, 0.456, 0.406],
            Preprocessing::Caffe => vec![123.68 / 255.0, 116.779 / 255.0, 103.939 / 255.0],
            Preprocessing::Custom { mean, .. } => mean.to_vec(),
            Preprocessing::Grey { mean, .. } => vec![mean],
        }
    }

    /// Returns the divisor of each channel.
    pub fn std(self) -> Vec<f32> {
        match self {
            Preprocessing::Imagenet => vec![0.229, 0.224, 0.225],
            Preprocessing::Caffe => vec![1.0 / 255.0; 3],
            Preprocessing::Custom { std, .. } => std.to_vec(),
            Preprocessing::Grey { std, .. } => vec![std],
        }
    }

    /// Channels of the input: 3, or 1 for grey images.
    pub fn channels(self) -> usize {
        if matches!(self, Preprocessing::Grey { .. }) { 1 } else { 3 }
    }

    /// Returns whether both do the same to an image.
    pub fn is_same(self, other: Self) -> bool {
        (self.mean(), self.std()) == (other.mean(), other.std())
    }

    /// The numbers, for messages.
    pub fn describe(self) -> String {
        let list = |values: Vec<f32>| values.iter().map(f32::to_string).collect::<Vec<_>>().join(", ");
        format!("mean {} and std {}", list(self.mean()), list(self.std()))
    }
}
