use datasets::Checksum;
use serde_json::json;

use super::*;
use crate::plan::UnitId;
use crate::records::{Failure, Record};

fn failed(index: usize) -> Unit {
    let failure = Failure { dataset: "d".into(), sample: format!("s{index}"), model: "m".into(), error: "none".into() };
    Unit { index: UnitId(index), sha256: None, outcome: Err(failure) }
}

fn done(index: usize, value: f64) -> Unit {
    let record = Record {
        dataset: "d".into(),
        sample: format!("s{index}"),
        class: index,
        difficult: false,
        model: "m".into(),
        method: "a".into(),
        ucag: false,
        variant: String::new(),
        metric: "x".into(),
        value: Some(value),
        map: ucag_core::postprocess::MapState::Ok,
        curve: Some(vec![1.0, value as f32, 0.1]),
        counts: Vec::new(),
    };
    Unit { index: UnitId(index), sha256: Some(Checksum::of(&[index as u8])), outcome: Ok(vec![record]) }
}

/// The lines of these units.
fn all(reader: &Reader, order: &[usize]) -> Result<Vec<Unit>> {
    let mut units = Vec::new();
    reader.each(order.iter().copied().map(UnitId), |unit| {
        units.push(unit);
        Ok(())
    })?;
    Ok(units)
}

#[test]
fn a_torn_last_line_is_dropped_and_the_rest_kept() {
    let dir = tempfile::tempdir().unwrap();
    let identity = json!({"a": 1});
    let mut journal = Journal::open(dir.path(), &identity, false).unwrap();
    assert_eq!(journal.units().count(), 0);
    journal.append(&failed(3)).unwrap();
    journal.append(&failed(1)).unwrap();
    drop(journal);
    let path = dir.path().join(FILE);
    let whole = std::fs::read(&path).unwrap();
    for cut in 1..20 {
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let mut journal = Journal::open(dir.path(), &identity, false).unwrap();
        assert_eq!(journal.units().collect::<Vec<_>>(), [(UnitId(3), false)]);
        journal.append(&failed(1)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        assert_eq!(all(&journal, &[1, 3]).unwrap(), [failed(1), failed(3)]);
    }
}

#[test]
fn the_last_line_of_a_unit_counts_whoever_wrote_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &json!({}), false).unwrap();
    for unit in [done(7, 0.5), failed(2), done(0, 1.0 / 3.0)] {
        journal.append(&unit).unwrap();
    }
    drop(journal);
    let mut journal = Journal::open(dir.path(), &json!({}), false).unwrap();
    journal.append(&done(2, 0.25)).unwrap();
    assert_eq!(journal.units().collect::<Vec<_>>(), [(UnitId(0), true), (UnitId(2), true), (UnitId(7), true)]);
    let expected = [done(0, 1.0 / 3.0), done(2, 0.25), done(7, 0.5)];
    assert_eq!(all(&journal, &[0, 2, 7]).unwrap(), expected);
    assert_eq!(all(&journal, &[7, 0]).unwrap(), [done(7, 0.5), done(0, 1.0 / 3.0)], "in the order asked for");
    // Another program may read at the same time, a line that is being written or not.
    let mut text = std::fs::OpenOptions::new().append(true).open(dir.path().join(FILE)).unwrap();
    text.write_all(b"{\"index\":9,").unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(all(&reader, &[0, 2, 7]).unwrap(), expected);
    let missing = all(&reader, &[9]).unwrap_err().to_string();
    assert!(missing.ends_with("records.jsonl: has no unit 9"), "{missing}");
}

#[test]
fn another_run_and_a_second_writer_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let open = |identity: Value, fresh| Journal::open(dir.path(), &identity, fresh);
    let first = open(json!({"seed": 1, "model": [{"weights": "x"}]}), false).unwrap();
    let busy = open(json!({}), false).unwrap_err().to_string();
    assert!(busy.contains("another run is writing to this folder"), "{busy}");
    drop(first);
    let other = open(json!({"seed": 2, "model": [{"weights": "y"}]}), false).unwrap_err().to_string();
    assert!(
        other.contains(
            "differs in model.0.weights (\"x\" there, \"y\" here), seed (1 there, 2 here); start over with --fresh"
        ),
        "{other}"
    );
    open(json!({"seed": 2}), true).unwrap();
    open(json!({"seed": 2}), false).unwrap();
}

#[test]
fn a_journal_of_an_older_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), "{\"format\":2,\"identity\":{}}\n").unwrap();
    let error = Journal::open(dir.path(), &json!({}), false).unwrap_err().to_string();
    assert!(error.contains("another version of this program (format 2, not 3); start over with --fresh"), "{error}");
}

#[test]
fn a_damaged_line_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &json!({}), false).unwrap();
    journal.append(&failed(0)).unwrap();
    drop(journal);
    let path = dir.path().join(FILE);
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("not json\n");
    std::fs::write(&path, text).unwrap();
    let error = Journal::open(dir.path(), &json!({}), false).unwrap_err().to_string();
    assert!(error.contains("records.jsonl:3: not a line of a run's journal"), "{error}");
}

#[test]
fn damage_within_records_is_named_when_they_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(dir.path(), &json!({}), false).unwrap();
    (0..4).for_each(|index| journal.append(&done(index, 0.5)).unwrap());
    drop(journal);
    let path = dir.path().join(FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    for (whole, damaged) in [("\"s2\"", "2"), ("\"class\":2", "\"class\":-2")] {
        std::fs::write(&path, text.replace(whole, damaged)).unwrap();
        let journal = Journal::open(dir.path(), &json!({}), false).unwrap();
        assert_eq!(all(&journal, &[0, 1, 3]).unwrap().len(), 3, "the others are there");
        let error = all(&journal, &[0, 1, 2, 3]).unwrap_err().to_string();
        assert!(error.contains("records.jsonl:4: not a line of a run's journal; start over with --fresh"), "{error}");
    }
}
