//! A protocol: every choice on which the paper's text and its authors' code differ, as one named,
//! versioned value.
//!
//! docs/protocol.md#protocol-fields has a table of the fields, and a section for each of them.

use metrics::protocol::{DeletionBaseline, EmptyPairs, ScoringProtocol, TieOrder};
use serde::{Deserialize, Serialize, Serializer};
use ucag_core::protocol::MapProtocol;
use ucag_core::suggest::nearest;

/// Class that an image is explained and scored for, where the data set names one: see
/// docs/protocol.md#d17-target-class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The image's label: the released code.
    Label,
    /// The class the network thinks likeliest.
    Predicted,
}

/// Every choice, as one value. Configs start from a named one and may override any field.
#[derive(Debug, Clone, PartialEq)]
pub struct Protocol {
    /// Its name, with `+` where fields were overridden: see docs/protocol.md#protocol-fields.
    pub name: String,
    /// Raised whenever a change here changes numbers.
    pub version: u32,
    /// The choices that maps depend on.
    pub maps: MapProtocol,
    /// The choices that scores depend on.
    pub scoring: ScoringProtocol,
    /// Class that is explained and scored: see docs/protocol.md#d17-target-class.
    pub target: Target,
}

/// Names of the protocols.
pub const PROTOCOLS: &[&str] = &["official", "paper", "controlled"];

impl Protocol {
    /// The arithmetic of the authors' released code, run with its score flag on: the published
    /// numbers came from it.
    pub fn official() -> Self {
        Self {
            name: "official".into(),
            version: 3,
            maps: MapProtocol::official(),
            scoring: ScoringProtocol::official(),
            target: Target::Label,
        }
    }

    /// The paper's text. Where it is silent, the released code's choice stands.
    pub fn paper() -> Self {
        Self { name: "paper".into(), maps: MapProtocol::paper(), scoring: ScoringProtocol::paper(), ..Self::official() }
    }

    /// A fair comparison: true coverage counts, and the same smoothing for a method with and
    /// without UCAG, so that their difference is UCAG's own contribution.
    pub fn controlled() -> Self {
        Self {
            name: "controlled".into(),
            maps: MapProtocol::controlled(),
            scoring: ScoringProtocol::controlled(),
            ..Self::official()
        }
    }

    /// The protocol of this name.
    ///
    /// # Errors
    /// [`ucag_core::Error::Unknown`] with the nearest name.
    pub fn named(name: &str) -> ucag_core::Result<Self> {
        match name {
            "official" => Ok(Self::official()),
            "paper" => Ok(Self::paper()),
            "controlled" => Ok(Self::controlled()),
            _ => Err(ucag_core::Error::Unknown {
                what: "protocol",
                name: name.to_owned(),
                suggestion: nearest(name, PROTOCOLS.iter().copied()),
            }),
        }
    }
}

/// One table of fields, in the order of docs/protocol.md: files don't show which crate reads which.
impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            name: &'a str,
            version: u32,
            #[serde(flatten)]
            maps: &'a MapProtocol,
            deleted: DeletionBaseline,
            ties: TieOrder,
            target: Target,
            tally: EmptyPairs,
        }
        // Taken apart by name, so that a new field can't be forgotten.
        let ScoringProtocol { deletion_baseline: deleted, tie_order: ties, empty_pairs: tally } = self.scoring;
        let Self { name, version, maps, target, .. } = self;
        Fields { name, version: *version, maps, deleted, ties, target: *target, tally }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_protocol() {
        for name in PROTOCOLS {
            assert_eq!(Protocol::named(name).unwrap().name, *name);
        }
        let unknown = Protocol::named("oficial").unwrap_err().to_string();
        assert_eq!(unknown, "unknown protocol 'oficial'; did you mean 'official'?");
    }

    #[test]
    fn a_document_has_all_fields_in_one_table_and_in_this_order() {
        let text = toml::to_string(&Protocol::official()).unwrap();
        let keys: Vec<&str> = text.lines().filter_map(|line| line.split(" = ").next()).collect();
        let maps = ["n", "rho", "alpha", "interpolation", "scale", "coverage", "confidence", "large_maps"];
        let rest = ["smoothing", "rectify", "deleted", "ties", "target", "tally"];
        let expected: Vec<&str> = ["name", "version"].into_iter().chain(maps).chain(rest).collect();
        assert_eq!(keys, expected);
    }
}
