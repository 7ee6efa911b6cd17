//! The records of a run: one for each data set, sample, class, model, method, with or without UCAG,
//! and metric.

mod curve_codec;
pub(crate) mod format;
pub mod journal;
pub(crate) mod reader;
pub mod saved_maps;

use datasets::Checksum;
use serde::{Deserialize, Serialize};
use ucag_core::postprocess::MapState;

use crate::plan::UnitId;

/// One number, and what it is the number of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The data set's name in the config.
    pub dataset: String,
    /// Id of the sample.
    pub sample: String,
    /// Class that was explained and scored.
    pub class: usize,
    /// True if sample and class are a pair of the data set's "difficult" subset.
    pub difficult: bool,
    /// The model's name in the config.
    pub model: String,
    /// The method, as the config calls it.
    pub method: String,
    /// True if UCAG was around the method.
    pub ucag: bool,
    /// The config's variant; empty for the usual row.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Id of the metric.
    pub metric: String,
    /// The number, in the metric's own range (a fraction, not percent); nothing where the metric
    /// has none for this map.
    pub value: Option<f64>,
    /// The state of the map; degenerate ones are scored as the all-zero map, where it has a score.
    pub map: MapState,
    /// The curve that the number was integrated from, where there is one.
    #[serde(default, with = "curve_codec")]
    pub curve: Option<Vec<f32>>,
    /// The counts that it is made of, numerators and denominators, where the metric sums those over
    /// samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<[u64; 2]>,
}

/// A sample that could not be scored for a model; the others are not affected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The data set's name in the config.
    pub dataset: String,
    /// Id of the sample.
    pub sample: String,
    /// The model's name in the config.
    pub model: String,
    /// The error, naming the file where there is one.
    pub error: String,
}

/// The outcome of a unit of work: one sample with one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Position in the plan, which is the order of tables whatever the order of work.
    pub index: UnitId,
    /// The sample's checksum; not where it has no records, nor in journals of earlier versions of
    /// this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Checksum>,
    /// Records, or why there are none.
    pub outcome: Result<Vec<Record>, Failure>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(curve: Option<Vec<f32>>) -> Record {
        let text = r#"{"dataset":"d","sample":"s","class":1,"difficult":false,"model":"m","method":"a","ucag":false,"metric":"x","value":0.1,"map":"fine"}"#;
        Record { curve, ..serde_json::from_str(text).unwrap() }
    }

    #[test]
    fn a_curve_is_written_as_its_bytes() {
        // 1 is 00 00 80 3f and -2 is 00 00 00 c0, lowest byte first; Python:
        // base64.b64encode(struct.pack('<2f', 1, -2)).
        let text = serde_json::to_string(&with(Some(vec![1.0, -2.0]))).unwrap();
        assert!(text.contains(r#""curve":"AACAPwAAAMA=""#), "{text}");
        assert!(serde_json::to_string(&with(None)).unwrap().contains(r#""curve":null"#));
    }

    #[test]
    fn every_value_comes_back_to_the_last_bit() {
        let values = vec![0.1, -0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, f32::INFINITY, 1.0 / 3.0];
        let text = serde_json::to_string(&with(Some(values.clone()))).unwrap();
        let read: Record = serde_json::from_str(&text).unwrap();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read.curve.unwrap()), bits(&values));
        assert_eq!(serde_json::from_str::<Record>(&serde_json::to_string(&with(None)).unwrap()).unwrap(), with(None));
    }

    #[test]
    fn what_is_no_curve_is_refused() {
        let text = serde_json::to_string(&with(None)).unwrap();
        for (curve, why) in
            [("\"AAC\"", "a curve: "), ("\"AACA\"", "a curve of 3 bytes"), ("[1.0]", "expected a curve")]
        {
            let text = text.replace("\"curve\":null", &format!("\"curve\":{curve}"));
            let error = serde_json::from_str::<Record>(&text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
