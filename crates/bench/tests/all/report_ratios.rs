//! Quotients of counts that are summed over samples, and tables of them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::report_common::{config, facts, record, rows, summary};
use bench::analysis::bootstrap;
use bench::analysis::bootstrap::Interval;
use bench::analysis::pooled_ratio::{Ratios, bootstrap};
use bench::records::Record;
use bench::report::write;

/// Counts of one quotient.
fn ratios(of: &[[f64; 2]]) -> Ratios {
    Ratios::new(&of.iter().enumerate().map(|(sample, &pair)| (sample, vec![pair])).collect::<Vec<_>>())
}

/// Records of pixel accuracy with these counts, of samples s0, s1, …
fn counted(ucag: bool, counts: &[[u64; 2]]) -> Vec<Record> {
    let one = |(s, &[part, whole]): (usize, &[u64; 2])| Record {
        counts: vec![[part, whole]],
        ..record(&format!("s{s}"), "M", "gradcam", ucag, "pixel-accuracy", part as f64 / whole as f64)
    };
    counts.iter().enumerate().map(one).collect()
}

#[test]
fn counts_are_summed_before_they_are_divided() {
    // The mean of the samples' own quotients would be 0.7.
    assert_eq!(ratios(&[[1.0, 2.0], [9.0, 10.0]]).mean(), Some(10.0 / 12.0));
    // Two quotients are averaged: (3/4 + 1/2) / 2, where the second sample has nothing of the
    // second kind.
    let two = Ratios::new(&[(0, vec![[1.0, 2.0], [1.0, 2.0]]), (1, vec![[2.0, 2.0], [0.0, 0.0]])]);
    assert_eq!(two.mean(), Some(0.625));
    assert_eq!(ratios(&[[0.0, 0.0]]).mean(), Some(0.0));
    assert_eq!(ratios(&[]).mean(), None);
    // What a sample says twice is summed, too.
    let twice = Ratios::new(&[(0, vec![[1.0, 2.0]]), (0, vec![[3.0, 4.0]]), (5, vec![[0.0, 2.0]])]);
    assert_eq!((twice.mean(), twice.len()), (Some(0.5), 2));
}

#[test]
fn a_difference_is_of_the_samples_that_both_have() {
    let with = Ratios::new(&[(0, vec![[1.0, 2.0]]), (1, vec![[9.0, 10.0]]), (3, vec![[0.0, 9.0]])]);
    let without = Ratios::new(&[(1, vec![[3.0, 10.0]]), (2, vec![[7.0, 7.0]]), (0, vec![[2.0, 6.0]])]);
    let difference = with.minus(&without);
    assert_eq!(difference.len(), 2);
    assert!((difference.mean().unwrap() - (10.0 / 12.0 - 5.0 / 16.0)).abs() < 1e-15);
}

#[test]
fn samples_are_drawn_with_both_their_counts() {
    // Of two samples, a resample is the one, the other, or both.
    let interval = bootstrap(&[&ratios(&[[1.0, 2.0], [9.0, 10.0]])], 1, 1000)[0];
    assert_eq!(interval, Some(Interval { low: 0.5, high: 0.9 }));
    // Every sample has the same quotient, however many its counts are.
    let interval = bootstrap(&[&ratios(&[[1.0, 4.0], [2.0, 8.0], [100.0, 400.0]])], 1, 1000)[0];
    assert_eq!(interval, Some(Interval { low: 0.25, high: 0.25 }));
    // A difference draws them for both: it is the same in every sample, and can't vary.
    let (with, without) = (ratios(&[[3.0, 4.0], [1.0, 4.0]]), ratios(&[[2.0, 4.0], [0.0, 4.0]]));
    assert_eq!(bootstrap(&[&with.minus(&without)], 1, 1000)[0], Some(Interval { low: 0.25, high: 0.25 }));
}

#[test]
fn of_equal_denominators_it_is_the_plain_bootstrap() {
    let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
    let ours = ratios(&values.iter().map(|&value| [value, 16.0]).collect::<Vec<_>>());
    let other = ratios(&values.iter().take(30).map(|&value| [value, 16.0]).collect::<Vec<_>>());
    let plain = bootstrap::bootstrap(&[values.iter().map(|value| value / 16.0).collect()], 1, 1000)[0].unwrap();
    for cells in [&[&ours][..], &[&other, &ours]] {
        let ours = bootstrap(cells, 1, 1000).pop().unwrap().unwrap();
        assert!((plain.low - ours.low).abs() < 1e-12 && (plain.high - ours.high).abs() < 1e-12, "{plain:?} {ours:?}");
    }
    assert_eq!(bootstrap(&[&ratios(&[[1.0, 2.0]]), &ratios(&[])], 1, 100), [None, None]);
}

#[test]
fn the_width_for_unequal_denominators_in_closed_form() {
    // Half of 800 samples have 1 of 1, half 0 of 3: the quotient is ¼, and by the delta method its
    // variance is var(x − y/4) / (n · ȳ²) with x − y/4 = ±¾ and ȳ = 2.
    let of: Vec<[f64; 2]> = (0..800).map(|i| if i % 2 == 0 { [1.0, 1.0] } else { [0.0, 3.0] }).collect();
    let interval = bootstrap(&[&ratios(&of)], 3, 4000)[0].unwrap();
    let expected = 2.0 * 1.96 * (0.75_f64.powi(2) / 800.0 / 4.0).sqrt();
    assert!(((interval.high - interval.low) / expected - 1.0).abs() < 0.1, "{interval:?} isn't {expected} wide");
    assert!(((interval.low + interval.high) / 2.0 - 0.25).abs() < 0.005, "{interval:?} isn't around ¼");
}

#[test]
fn a_table_of_them() {
    let out = tempfile::tempdir().unwrap();
    let mut config = config(&["M"], &["gradcam"], &["pixel-accuracy"]);
    let published = out.path().join("published.csv");
    std::fs::write(
        &published,
        "table,dataset,model,method,ucag,metric,value\n4,Seg,M,GradCAM,false,pixel_acc,0.75\n4,Seg,M,GradCAM,true,pixel_acc,0.8\n",
    )
    .unwrap();
    config.output.published = Some(published);
    config.output.remark = Some("Rows may be exchanged.".to_owned());
    let facts = facts(&config);
    let records = [counted(false, &[[1, 2], [9, 10]]), counted(true, &[[2, 2], [3, 10]])].concat();
    let written = write(&summary(&config, &facts, &records, out.path())).unwrap();
    let table = rows(&out.path().join("made-up.csv"));
    assert_eq!(
        [&table[0]["ours"], &table[0]["low"], &table[0]["high"], &table[0]["n"], &table[0]["published"]],
        ["0.833333", "0.500000", "0.900000", "2", "0.750000"]
    );
    // 5/12 − 10/12; resamples of one sample twice differ by 1 − ½ and 0.3 − 0.9.
    assert_eq!(
        ["difference", "difference_low", "difference_high", "verdict"].map(|key| &table[1][key]),
        ["-0.416667", "-0.600000", "0.500000", "unclear"]
    );
    let samples = rows(&out.path().join("samples.csv"));
    assert_eq!(samples.iter().map(|row| &row["value"]).collect::<Vec<_>>(), ["0.5", "0.9", "1", "0.3"]);
    let page = std::fs::read_to_string(out.path().join("made-up.md")).unwrap();
    for part in [
        "Ours: quotient of counts that are summed over 2 samples of `mini`",
        "Pixel accuracy ↑ |",
        "0.833 [0.500, 0.900]",
        "\nRows may be exchanged.\n",
        "Counted over all images before it is divided.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("0.750") && page.contains("+0.050"), "{page}");
    let text = &written.table;
    assert!(text.contains("0.833 [0.500, 0.900]") && text.contains("\nRows may be exchanged.\n"), "{text}");
    assert!(!out.path().join("classes.csv").exists());
}

#[test]
fn records_without_their_counts_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let config = config(&["M"], &["gradcam"], &["pixel-accuracy"]);
    let facts = facts(&config);
    let refused = |records: &[Record]| write(&summary(&config, &facts, records, out.path())).unwrap_err().to_string();
    let mut records = counted(false, &[[1, 2], [9, 10]]);
    records[1].counts.push([1, 1]);
    assert!(
        refused(&records).starts_with("sample `s1`: its pixel-accuracy of gradcam comes with 2 pairs of counts, not 1")
    );
    records[0].counts.clear();
    assert!(
        refused(&records).starts_with("sample `s0`: its pixel-accuracy of gradcam comes with 0 pairs of counts, not 1")
    );
}

#[test]
fn a_record_of_an_older_journal_has_no_counts_and_one_without_leaves_no_trace() {
    let old = serde_json::to_string(&record("s", "M", "gradcam", false, "deletion", 0.5)).unwrap();
    assert!(!old.contains("counts"), "{old}");
    assert_eq!(serde_json::from_str::<Record>(&old).unwrap().counts, [[0; 2]; 0]);
    let new = &counted(false, &[[1, 3]])[0];
    assert_eq!(serde_json::from_str::<Record>(&serde_json::to_string(new).unwrap()).unwrap(), *new);
}
