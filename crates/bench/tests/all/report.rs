//! Reports of made-up records, against numbers computed by hand.

use std::collections::BTreeMap;
use std::path::Path;

use crate::report_common::{config, facts, normals, pairs, record, rows, summary};
use bench::config::Config;
use bench::records::{Failure, Record};
use bench::report::{ReportFiles, Summary, write};
use ucag_core::postprocess::MapState;

fn report(config: &Config, records: &[Record], out: &Path) -> ReportFiles {
    write(&summary(config, &facts(config), records, out)).expect("a report")
}

fn near(text: &str, expected: f64) {
    let value: f64 = text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"));
    assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
}

#[test]
fn means_and_paired_differences_by_hand() {
    let out = tempfile::tempdir().unwrap();
    // The second row lacks s2: its mean is over two samples, and so is the difference.
    let records = pairs("deletion", &[0.10, 0.20, 0.60], &[0.05, 0.13]);
    report(&config(&["M"], &["gradcam"], &["deletion"]), &records, out.path());
    let rows = rows(&out.path().join("made-up.csv"));
    assert_eq!(rows.len(), 2);
    near(&rows[0]["ours"], 30.0);
    near(&rows[1]["ours"], 9.0);
    assert_eq!((rows[0]["n"].as_str(), rows[1]["n"].as_str()), ("3", "2"));
    near(&rows[1]["difference"], -6.0);
    assert_eq!(rows[1]["difference_n"], "2");
    // Two differences, −5 and −7: the outermost resamples are all the one and all the other.
    near(&rows[1]["difference_low"], -7.0);
    near(&rows[1]["difference_high"], -5.0);
    assert_eq!(rows[1]["verdict"], "better");
    assert!(["difference", "verdict", "published", "ours_minus_published"].iter().all(|key| rows[0][*key].is_empty()));
    assert_eq!(
        (rows[0]["unit"].as_str(), rows[0]["better"].as_str(), rows[0]["protocol"].as_str()),
        ("%", "lower", "official")
    );
}

#[test]
fn a_higher_insertion_is_better_and_a_lower_one_worse() {
    for (with, verdict) in [([0.5, 0.6], "better"), ([0.1, 0.2], "worse"), ([0.2, 0.5], "unclear")] {
        let out = tempfile::tempdir().unwrap();
        report(&config(&["M"], &["gradcam"], &["insertion"]), &pairs("insertion", &[0.3, 0.4], &with), out.path());
        assert_eq!(rows(&out.path().join("made-up.csv"))[1]["verdict"], verdict);
    }
}

#[test]
fn one_sample_has_no_interval_and_no_verdict() {
    let out = tempfile::tempdir().unwrap();
    let written = report(&config(&["M"], &["gradcam"], &["deletion"]), &pairs("deletion", &[0.5], &[0.1]), out.path());
    let rows = rows(&out.path().join("made-up.csv"));
    near(&rows[1]["ours"], 10.0);
    assert!(["low", "high", "difference_low"].iter().all(|key| rows[1][*key].is_empty()));
    assert_eq!(rows[1]["verdict"], "unclear");
    assert!(written.table.contains("One sample has no interval"), "{}", written.table);
}

#[test]
fn cells_without_samples_are_empty_everywhere() {
    let out = tempfile::tempdir().unwrap();
    let config = config(&["M", "Broken"], &["gradcam", "random"], &["deletion", "insertion"]);
    let records = pairs("deletion", &[0.1, 0.2], &[0.1, 0.3]);
    let failures = [Failure {
        dataset: "mini".into(),
        sample: "s0".into(),
        model: "Broken".into(),
        error: "x.jpg: truncated".into(),
    }];
    let facts = facts(&config);
    let written = write(&Summary { failures: &failures, ..summary(&config, &facts, &records, out.path()) }).unwrap();
    let table = rows(&out.path().join("made-up.csv"));
    assert_eq!(table.len(), 2 * 3 * 2);
    let broken: Vec<_> = table.iter().filter(|row| row["model"] == "Broken").collect();
    assert_eq!(broken.len(), 6);
    assert!(broken.iter().all(|row| row["ours"].is_empty() && row["n"] == "0" && row["verdict"].is_empty()));
    let page = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    let svg = std::fs::read_to_string(out.path().join("made-up.svg")).unwrap();
    for text in [&page, &written.table, &svg] {
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
    assert!(page.contains("- `s0` on Broken: x.jpg: truncated"), "{page}");
    assert_eq!(rows(&out.path().join("failures.csv"))[0]["error"], "x.jpg: truncated");
    // A later report without failures doesn't leave the old ones lying.
    report(&config, &records, out.path());
    assert!(!out.path().join("failures.csv").exists());
}

#[test]
fn no_records_at_all_is_a_report_too() {
    let out = tempfile::tempdir().unwrap();
    let written = report(&config(&["M"], &["gradcam"], &["deletion"]), &[], out.path());
    assert!(written.table.contains("no samples"), "{}", written.table);
}

#[test]
fn several_classes_of_a_sample_count_once() {
    let out = tempfile::tempdir().unwrap();
    let mut second = record("s0", "M", "random", false, "deletion", 0.6);
    second.class = 4;
    let records = [
        record("s0", "M", "random", false, "deletion", 0.2),
        second,
        record("s1", "M", "random", false, "deletion", 0.1),
    ];
    report(&config(&["M"], &["random"], &["deletion"]), &records, out.path());
    let rows = rows(&out.path().join("made-up.csv"));
    near(&rows[0]["ours"], 25.0); // (mean(20, 60) + 10) / 2
    assert_eq!(rows[0]["n"], "2");
    assert_eq!(rows[0]["role"], "control");
}

#[test]
fn degenerate_maps_are_counted_by_kind() {
    let out = tempfile::tempdir().unwrap();
    let mut records = pairs("deletion", &[0.1, 0.2, 0.3, 0.4], &[]);
    for (record, state) in
        records.iter_mut().zip([MapState::AllZero, MapState::AllZero, MapState::Constant, MapState::Ok])
    {
        record.map = state;
    }
    let written = report(&config(&["M"], &["gradcam"], &["deletion"]), &records, out.path());
    let rows = rows(&out.path().join("made-up.csv"));
    assert_eq!([&rows[0]["all_zero"], &rows[0]["constant"], &rows[0]["non_finite"]], ["2", "1", "0"]);
    let line = written.table.lines().skip_while(|line| !line.starts_with("Degenerate")).nth(2).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["M", "GradCAM", "2", "1", "0", "4"]);
}

#[test]
fn maps_without_a_number_are_left_out_and_counted() {
    let out = tempfile::tempdir().unwrap();
    let mut records = pairs("positive-map-density", &[2.0, 3.0, 4.0], &[3.0, 5.0, 9.0]);
    // The second sample has no number without UCAG, the third none with it.
    for record in [1, 5] {
        (records[record].value, records[record].map) = (None, MapState::AllZero);
    }
    let written = report(&config(&["M"], &["gradcam"], &["positive-map-density"]), &records, out.path());
    let table = rows(&out.path().join("made-up.csv"));
    near(&table[0]["ours"], 3.0);
    near(&table[1]["ours"], 4.0);
    near(&table[1]["difference"], 1.0);
    for row in &table {
        assert_eq!([&row["n"], &row["all_zero"]], ["2", "1"]);
    }
    let sentence = "Positive map density has no number for 2 of 6 maps, which are left out of its means.";
    let page = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    assert!(page.contains(sentence) && written.table.contains(sentence), "{page}");
    let line = written.table.lines().skip_while(|line| !line.starts_with("Degenerate")).nth(2).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), ["M", "GradCAM", "1", "0", "0", "3"]);
    let samples = rows(&out.path().join("samples.csv"));
    assert_eq!([&samples[0]["value"], &samples[1]["value"]], ["2", ""]);
    // A journal holds such a record, and it is the same when it is read back.
    let line = serde_json::to_string(&records[1]).unwrap();
    assert_eq!(serde_json::from_str::<bench::records::Record>(&line).unwrap(), records[1]);
}

#[test]
fn samples_keep_their_order_and_every_digit() {
    let out = tempfile::tempdir().unwrap();
    let values = [0.1 + 0.2, 1.0 / 3.0, 1e-300];
    report(&config(&["M"], &["gradcam"], &["deletion"]), &pairs("deletion", &values, &[]), out.path());
    let text = std::fs::read_to_string(out.path().join("samples.csv")).unwrap();
    assert!(text.starts_with(
        "dataset,sample,class,difficult,model,method,ucag,variant,metric,value,map\n\
         mini,s0,0,false,M,gradcam,false,,deletion,0.30000000000000004,ok\n"
    ));
    let read: Vec<f64> =
        rows(&out.path().join("samples.csv")).iter().map(|row| row["value"].parse().unwrap()).collect();
    assert_eq!(read, values);
}

#[test]
fn mean_curves_by_hand() {
    let out = tempfile::tempdir().unwrap();
    let mut records = pairs("deletion", &[0.1, 0.2], &[]);
    records[0].curve = Some(vec![1.0, 0.5, 0.0]);
    records[1].curve = Some(vec![0.5, 0.25, 0.25]);
    let config = config(&["M"], &["gradcam"], &["deletion"]);
    report(&config, &records, out.path());
    let text = std::fs::read_to_string(out.path().join("curves.csv")).unwrap();
    let expected = ["0.000000,0.750000,2", "0.500000,0.375000,2", "1.000000,0.125000,2"];
    let lines: Vec<String> = expected.iter().map(|rest| format!("mini,M,gradcam,false,,deletion,{rest}")).collect();
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), lines);

    records[1].curve = Some(vec![0.5, 0.25]);
    let error = write(&summary(&config, &facts(&config), &records, out.path())).unwrap_err().to_string();
    assert!(error.contains("`s1`") && error.contains("2 points where others have 3"), "{error}");
}

#[test]
fn records_of_another_config_and_values_that_are_no_numbers_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let config = config(&["M"], &["gradcam"], &["deletion"]);
    for (record, expected) in [
        (record("s9", "Other", "gradcam", false, "deletion", 0.1), "another config"),
        (record("s9", "M", "gradcam", false, "deletion", f64::NAN), "NaN"),
    ] {
        let error = write(&summary(&config, &facts(&config), &[record], out.path())).unwrap_err().to_string();
        assert!(error.contains("`s9`") && error.contains(expected), "{error}");
    }
}

#[test]
fn the_same_records_give_the_same_bytes() {
    let config = config(&["M", "N"], &["gradcam", "wgradcam", "random"], &["deletion", "insertion"]);
    let mut records = Vec::new();
    for (s, value) in normals(40).iter().enumerate() {
        for model in ["M", "N"] {
            for (method, ucag) in [("gradcam", false), ("gradcam", true), ("wgradcam", true), ("random", false)] {
                let mut record = record(&format!("s{s}"), model, method, ucag, "deletion", value / 7.0);
                record.curve = Some(vec![1.0, *value as f32, 0.0]);
                records.push(record);
            }
        }
    }
    let made = || {
        let out = tempfile::tempdir().unwrap();
        let written = report(&config, &records, out.path());
        let files = written
            .files
            .iter()
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()));
        (files.collect::<BTreeMap<_, _>>(), written.table)
    };
    let (first, second) = (made(), made());
    let names: Vec<&str> = first.0.keys().map(String::as_str).collect();
    let expected = [
        "curves.csv",
        "curves.png",
        "curves.svg",
        "made-up.csv",
        "made-up.md",
        "made-up.png",
        "made-up.svg",
        "report.html",
        "samples.csv",
    ];
    assert_eq!(names, expected);
    assert!(first.0.values().all(|bytes| !bytes.is_empty()));
    assert!(first == second, "two reports of the same records differ");
}
