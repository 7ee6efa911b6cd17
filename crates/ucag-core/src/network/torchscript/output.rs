//! The output of a TorchScript module for an image, and the logits and probabilities made of it.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::Result;

/// The smallest probability that is told from 0: float32's smallest normal number, whose logarithm
/// is -87.3.
const SMALLEST: f64 = f32::MIN_POSITIVE as f64;

/// The largest sigmoid score that is told from 1: the float32 next to 1, whose logit is 16.6.
const LARGEST: f64 = 1.0 - f32::EPSILON as f64 / 2.0;

/// The most that a probability can be once it was rounded.
pub(super) const MOST: f64 = 1.0 + 1e-6;

/// The kind of a module's output for an image: a number for each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// Logits z; probabilities are their softmax.
    #[default]
    Logits,
    /// Probabilities p that sum to 1. Their logarithms stand for logits, since softmax(log p) = p.
    Probabilities,
    /// Independent scores p in [0, 1], one sigmoid a class. Logits are log(p / (1 - p)), and
    /// probabilities are the scores themselves.
    Sigmoid,
}

impl Output {
    /// All of them.
    pub const ALL: [Output; 3] = [Output::Logits, Output::Probabilities, Output::Sigmoid];

    /// The name in configs.
    pub fn name(self) -> &'static str {
        match self {
            Output::Logits => "logits",
            Output::Probabilities => "probabilities",
            Output::Sigmoid => "sigmoid",
        }
    }

    /// Returns a remark for readers of its numbers.
    pub(super) fn remark(self) -> Option<&'static str> {
        match self {
            Output::Logits => None,
            Output::Probabilities => Some("It is stated to give probabilities p: methods explain log p."),
            Output::Sigmoid => Some(
                "It is stated to give sigmoid scores p: they are the probabilities, without a softmax, and methods explain log(p / (1 - p)).",
            ),
        }
    }

    /// Logits `[B, N]` of what the module gave. They are finite: a probability below 1.2e-38 counts
    /// as 1.2e-38, and a sigmoid score above 1 - 6e-8 as that; gradients are 0 there.
    pub(super) fn logits(self, given: Tensor) -> Result<Tensor> {
        Ok(match self {
            Output::Logits => given,
            Output::Probabilities => given.f_clamp(SMALLEST, 1.0)?.f_log()?,
            Output::Sigmoid => {
                let p = given.f_clamp(SMALLEST, LARGEST)?;
                p.f_log()?.f_sub(&p.f_neg()?.f_log1p()?)?
            }
        })
    }

    /// Probabilities `[B, N]` of those logits, in single precision at least.
    pub(super) fn probabilities(self, logits: &Tensor) -> Result<Tensor> {
        let kind = if logits.kind() == Kind::Double { Kind::Double } else { Kind::Float };
        Ok(match self {
            Output::Logits | Output::Probabilities => logits.f_softmax(1, kind)?,
            Output::Sigmoid => logits.f_sigmoid()?,
        })
    }
}
