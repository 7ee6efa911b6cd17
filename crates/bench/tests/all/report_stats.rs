//! Percentiles and intervals against closed forms and hand-computed cases.

use crate::report_common::normals;
use bench::analysis::bootstrap::{Interval, Verdict, bootstrap, quantile};
use metrics::Direction::{Higher, Lower};

#[test]
fn quantiles_as_numpy_has_them() {
    // numpy.percentile([1, 2, 3, 4], [0, 2.5, 50, 97.5, 100]) = [1, 1.075, 2.5, 3.925, 4]
    let values = [1.0, 2.0, 3.0, 4.0];
    for (q, expected) in [(0.0, 1.0), (0.025, 1.075), (0.5, 2.5), (0.975, 3.925), (1.0, 4.0)] {
        assert!((quantile(&values, q) - expected).abs() < 1e-12, "{q}: {} is not {expected}", quantile(&values, q));
    }
    assert_eq!(quantile(&[3.5], 0.975), 3.5);
}

#[test]
fn width_of_the_interval_of_400_normals() {
    let interval = bootstrap(&[normals(400)], 1, 4000)[0].unwrap();
    let expected = 2.0 * 1.96 / 400_f64.sqrt();
    let width = interval.high - interval.low;
    assert!((width / expected - 1.0).abs() < 0.1, "{width} is not {expected}");
    assert!(interval.low < 0.0 && interval.high > 0.0);
}

#[test]
fn two_samples_by_hand() {
    // The mean of two draws from {0, 1} is 0, ½ or 1 with probabilities ¼, ½, ¼, so the outer 2.5 %
    // are the ends.
    let interval = bootstrap(&[vec![0.0, 1.0]], 1, 1000)[0].unwrap();
    assert_eq!(interval, Interval { low: 0.0, high: 1.0 });
}

#[test]
fn no_interval_for_fewer_than_two_samples_or_no_resamples() {
    assert_eq!(bootstrap(&[vec![], vec![1.0]], 1, 100), [None, None]);
    assert_eq!(bootstrap(&[vec![1.0, 2.0]], 1, 0), [None]);
}

#[test]
fn columns_of_the_same_samples_are_resampled_together() {
    let (a, noise) = (normals(50), 3.0);
    let b: Vec<f64> = a.iter().map(|value| value + noise).collect();
    let [alone] = bootstrap(std::slice::from_ref(&a), 5, 500)[..] else { panic!("one column, one interval") };
    let both = bootstrap(&[a, vec![1.0, 2.0, 3.0], b], 5, 500);
    assert_eq!(both[0], alone, "an interval depends on the other columns");
    let (a, b) = (both[0].unwrap(), both[2].unwrap());
    assert!((b.low - a.low - noise).abs() < 1e-12 && (b.high - a.high - noise).abs() < 1e-12, "{a:?} {b:?}");
}

#[test]
fn another_seed_gives_other_draws() {
    assert_ne!(bootstrap(&[normals(50)], 1, 500), bootstrap(&[normals(50)], 2, 500));
}

#[test]
fn an_interval_that_covers_zero_says_nothing() {
    for (low, high) in [(-1.0, 1.0), (0.0, 1.0), (-1.0, 0.0), (0.0, 0.0)] {
        for direction in [Lower, Higher] {
            assert_eq!(Verdict::new(Some(Interval { low, high }), direction), Verdict::Unclear, "[{low}, {high}]");
        }
    }
    assert_eq!(Verdict::new(None, Lower), Verdict::Unclear);
}

#[test]
fn what_is_better_depends_on_the_direction() {
    let (below, above) = (Interval { low: -2.0, high: -1.0 }, Interval { low: 1.0, high: 2.0 });
    assert_eq!(Verdict::new(Some(below), Lower), Verdict::Better);
    assert_eq!(Verdict::new(Some(below), Higher), Verdict::Worse);
    assert_eq!(Verdict::new(Some(above), Lower), Verdict::Worse);
    assert_eq!(Verdict::new(Some(above), Higher), Verdict::Better);
}
