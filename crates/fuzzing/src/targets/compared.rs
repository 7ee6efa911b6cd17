//! The journal's description of its run, which comparisons are made of.

use bench::cli::CompareArgs;
use bench::commands::compare::tables;
use bench::config::Protocol;
use bench::plan::UnitId;
use bench::records::journal::FILE;
use bench::records::{Record, Unit};
use datasets::Checksum;
use serde_json::{Value, json};
use ucag_core::postprocess::MapState;

use super::stage::Stage;
use crate::{Target, nothing};

/// A run that is compared with another one, and that one with it.
pub(super) static COMPARED: Target = Target {
    name: "compared",
    seeds: || vec![journal(0.25), journal(0.5)],
    words: &[
        "\"classes\":1000000000000,",
        "\"first\":\"s1\",",
        "\"counts\":[[18446744073709551615,1]],",
        "\"class\":3,",
        "\"variants\":[",
        "\"sha256\":\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\",",
        "\"classes_from\":0,",
        "\"metric\":\"pixel-accuracy\",",
        "\"value\":null,",
        "1e308",
        "null",
        "{}",
    ],
    mend: nothing,
    growth: 1000, // a data set's name is repeated in every row of every table
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new().with(&format!("one/{FILE}"), journal(0.125)));
        STAGE.with(|stage| {
            stage.write(&format!("other/{FILE}"), bytes);
            let tables = |names: [&str; 2]| {
                let runs = names.map(|name| stage.path().join(name)).into();
                let resamples = std::num::NonZeroUsize::MIN;
                let args = CompareArgs { runs, out: None, method: None, against: None, resamples };
                let tables = tables(&args).map_err(|error| format!("{error:#}"))?;
                assert!(!tables.is_empty());
                Ok(())
            };
            tables(["one", "other"]).and(tables(["other", "one"]))
        })
    },
};

/// A run with a score of each kind: averaged over samples, over classes, and a quotient of sums.
fn journal(score: f64) -> Vec<u8> {
    let read = Checksum::of(&score.to_le_bytes());
    let units = ["s0", "s1", "s2"].into_iter().enumerate().map(|(index, sample)| {
        let record = |metric: &str, counts: Vec<[u64; 2]>| Record {
            dataset: "mini".into(),
            sample: sample.into(),
            class: index,
            difficult: index == 1,
            model: "M".into(),
            method: "gradcam".into(),
            ucag: false,
            variant: String::new(),
            metric: metric.into(),
            value: Some(score + index as f64 / 8.0),
            map: MapState::Ok,
            curve: None,
            counts,
        };
        // The first sample is read from the same bytes in all runs; of the last it isn't known.
        let sha256 = [Some(Checksum::of(b"s0")), Some(read), None][index];
        let records =
            vec![record("deletion", vec![]), record("pointing", vec![]), record("pixel-accuracy", vec![[3, 4]])];
        serde_json::to_string(&Unit { index: UnitId(index), sha256, outcome: Ok(records) })
            .expect("units can be written")
    });
    let head = json!({"format": 3, "identity": identity()}).to_string();
    std::iter::once(head).chain(units).map(|line| line + "\n").collect::<String>().into()
}

fn identity() -> Value {
    let protocol = serde_json::to_value(Protocol::official()).expect("protocols can be written");
    let variant = |ucag: bool| json!({"name": "", "ucag": ucag, "protocol": protocol});
    let metric = |id: &str| json!({"id": id, "version": 1, "step": null});
    let metrics = ["deletion", "pointing", "pixel-accuracy"].map(metric);
    json!({
        "config": {
            "protocol": protocol, "variants": [variant(false), variant(true)], "seed": 5, "metrics": metrics, "forms": ["pooled"],
            "methods": [{"id": "gradcam", "name": "GradCAM", "variants": [0, 1], "dataset": null, "settings": {"masks": 10}}],
        },
        "datasets": [{"name": "mini", "kind": "mini-voc07", "fingerprint": "cd", "resize": "squash", "classes": 4, "first": "s0"}],
        "models": [{"name": "M", "dataset": "mini", "variant": "resnet", "sha256": "ab", "layer": "layer4", "classes_from": null}],
        "metrics": metrics,
    })
}
