//! Intervals of averages over classes.

use bench::analysis::bootstrap::Interval;
use bench::analysis::class_mean::{Pair, Pairs, bootstrap};

fn pairs(classes: usize, of: &[(usize, usize, f64)]) -> Pairs {
    let pair = |&(sample, class, value): &(usize, usize, f64)| Pair { sample, class, value };
    Pairs { pairs: of.iter().map(pair).collect(), classes, first: None }
}

fn interval(of: &Pairs) -> Option<Interval> {
    bootstrap(&[of], 1, 1000)[0]
}

#[test]
fn one_class_is_a_mean_over_samples() {
    // As in the plain bootstrap: two draws from {0, 1}, and the outer 2.5 % are the ends.
    let both = pairs(1, &[(0, 0, 0.0), (1, 0, 1.0)]);
    assert_eq!(interval(&both), Some(Interval { low: 0.0, high: 1.0 }));
    // The draws are the plain bootstrap's, too: the same intervals to the last rounding.
    let values: Vec<f64> = (0..50).map(|i| f64::from(i * i % 17)).collect();
    let pairs = pairs(1, &values.iter().enumerate().map(|(i, &v)| (i, 0, v)).collect::<Vec<_>>());
    let plain = bench::analysis::bootstrap::bootstrap(&[values], 1, 1000)[0].unwrap();
    let ours = interval(&pairs).unwrap();
    assert!((plain.low - ours.low).abs() < 1e-12 && (plain.high - ours.high).abs() < 1e-12, "{plain:?} {ours:?}");
}

#[test]
fn a_class_that_vanishes_from_a_resample_does_not_pull_it_down() {
    // Every class is hit wherever it is: whatever is drawn, the mean is 1, though most resamples of
    // four lack a class.
    let all = pairs(4, &[(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0), (3, 3, 1.0)]);
    assert_eq!(all.mean(), Some(1.0));
    assert_eq!(interval(&all), Some(Interval { low: 1.0, high: 1.0 }));
    // With a class that has no pair at all, it is ¾ of that, in the mean and in every resample.
    let three = pairs(4, &[(0, 0, 1.0), (1, 1, 1.0), (2, 2, 1.0)]);
    assert_eq!(three.mean(), Some(0.75));
    assert_eq!(interval(&three), Some(Interval { low: 0.75, high: 0.75 }));
}

#[test]
fn classes_of_a_sample_are_drawn_together() {
    // Two samples with both classes each: a resample is all of the one (0), all of the other (1),
    // or both (½).
    let joint = pairs(2, &[(0, 0, 0.0), (0, 1, 0.0), (1, 0, 1.0), (1, 1, 1.0)]);
    assert_eq!(interval(&joint), Some(Interval { low: 0.0, high: 1.0 }));
    // Values that cancel within a sample can't vary if samples are drawn as a whole.
    let cancel = pairs(2, &[(0, 0, 0.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, 0.0)]);
    assert_eq!(interval(&cancel), Some(Interval { low: 0.5, high: 0.5 }));
}

#[test]
fn the_width_for_two_classes_in_closed_form() {
    // 400 samples of each class, half of them hit: each class mean has variance ¼/400, their mean
    // half of that.
    let of: Vec<(usize, usize, f64)> = (0..800).map(|i| (i, i % 2, f64::from(u8::from(i % 4 < 2)))).collect();
    let interval = bootstrap(&[&pairs(2, &of)], 3, 4000)[0].unwrap();
    let expected = 2.0 * 1.96 * (0.25 / 400.0 / 2.0_f64).sqrt();
    let width = interval.high - interval.low;
    assert!((width / expected - 1.0).abs() < 0.1, "{width} is not {expected}");
    assert!(((interval.low + interval.high) / 2.0 - 0.5).abs() < 0.01, "{interval:?} isn't around the mean");
}

#[test]
fn an_extra_pair_of_zero_stays_in_every_resample() {
    // One class, always hit, and one zero more: with two draws it is 2/3 in every resample, as in
    // the mean.
    let tallied = Pairs { first: Some(vec![]), ..pairs(1, &[(0, 0, 1.0), (1, 0, 1.0)]) };
    assert_eq!(tallied.mean(), Some(2.0 / 3.0));
    let interval = interval(&tallied).unwrap();
    assert!((interval.low - 2.0 / 3.0).abs() < 1e-12 && (interval.high - 2.0 / 3.0).abs() < 1e-12, "{interval:?}");
}

#[test]
fn an_interval_does_not_depend_on_the_other_cells() {
    let value = |i: usize| (i * 7919 % 101) as f64 / 100.0;
    let one = pairs(5, &(0..60).map(|i| (i / 2, i % 5, value(i))).collect::<Vec<_>>());
    let same = pairs(5, &(0..60).map(|i| (i / 2, i % 5, value(i) + 3.0)).collect::<Vec<_>>());
    let fewer = pairs(5, &(0..40).map(|i| (i, i % 5, value(i))).collect::<Vec<_>>());
    // Another order of the same pairs is the same cell.
    let turned = Pairs { pairs: one.pairs.iter().rev().copied().collect(), ..one.clone() };
    let [alone] = bootstrap(&[&one], 5, 500)[..] else { panic!("one cell, one interval") };
    let all = bootstrap(&[&fewer, &same, &one, &turned], 5, 500);
    assert_eq!((all[2], all[3]), (alone, alone));
    let (one, same) = (alone.unwrap(), all[1].unwrap());
    assert!((same.low - one.low - 3.0).abs() < 1e-9 && (same.high - one.high - 3.0).abs() < 1e-9);
    assert_ne!(bootstrap(&[&fewer], 6, 500), bootstrap(&[&fewer], 5, 500), "another seed, other draws");
}

#[test]
fn no_interval_for_fewer_than_two_samples_or_no_resamples() {
    let one = pairs(3, &[(7, 0, 1.0), (7, 2, 0.0)]);
    assert_eq!(one.mean(), Some(1.0 / 3.0));
    assert_eq!(bootstrap(&[&one, &pairs(3, &[])], 1, 100), [None, None]);
    assert_eq!(pairs(3, &[]).mean(), None);
    assert_eq!(bootstrap(&[&pairs(1, &[(0, 0, 0.0), (1, 0, 1.0)])], 1, 0), [None]);
}

#[test]
fn differences_are_of_the_pairs_that_both_have() {
    let with = pairs(3, &[(0, 0, 0.9), (0, 1, 0.5), (2, 1, 1.0)]);
    let without = pairs(3, &[(0, 1, 0.25), (0, 0, 0.4), (1, 1, 1.0)]);
    let difference = with.minus(&without);
    assert_eq!(
        difference.pairs.iter().map(|p| (p.sample, p.class, p.value)).collect::<Vec<_>>(),
        [(0, 0, 0.5), (0, 1, 0.25)]
    );
    assert_eq!(difference.mean(), Some(0.25));
}
