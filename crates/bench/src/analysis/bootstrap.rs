//! Bootstrap intervals over samples, and what may be said from them.

use metrics::metric::Direction;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::resample::Lanes;

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl Interval {
    /// Returns whether zero lies in it, ends included.
    pub fn covers_zero(&self) -> bool {
        self.low <= 0.0 && 0.0 <= self.high
    }
}

/// The verdict on a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval lies on the better side of zero.
    Better,
    /// The whole interval lies on the worse side of zero.
    Worse,
    /// The interval covers zero, or there is none.
    Unclear,
}

impl Verdict {
    /// From the interval of a difference.
    pub fn new(interval: Option<Interval>, direction: Direction) -> Self {
        match interval {
            None => Verdict::Unclear,
            Some(interval) if interval.covers_zero() => Verdict::Unclear,
            Some(interval) if (interval.high < 0.0) == (direction == Direction::Lower) => Verdict::Better,
            Some(_) => Verdict::Worse,
        }
    }

    /// The word for it in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Unclear => "unclear",
        }
    }
}

/// The `q`th quantile of sorted values, linear between neighbours (numpy's default, Hyndman and
/// Fan's type 7).
///
/// # Panics
/// Where there are no values.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + part * (sorted[above] - sorted[below])
}

/// The samples, of `n`, that a resample draws. They depend on nothing else: not on threads, nor on
/// what is resampled.
pub(crate) fn draw(seed: u64, resample: usize, n: usize) -> impl Iterator<Item = u32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(resample as u64);
    (0..n).map(move |_| random.random_range(0..n as u32))
}

/// The interval between the percentiles of resampled means; `None` where there are none.
pub(crate) fn percentiles(mut means: Vec<f64>) -> Option<Interval> {
    means.sort_unstable_by(f64::total_cmp);
    (!means.is_empty()).then(|| Interval { low: quantile(&means, 0.025), high: quantile(&means, 0.975) })
}

/// Percentile bootstrap intervals for the means of columns, where `columns[c][s]` is the value of
/// sample `s`.
///
/// A resample draws the same samples for all columns of one length, so columns of the same samples
/// are resampled together. The draws depend only on the seed, the resample's number and the length:
/// not on threads, nor on which other columns there are. A column of fewer than two samples has no
/// interval.
pub fn bootstrap(columns: &[Vec<f64>], seed: u64, resamples: usize) -> Vec<Option<Interval>> {
    let mut intervals = vec![None; columns.len()];
    let mut lengths: Vec<usize> = columns.iter().map(Vec::len).filter(|&n| n >= 2).collect();
    lengths.sort_unstable();
    lengths.dedup();
    for n in lengths {
        let these: Vec<usize> = (0..columns.len()).filter(|&c| columns[c].len() == n).collect();
        let lanes = Lanes::new(n, these.len(), |row, place| columns[these[place]][row]);
        let resample = |resample: usize| lanes.sums(&draw(seed, resample, n).collect::<Vec<_>>());
        let sums: Vec<Vec<f64>> = (0..resamples).into_par_iter().map(resample).collect();
        for (place, &c) in these.iter().enumerate() {
            intervals[c] = percentiles(sums.iter().map(|row| row[place] / n as f64).collect());
        }
    }
    intervals
}
