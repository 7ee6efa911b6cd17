//! Choices on which the paper's text and its authors' code differ, as far as they concern scoring.
//!
//! docs/protocol.md#protocol-fields has a table of the fields, and a section for each of them.

use serde::{Deserialize, Serialize};

/// Value of a deleted pixel: see docs/protocol.md#d12-deletion-baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeletionBaseline {
    /// Zero after normalisation, which is the data set's mean colour: the released code.
    MeanColour,
    /// Zero before normalisation, which is black: the text's "zero pixels".
    Black,
}

/// Order of pixels of equal saliency. The released code sorts with an unstable, machine-dependent
/// sort: see docs/protocol.md#tie-order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TieOrder {
    /// The lower and further right: a stable ascending sort, read backwards.
    LargerIndexFirst,
    /// The higher and further left.
    SmallerIndexFirst,
}

/// Treatment, in the energy pointing game, of pairs of image and class that aren't part of the
/// game: see docs/protocol.md#d21-energy-tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyPairs {
    /// As the released code counts: a pair whose objects are all flagged as difficult has energy
    /// zero in both subsets, and every class that the first image doesn't show starts with one pair
    /// of energy zero.
    Released,
    /// Such pairs are left out, and only pairs count.
    Pairs,
}

/// Every choice that a score depends on, as one value. Configs call the fields `deleted`, `ties`
/// and `tally`, and so does its serialised form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoringProtocol {
    /// Value of a deleted pixel: see docs/protocol.md#d12-deletion-baseline.
    #[serde(rename = "deleted")]
    pub deletion_baseline: DeletionBaseline,
    /// Order of tied pixels: see docs/protocol.md#tie-order.
    #[serde(rename = "ties")]
    pub tie_order: TieOrder,
    /// Pairs that the energy game counts: see docs/protocol.md#d21-energy-tally.
    #[serde(rename = "tally")]
    pub empty_pairs: EmptyPairs,
}

impl ScoringProtocol {
    /// The arithmetic of the authors' released code: the published numbers came from it.
    pub const fn official() -> Self {
        Self {
            deletion_baseline: DeletionBaseline::MeanColour,
            tie_order: TieOrder::LargerIndexFirst,
            empty_pairs: EmptyPairs::Released,
        }
    }

    /// The paper's text. Where it is silent, the released code's choice stands.
    pub const fn paper() -> Self {
        Self { deletion_baseline: DeletionBaseline::Black, empty_pairs: EmptyPairs::Pairs, ..Self::official() }
    }

    /// The released code's, but for pairs that aren't part of a game, which don't count.
    pub const fn controlled() -> Self {
        Self { empty_pairs: EmptyPairs::Pairs, ..Self::official() }
    }
}
