//! Choices on which the paper's text and its authors' code differ, as far as they concern maps.
//!
//! docs/protocol.md#protocol-fields has a table of the fields, and a section for each of them.

use serde::{Deserialize, Serialize};

use crate::image_ops::Interpolation;
use crate::{Error, Result};

/// Divisor of the sum of overlapping maps: see docs/protocol.md#d1-coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// The number of views that cover a pixel, Γ.
    True,
    /// Γ + 1, since the released code counts from one: corners are halved, the centre keeps 36/37.
    /// A centre prior.
    PlusOne,
}

/// Weight of a view, from its softmax probability q of the explained class: see
/// docs/protocol.md#confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewWeight {
    /// exp(q): the paper's equation.
    ExpSoftmax,
    /// exp(q) over its maximum among the views: the released code with its score flag.
    ExpSoftmaxOverMax,
    /// q: the released code's explicit-stride branch.
    Softmax,
    /// 1: the released code without its score flag.
    None,
}

/// Maps that get the final 5×5 blur, σ = 3: see docs/protocol.md#d4-final-blur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Smoothing {
    /// None.
    None,
    /// Only UCAG's: the released code.
    Ucag,
    /// A method's map with and without UCAG alike.
    Both,
}

/// Resizing of a partial map that is as large as its enlarged view, as those of propagation methods
/// are. The paper doesn't say: see docs/protocol.md#large-maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LargeMaps {
    /// By way of the image's size: the released code resizes to 224 × 224 first, which is its
    /// images' size.
    ByImage,
    /// In one step, as smaller maps do.
    Directly,
}

/// Every choice that a map depends on, as one value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MapProtocol {
    /// Views per axis, n: see docs/protocol.md#unfold.
    pub n: usize,
    /// Side of a view over side of the image, ρ: see docs/protocol.md#d7-rho.
    pub rho: f64,
    /// Enlargement of a view, α: see docs/protocol.md#unfold.
    pub alpha: f64,
    /// Kernel that enlarges a view: see docs/protocol.md#d8-geometry-and-kernel.
    pub interpolation: Interpolation,
    /// Enlargement of the whole image, as of views, for a method without UCAG; 1 leaves it as it
    /// is. The released code's plain path enlarges by α, and Figure 2 compares with that; tables
    /// show methods as published, on the image as it is: see docs/protocol.md#enlarged-image.
    pub scale: f64,
    /// Divisor of the sum of overlapping maps: see docs/protocol.md#d1-coverage.
    pub coverage: Coverage,
    /// Weight of a view: see docs/protocol.md#confidence.
    pub confidence: ViewWeight,
    /// Resizing of maps as large as an enlarged view: see docs/protocol.md#large-maps.
    pub large_maps: LargeMaps,
    /// Maps that get the final blur: see docs/protocol.md#d4-final-blur.
    pub smoothing: Smoothing,
    /// Clipping of CAM-type maps at zero before they are brought to [0, 1]. A plain map's clipping
    /// is part of the methods' own definition; the text is silent on UCAG's: see
    /// docs/protocol.md#d5-final-clipping.
    pub rectify: bool,
}

impl MapProtocol {
    /// The arithmetic of the authors' released code, run with its score flag on: the published
    /// numbers came from it.
    pub const fn official() -> Self {
        Self {
            n: 6,
            rho: 124.0 / 224.0,
            alpha: 2.6,
            interpolation: Interpolation::Bicubic,
            scale: 1.0,
            coverage: Coverage::PlusOne,
            confidence: ViewWeight::ExpSoftmaxOverMax,
            large_maps: LargeMaps::ByImage,
            smoothing: Smoothing::Ucag,
            rectify: true,
        }
    }

    /// The paper's text. Where it is silent, the released code's choice stands.
    pub const fn paper() -> Self {
        Self {
            rho: 0.555,
            coverage: Coverage::True,
            confidence: ViewWeight::ExpSoftmax,
            large_maps: LargeMaps::Directly,
            smoothing: Smoothing::None,
            ..Self::official()
        }
    }

    /// A fair comparison: true coverage counts, and the same smoothing for a method with and
    /// without UCAG, so that their difference is UCAG's own contribution.
    pub const fn controlled() -> Self {
        Self {
            coverage: Coverage::True,
            large_maps: LargeMaps::Directly,
            smoothing: Smoothing::Both,
            ..Self::official()
        }
    }

    /// Checks that n, ρ, α and the scale are in range.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names the one that isn't.
    pub fn validate(&self) -> Result<()> {
        let invalid = |problem: String| Err(Error::Invalid(problem));
        if !(2..=64).contains(&self.n) {
            return invalid(format!("n = {}: views per axis must be 2 to 64", self.n));
        }
        if !(self.rho > 0.0 && self.rho <= 1.0) {
            return invalid(format!("rho = {}: a view's side must be above 0 and at most 1 of the image's", self.rho));
        }
        if !(self.alpha > 0.0 && self.alpha <= 16.0) {
            return invalid(format!("alpha = {}: the enlargement must be above 0 and at most 16", self.alpha));
        }
        if !(self.scale > 0.0 && self.scale <= 16.0) {
            return invalid(format!("scale = {}: the enlargement must be above 0 and at most 16", self.scale));
        }
        Ok(())
    }

    /// Returns true if the views of an image are the same, so that one pass serves both.
    pub fn has_views_of(&self, other: &Self) -> bool {
        (self.n, self.rho, self.alpha, self.interpolation) == (other.n, other.rho, other.alpha, other.interpolation)
    }

    /// Returns true if a method without UCAG sees the same image.
    pub fn has_image_of(&self, other: &Self) -> bool {
        self.scale == other.scale && (self.scale == 1.0 || self.interpolation == other.interpolation)
    }

    /// The protocol without the fields that make no difference to a map without UCAG, or to one
    /// with it: of two rows whose reductions are equal, one is enough.
    pub fn reduced(&self, ucag: bool) -> Self {
        let base = Self::official();
        match ucag {
            true => Self {
                scale: base.scale,
                smoothing: if self.smoothing == Smoothing::None { Smoothing::None } else { Smoothing::Both },
                ..*self
            },
            false => Self {
                n: base.n,
                rho: base.rho,
                alpha: base.alpha,
                interpolation: if self.scale == 1.0 { base.interpolation } else { self.interpolation },
                coverage: base.coverage,
                confidence: base.confidence,
                large_maps: base.large_maps,
                smoothing: if self.smoothing == Smoothing::Both { Smoothing::Both } else { Smoothing::None },
                ..*self
            },
        }
    }
}
