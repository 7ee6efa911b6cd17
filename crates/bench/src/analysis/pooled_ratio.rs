//! Quotients of counts that are summed over samples (`Averaging::Ratios`), their differences, and
//! their intervals.

use std::collections::{BTreeSet, HashMap};

use anyhow::ensure;
use metrics::averaging::ratio;
use rayon::prelude::*;

use super::bootstrap::{Interval, draw, percentiles};
use super::resample::Lanes;
use crate::records::Record;

/// The counts of a cell, or of a cell and another that is taken from it: the number is `Σ_q
/// weight_q · Σ_s numerator_qs / Σ_s denominator_qs`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ratios {
    /// The quotients' weights.
    weights: Vec<f64>,
    /// Each sample, by its place among all of them, with a numerator and a denominator for each
    /// quotient.
    samples: Vec<(usize, Vec<[f64; 2]>)>,
}

impl Ratios {
    /// Adds a record's counts to its sample's. Records of one sample come one after the other.
    ///
    /// # Errors
    /// Where it has none, or not as many as those before.
    pub(crate) fn add(&mut self, sample: usize, record: &Record) -> anyhow::Result<()> {
        let quotients = record.counts.len();
        let expected = if self.samples.is_empty() { quotients.max(1) } else { self.weights.len() };
        ensure!(
            quotients == expected,
            "sample `{}`: its {} of {} comes with {quotients} pairs of counts, not {expected}; were these records made by another version?",
            record.sample,
            record.metric,
            record.method
        );
        self.push(sample, record.counts.iter().map(|pair| pair.map(|count| count as f64)));
        Ok(())
    }

    fn push(&mut self, sample: usize, counts: impl ExactSizeIterator<Item = [f64; 2]>) {
        if self.samples.is_empty() {
            self.weights = vec![1.0 / counts.len() as f64; counts.len()];
        }
        match self.samples.last_mut().filter(|(last, _)| *last == sample) {
            Some((_, sums)) => sums.iter_mut().zip(counts).for_each(|(sum, pair)| add(sum, pair)),
            None => self.samples.push((sample, counts.collect())),
        }
    }

    /// From each sample's counts, in the order of the samples.
    pub fn new(samples: &[(usize, Vec<[f64; 2]>)]) -> Self {
        let mut ratios = Self::default();
        samples.iter().for_each(|(sample, counts)| ratios.push(*sample, counts.iter().copied()));
        ratios
    }

    /// The number; `None` where there are no samples.
    pub fn mean(&self) -> Option<f64> {
        let mut sums = vec![[0.0; 2]; self.weights.len()];
        for (_, counts) in &self.samples {
            sums.iter_mut().zip(counts).for_each(|(sum, pair)| add(sum, *pair));
        }
        (!self.samples.is_empty()).then(|| self.quotients(&sums))
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// True if there are no samples.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The number, from the sums of numerators and denominators.
    fn quotients(&self, sums: &[[f64; 2]]) -> f64 {
        sums.iter().zip(&self.weights).map(|(sum, weight)| weight * ratio(*sum)).sum()
    }

    /// This number minus that one, over the samples that both have.
    pub fn minus(&self, those: &Ratios) -> Ratios {
        let counts: HashMap<usize, &Vec<[f64; 2]>> =
            those.samples.iter().map(|(sample, counts)| (*sample, counts)).collect();
        let both = |(sample, own): &(usize, Vec<[f64; 2]>)| Some((*sample, [&own[..], counts.get(sample)?].concat()));
        let negative = those.weights.iter().map(|weight| -weight);
        Ratios {
            weights: self.weights.iter().copied().chain(negative).collect(),
            samples: self.samples.iter().filter_map(both).collect(),
        }
    }

    /// Returns whether each sample of a difference has the same counts on both sides.
    pub(crate) fn vanishes(&self) -> bool {
        let half = self.weights.len() / 2;
        self.samples.iter().all(|(_, counts)| counts[..half] == counts[half..])
    }
}

fn add(sum: &mut [f64; 2], [numerator, denominator]: [f64; 2]) {
    sum[0] += numerator;
    sum[1] += denominator;
}

/// Percentile bootstrap intervals. As in [`super::bootstrap::bootstrap`], a resample draws the same
/// samples for all cells of as many, and draws depend only on the seed, the resample's number and
/// the number of samples; a cell of fewer than two samples has no interval.
pub fn bootstrap(cells: &[&Ratios], seed: u64, resamples: usize) -> Vec<Option<Interval>> {
    let mut intervals = vec![None; cells.len()];
    let lengths: BTreeSet<usize> = cells.iter().map(|cell| cell.len()).filter(|&n| n >= 2).collect();
    for n in lengths {
        let these: Vec<usize> = (0..cells.len()).filter(|&cell| cells[cell].len() == n).collect();
        // Numerators and denominators are columns of their own.
        let columns: Vec<(usize, usize, usize)> = these
            .iter()
            .flat_map(|&cell| (0..cells[cell].weights.len()).flat_map(move |q| [(cell, q, 0), (cell, q, 1)]))
            .collect();
        let lanes = Lanes::new(n, columns.len(), |row, column| {
            let (cell, quotient, part) = columns[column];
            cells[cell].samples[row].1[quotient][part]
        });
        let resample = |resample: usize| -> Vec<f64> {
            let sums = lanes.sums(&draw(seed, resample, n).collect::<Vec<_>>());
            let (mut sums, _) = sums.as_chunks();
            let number = |&cell: &usize| {
                let (own, rest) = sums.split_at(cells[cell].weights.len());
                sums = rest;
                cells[cell].quotients(own)
            };
            these.iter().map(number).collect()
        };
        let numbers: Vec<Vec<f64>> = (0..resamples).into_par_iter().map(resample).collect();
        for (column, &cell) in these.iter().enumerate() {
            intervals[cell] = percentiles(numbers.iter().map(|row| row[column]).collect());
        }
    }
    intervals
}
