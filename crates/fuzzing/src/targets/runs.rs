//! The files of a run's folder, and the published numbers that are set beside it.

use bench::analysis::published;
use bench::plan::UnitId;
use bench::plan::precomputed::checksums;
use bench::records::journal::{FILE, Journal, Reader};
use bench::records::saved_maps;
use bench::records::{Failure, Record, Unit};
use datasets::Checksum;
use serde_json::json;
use ucag_core::postprocess::MapState;

use super::stage::{Stage, fixture};
use crate::{Target, nothing};

/// The journal.
pub(super) static JOURNAL: Target = Target {
    name: "journal",
    seeds: || vec![journal_seed(), b"{\"format\":3,\"identity\":{\"a\":[1,2.5,null]}}\n".to_vec()],
    words: &[
        "\n",
        "{\"format\":3,\"identity\":",
        "\"index\":",
        "\"sha256\":null,",
        "\"sha256\":\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\",",
        "\"outcome\":{\"Ok\":[",
        "\"Err\":",
        "null",
        "\"value\":",
        "\"fine\"",
        "\"counts\":[[1,2]],",
        "\\ud800",
    ],
    mend: nothing,
    growth: 400, // an element of a list is two bytes in the file
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new());
        STAGE.with(|stage| {
            stage.write(FILE, bytes);
            let said = |error: anyhow::Error| {
                let message = format!("{error:#}");
                assert!(message.contains(FILE), "a message without the file: {message}");
                message
            };
            let units = |journal: &Reader| {
                let (mut all, indices): (Vec<Unit>, Vec<UnitId>) =
                    (Vec::new(), journal.units().map(|unit| unit.0).collect());
                journal.each(indices, |unit| {
                    all.push(unit);
                    Ok(())
                })?;
                Ok(all)
            };
            let journal = Reader::open(stage.path()).map_err(said)?;
            let read = units(&journal).map_err(said);
            // The run that it is of goes on with the same units, and leaves the journal as it was
            // but for an unfinished line.
            if let Ok(before) = &read {
                // A shard's journal is refused as a whole run's.
                let Ok(resumed) = Journal::open(stage.path(), journal.identity(), false) else { return Ok(()) };
                assert_eq!(before, &units(&resumed).map_err(said)?);
                drop(resumed);
                let again = Reader::open(stage.path()).map_err(said)?;
                assert_eq!(before, &units(&again).map_err(said)?);
            }
            read.map(|_| ())
        })
    },
};

/// Published numbers.
pub(super) static PUBLISHED: Target = Target {
    name: "published",
    seeds: || (1..=5).map(|table| fixture(&format!("results/published/table{table}.csv"))).collect(),
    words: &["true", "false", ",", "\"", "\n", "NaN", "inf", "table,dataset,model,method,ucag,metric,value\n"],
    mend: nothing,
    growth: 60, // a row has six texts of its own
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new());
        STAGE.with(|stage| {
            stage.write("published.csv", bytes);
            let rows = published::read(&stage.path().join("published.csv")).map_err(|error| format!("{error:#}"))?;
            assert!(rows.iter().all(|row| row.value.is_finite()));
            Ok(())
        })
    },
};

/// The list of a run's maps.
pub(super) static MAPS: Target = Target {
    name: "maps",
    seeds: || {
        let lines = ["theirs,false,,d/m/a_1.npy,", "theirs,true,\"with, comma\",d/m/b_0.npy,"]
            .map(|line| format!("{line}{}\n", "0a".repeat(32)));
        vec![format!("method,ucag,variant,file,sha256\n{}", lines.concat()).into()]
    },
    words: &["true", ",", "\"", "\n", "../", "/", "theirs,false,,d/m/a_1.npy,"],
    mend: nothing,
    growth: 60,
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new());
        STAGE.with(|stage| {
            stage.write(checksums::FILE, bytes);
            checksums::count(stage.path()).map(|_| ()).map_err(|error| format!("{error:#}"))
        })
    },
};

/// The saved maps of a gallery's picture.
pub(super) static PLATE: Target = Target {
    name: "plate",
    seeds: || {
        let tile = json!({
            "method": "gradcam", "label": "GradCAM", "ucag": true, "file": "0.png", "signed": false, "largest": 1.5, "state": "fine", "point": [1.0, 2.5],
            "scores": [["deletion", 0.25]],
        });
        let plate = json!({
            "dataset": "d", "sample": "a/b", "class": 3, "class_name": "dog", "model": "m", "size": [5, 4], "mask": true, "tiles": [tile],
        });
        vec![plate.to_string().into()]
    },
    words: &[
        "\"size\":[4294967295,4294967295]",
        "\"file\":null,",
        "[",
        "\"state\":\"all-zero\"",
        "null",
        "../",
        "\"tiles\":[",
    ],
    mend: nothing,
    growth: 400,
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new().with("image.png", super::stage::blank(5, 4)));
        STAGE.with(|stage| {
            stage.write("plate.json", bytes);
            let said = |error: anyhow::Error| format!("{error:#}");
            let plate = saved_maps::read(stage.path()).map_err(said)?;
            let image = plate.image(stage.path()).map_err(said)?;
            assert_eq!(image.dimensions(), plate.size.into());
            // The pictures of masks and maps aren't there: what is asked for here is that a name in
            // the file leads to a message.
            let _ = plate.mask(stage.path()).map_err(said);
            for tile in &plate.tiles {
                let _ = plate.map(stage.path(), tile).map_err(said);
            }
            Ok(())
        })
    },
};

fn journal_seed() -> Vec<u8> {
    let record = |value: Option<f64>| Record {
        dataset: "d".into(),
        sample: "a".into(),
        class: 3,
        difficult: false,
        model: "m".into(),
        method: "gradcam".into(),
        ucag: true,
        variant: String::new(),
        metric: "deletion".into(),
        value,
        map: MapState::Ok,
        curve: value.map(|_| vec![1.0, 0.5, 0.125]),
        counts: vec![[1, 2]],
    };
    let failure = Failure { dataset: "d".into(), sample: "b".into(), model: "m".into(), error: "none".into() };
    let units = [
        Unit { index: UnitId(0), sha256: Some(Checksum::of(b"a")), outcome: Ok(vec![record(Some(0.1)), record(None)]) },
        Unit { index: UnitId(1), sha256: None, outcome: Ok(vec![record(Some(0.5))]) },
        Unit { index: UnitId(2), sha256: None, outcome: Err(failure) },
    ];
    let mut text = json!({"format": 3, "identity": {"seed": 1, "config": {"metrics": ["deletion"]}}}).to_string();
    for unit in &units {
        text += "\n";
        text += &serde_json::to_string(unit).expect("units can be written");
    }
    (text + "\n").into()
}
