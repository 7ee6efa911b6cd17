//! Averages by class, subsets and several data sets, against numbers worked out by hand.

use std::collections::HashMap;
use std::path::Path;

use crate::report_common::{config, config_on, facts, record, rows, summary};
use bench::config::{Config, Protocol};
use bench::records::{Failure, Record};
use bench::report::{DatasetFacts, ReportFiles, Summary, write};
use ucag_core::postprocess::MapState;

/// A pair's record of GradCAM on M.
fn pair(sample: &str, class: usize, difficult: bool, metric: &str, value: f64) -> Record {
    Record { class, difficult, ..record(sample, "M", "gradcam", false, metric, value) }
}

fn with_ucag(record: &Record, value: f64) -> Record {
    Record { ucag: true, value: Some(value), ..record.clone() }
}

fn four_classes(config: &Config) -> Vec<DatasetFacts> {
    let classes = ["cat", "dog", "hen", "owl"].map(str::to_owned).to_vec();
    facts(config).into_iter().map(|facts| DatasetFacts { classes: classes.clone(), ..facts }).collect()
}

fn report(config: &Config, facts: &[DatasetFacts], records: &[Record], out: &Path) -> ReportFiles {
    write(&summary(config, facts, records, out)).expect("a report")
}

type Line = HashMap<String, String>;

fn find<'a>(rows: &'a [Line], wanted: &[(&str, &str)]) -> &'a Line {
    let mut found = rows.iter().filter(|row| wanted.iter().all(|(key, value)| row[*key] == *value));
    let first = found.next().unwrap_or_else(|| panic!("no row is {wanted:?}"));
    assert!(found.next().is_none(), "several rows are {wanted:?}");
    first
}

fn near(text: &str, expected: f64) {
    let value: f64 = text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"));
    assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
}

/// s0 shows cats and dogs, s1 and s2 dogs, s3 cats and owls; a pair that is skipped leaves no
/// record. Nothing is a hen.
fn hits() -> Vec<Record> {
    vec![
        pair("s0", 0, false, "pointing", 1.0),
        pair("s0", 1, true, "pointing", 0.0),
        pair("s1", 1, false, "pointing", 1.0),
        pair("s2", 1, true, "pointing", 1.0),
        pair("s3", 0, true, "pointing", 0.0),
        pair("s3", 3, false, "pointing", 1.0),
    ]
}

#[test]
fn a_class_average_by_hand() {
    let out = tempfile::tempdir().unwrap();
    let config = config(&["M"], &["gradcam"], &["pointing"]);
    let written = report(&config, &four_classes(&config), &hits(), out.path());
    let table = rows(&out.path().join("made-up.csv"));
    assert_eq!(table.len(), 4, "without and with UCAG, all and difficult");
    let all = find(&table, &[("ucag", "false"), ("subset", "all")]);
    // Cats 1/2, dogs 2/3, hens none, owls 1: over classes, not over pairs (4/6), nor over samples
    // (¾).
    near(&all["ours"], 100.0 * (0.5 + 2.0 / 3.0 + 0.0 + 1.0) / 4.0);
    assert_eq!((all["n"].as_str(), all["pairs"].as_str()), ("4", "6"));
    let difficult = find(&table, &[("ucag", "false"), ("subset", "difficult")]);
    // Cats 0/1, dogs 1/2.
    near(&difficult["ours"], 100.0 * 0.5 / 4.0);
    assert_eq!((difficult["n"].as_str(), difficult["pairs"].as_str()), ("3", "3"));

    let classes = rows(&out.path().join("classes.csv"));
    assert_eq!(classes.len(), 4 * 4);
    let dogs = find(&classes, &[("ucag", "false"), ("subset", "all"), ("name", "dog")]);
    assert_eq!((dogs["class"].as_str(), dogs["pairs"].as_str(), dogs["counted"].as_str()), ("1", "3", "3"));
    near(&dogs["value"], 200.0 / 3.0);

    let page = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    assert!(page.contains("| Pointing game, all ↑ (%)") && page.contains("| Pointing game, difficult ↑ (%)"), "{page}");
    assert!(
        page.contains("- Pointing game, all: 1 of 4 classes have no pair; they count as 0, as in the published code.")
    );
    assert!(page.contains("- Pointing game, difficult: 2 of 4 classes have no pair"), "{page}");
    assert!(page.contains("mean over classes of the mean over a class's pairs of sample and class, 0 to 4 samples of"));
    assert!(!page.contains("NaN") && !written.table.contains("NaN"));
}

#[test]
fn every_class_that_the_first_sample_lacks_starts_with_a_zero() {
    let out = tempfile::tempdir().unwrap();
    let mut config = config(&["M"], &["gradcam"], &["energy"]);
    let energy = |sample: &str, class, difficult, value| pair(sample, class, difficult, "energy", value);
    // The first sample of the plan shows cats alone, and its pair isn't difficult.
    let records = [
        energy("s0", 0, false, 0.8),
        energy("s1", 0, true, 0.4),
        energy("s1", 1, true, 0.6),
        energy("s2", 1, false, 0.3),
        energy("s2", 3, false, 0.5),
    ];
    for (protocol, all, difficult) in [
        // Cats (0.8 + 0.4)/2, dogs (0.6 + 0.3 + 0)/3, hens 0/1, owls (0.5 + 0)/2; difficult: cats
        // (0.4 + 0)/2, dogs (0.6 + 0)/2.
        (Protocol::official(), (0.6 + 0.3 + 0.25) / 4.0, (0.2 + 0.3) / 4.0),
        // The same without zeros that nothing was scored for.
        (Protocol::controlled(), (0.6 + 0.45 + 0.5) / 4.0, (0.4 + 0.6) / 4.0),
    ] {
        config.protocol = protocol;
        report(&config, &four_classes(&config), &records, out.path());
        let table = rows(&out.path().join("made-up.csv"));
        near(&find(&table, &[("ucag", "false"), ("subset", "all")])["ours"], 100.0 * all);
        near(&find(&table, &[("ucag", "false"), ("subset", "difficult")])["ours"], 100.0 * difficult);
    }
    config.protocol = Protocol::official();
    report(&config, &four_classes(&config), &records, out.path());
    let owls = rows(&out.path().join("classes.csv"));
    let owls = find(&owls, &[("ucag", "false"), ("subset", "all"), ("name", "owl")]);
    assert_eq!((owls["pairs"].as_str(), owls["counted"].as_str()), ("1", "2"));
    near(&owls["value"], 25.0);
    let page = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    assert!(page.contains("- Energy pointing game, all: 3 of 4 classes have one pair of value 0 more"), "{page}");
    assert!(page.contains("- Energy pointing game, difficult: 4 of 4 classes have one pair of value 0 more"), "{page}");
}

#[test]
fn the_first_sample_is_the_plans_even_if_another_model_failed_on_it() {
    let out = tempfile::tempdir().unwrap();
    let config = config(&["M", "N"], &["gradcam"], &["energy"]);
    let first = pair("s0", 0, false, "energy", 0.8);
    let second = Record { model: "N".to_owned(), ..pair("s1", 0, false, "energy", 0.6) };
    report(&config, &four_classes(&config), &[first, second], out.path());
    let table = rows(&out.path().join("made-up.csv"));
    // The first sample shows cats, whichever model is asked.
    near(&find(&table, &[("model", "N"), ("ucag", "false"), ("subset", "all")])["ours"], 100.0 * 0.6 / 4.0);
    // It isn't the first in the records: where nothing of s0 was scored, every class starts with a
    // zero.
    let late = [Record { model: "N".to_owned(), ..pair("s1", 0, false, "energy", 0.6) }];
    report(&config, &four_classes(&config), &late, out.path());
    let table = rows(&out.path().join("made-up.csv"));
    near(&find(&table, &[("model", "N"), ("ucag", "false"), ("subset", "all")])["ours"], 100.0 * 0.3 / 4.0);
}

#[test]
fn differences_are_averaged_by_class_over_the_pairs_that_both_have() {
    let out = tempfile::tempdir().unwrap();
    let config = config(&["M"], &["gradcam"], &["pointing"]);
    let plain = hits();
    // With UCAG the cats and the first dog are hit; s2 could not be scored.
    let with = [(0, 1.0), (1, 1.0), (2, 1.0), (4, 1.0), (5, 1.0)].map(|(i, value)| with_ucag(&plain[i], value));
    let records = [&plain[..], &with].concat();
    report(&config, &four_classes(&config), &records, out.path());
    let table = rows(&out.path().join("made-up.csv"));
    let all = find(&table, &[("ucag", "true"), ("subset", "all")]);
    // Cats (0 + 1)/2, dogs (1 + 0)/2, owls 0.
    near(&all["difference"], 100.0 * (0.5 + 0.5) / 4.0);
    assert_eq!(all["difference_n"], "3");
    let difficult = find(&table, &[("ucag", "true"), ("subset", "difficult")]);
    near(&difficult["difference"], 100.0 * (1.0 + 1.0) / 4.0);
    assert_eq!(difficult["difference_n"], "2");
}

#[test]
fn data_sets_stand_apart() {
    let out = tempfile::tempdir().unwrap();
    let mut config = config_on(&["A", "B"], &[(0, "M"), (1, "M")], &["gradcam", "random"], &["pointing", "deletion"]);
    config.methods[1].dataset = Some(1);
    let on = |dataset: &str, record: Record| Record { dataset: dataset.to_owned(), ..record };
    let mut zero = on("B", pair("s1", 1, false, "pointing", 0.0));
    zero.map = MapState::AllZero;
    let records = [
        on("A", pair("s0", 0, false, "pointing", 1.0)),
        on("A", pair("s0", 0, false, "deletion", 0.25)),
        // The same id in another data set is another sample.
        on("B", pair("s0", 0, false, "pointing", 1.0)),
        zero,
        on("B", pair("s0", 0, false, "deletion", 0.75)),
    ];
    let mut datasets = four_classes(&config);
    datasets[1].remarks.push("Difficult pairs are guessed.".to_owned());
    let failures =
        [Failure { dataset: "B".into(), sample: "s9".into(), model: "M".into(), error: "no such file".into() }];
    let made = Summary { failures: &failures, ..summary(&config, &datasets, &records, out.path()) };
    let written = write(&made).unwrap();
    let table = rows(&out.path().join("made-up.csv"));
    // Three columns each: two rows of GradCAM on both, one of the control on B alone.
    assert_eq!(table.len(), 3 * 2 + 3 * 3);
    let ours = |dataset: &str, metric: &str| {
        let wanted =
            [("dataset", dataset), ("metric", metric), ("subset", "all"), ("ucag", "false"), ("method", "gradcam")];
        find(&table, &wanted)["ours"].clone()
    };
    near(&ours("A", "pointing"), 25.0);
    near(&ours("B", "pointing"), 25.0);
    near(&ours("A", "deletion"), 25.0);
    near(&ours("B", "deletion"), 75.0);

    let page = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no `{text}` in\n{page}"));
    assert!(place("\n## A\n") < place("\n### M\n") && place("\n### M\n") < place("\n## B\n"), "{page}");
    assert!(place("\n## B\n") < place("- Difficult pairs are guessed.\n"), "{page}");
    assert!(page.contains("- `s9` of B on M: no such file"), "{page}");
    assert!(page.contains("Controls") && place("Controls") > place("\n## B\n"), "{page}");
    assert!(written.table.contains("\nA: M\n") && written.table.contains("\nB: M\n"), "{}", written.table);
    assert!(written.table.contains("B: Difficult pairs are guessed."), "{}", written.table);
    let line = written.table.lines().skip_while(|line| !line.starts_with("Degenerate")).nth(2).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["B", "M", "GradCAM", "1", "0", "0", "2"]);
    let failed = rows(&out.path().join("failures.csv"));
    assert_eq!((failed[0]["dataset"].as_str(), failed[0]["sample"].as_str()), ("B", "s9"));
    let samples = rows(&out.path().join("samples.csv"));
    assert_eq!((samples[2]["dataset"].as_str(), samples[2]["difficult"].as_str()), ("B", "false"));
}

#[test]
fn a_class_that_the_data_set_lacks_is_refused() {
    let out = tempfile::tempdir().unwrap();
    let config = config(&["M"], &["gradcam"], &["pointing"]);
    let records = [pair("s0", 4, false, "pointing", 1.0)];
    let error = write(&summary(&config, &four_classes(&config), &records, out.path())).unwrap_err().to_string();
    assert_eq!(error, "sample `s0`: class 4, but data set 'mini' has 4 classes, counted from 0");
    let error = write(&summary(&config, &[], &[], out.path())).unwrap_err().to_string();
    assert!(error.contains("nothing is known of data set 'mini'"), "{error}");
}

#[test]
fn classes_of_an_earlier_report_do_not_stay() {
    let out = tempfile::tempdir().unwrap();
    let games = config(&["M"], &["gradcam"], &["pointing"]);
    report(&games, &four_classes(&games), &hits(), out.path());
    assert!(out.path().join("classes.csv").exists());
    let deletion = config(&["M"], &["gradcam"], &["deletion"]);
    report(&deletion, &four_classes(&deletion), &[], out.path());
    assert!(!out.path().join("classes.csv").exists());
}
