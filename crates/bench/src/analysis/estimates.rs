//! A cell's values: how they become one number, a difference, and intervals.

use std::collections::{BTreeSet, HashMap};

use metrics::Subset;
use metrics::averaging::{Averaging, Class};
use metrics::protocol::EmptyPairs;

use super::aggregate::Aggregate;
use super::bootstrap;
use super::bootstrap::Interval;
use super::class_mean;
use super::class_mean::{Pair, Pairs};
use super::pooled_ratio;
use super::pooled_ratio::Ratios;
use super::population::Population;
use super::record_columns::{Columns, Samples};
use crate::plan::dataset_facts::DatasetSize;

/// The values that a cell's mean is over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CellValues {
    /// Each sample and its value, and their mean.
    Samples(Vec<(usize, f64)>, Option<f64>),
    /// Pairs of sample and class, averaged by class.
    Classes(Pairs),
    /// Counts, summed over samples.
    Ratios(Ratios),
}

impl CellValues {
    /// The number of the cell, in the metric's own range; `None` where nothing could be scored.
    pub(crate) fn mean(&self) -> Option<f64> {
        match self {
            CellValues::Samples(_, mean) => *mean,
            CellValues::Classes(pairs) => pairs.mean(),
            CellValues::Ratios(ratios) => ratios.mean(),
        }
    }

    /// Number of samples.
    pub(crate) fn n(&self) -> usize {
        match self {
            CellValues::Samples(samples, _) => samples.len(),
            CellValues::Classes(pairs) => pairs.samples().len(),
            CellValues::Ratios(ratios) => ratios.len(),
        }
    }

    /// Results by class; nothing where the mean isn't by class.
    pub(crate) fn by_class(&self) -> Vec<Class> {
        match self {
            CellValues::Samples(..) | CellValues::Ratios(_) => Vec::new(),
            CellValues::Classes(pairs) => pairs.by_class(),
        }
    }

    /// Returns whether a difference is zero in every sample; not where there are none.
    pub(crate) fn vanishes(&self) -> bool {
        let vanishes = match self {
            CellValues::Samples(samples, _) => samples.iter().all(|&(_, value)| value == 0.0),
            CellValues::Classes(pairs) => pairs.pairs.iter().all(|pair| pair.value == 0.0),
            CellValues::Ratios(ratios) => ratios.vanishes(),
        };
        vanishes && self.n() > 0
    }

    /// These minus those, sample by sample or pair by pair, where both are there.
    pub(crate) fn minus(&self, those: &CellValues) -> Option<CellValues> {
        match (self, those) {
            (CellValues::Samples(these, _), CellValues::Samples(those, _)) => {
                let those: HashMap<usize, f64> = those.iter().copied().collect();
                let difference = |&(sample, value): &(usize, f64)| Some((sample, value - those.get(&sample)?));
                let samples: Vec<(usize, f64)> = these.iter().filter_map(difference).collect();
                let sum = samples.iter().map(|(_, value)| value).sum::<f64>();
                let mean = (!samples.is_empty()).then(|| sum / samples.len() as f64);
                Some(CellValues::Samples(samples, mean))
            }
            (CellValues::Classes(these), CellValues::Classes(those)) => Some(CellValues::Classes(these.minus(those))),
            (CellValues::Ratios(these), CellValues::Ratios(those)) => Some(CellValues::Ratios(these.minus(those))),
            _ => None,
        }
    }
}

/// The values of every cell, whose games are these. Those of samples are taken from the aggregates.
///
/// # Errors
/// Where a metric averages by class, and nothing is known of the data set's.
pub(crate) fn values(
    games: &[Population<'_>],
    columns: Columns,
    samples: &Samples,
    aggregates: &mut [Aggregate],
    (extents, tally): (&[DatasetSize<'_>], EmptyPairs),
) -> anyhow::Result<Vec<CellValues>> {
    let shown = shown(games, &columns, samples, extents);
    let mut ratios = columns.ratios.into_iter();
    let start = |(game, aggregate): (&Population<'_>, &mut Aggregate)| {
        let ratios = ratios.next().unwrap_or_default();
        let tallied = match game.metric.averaging {
            Averaging::Samples => {
                return Ok(CellValues::Samples(std::mem::take(&mut aggregate.samples), aggregate.mean));
            }
            Averaging::Classes => false,
            Averaging::ClassesAsReleased => tally == EmptyPairs::Released,
            Averaging::Ratios => return Ok(CellValues::Ratios(ratios)),
        };
        let first = || shown.get(&game.key()).map(|shown| shown.iter().copied().collect()).unwrap_or_default();
        let classes = game.extent(extents)?.classes;
        Ok(CellValues::Classes(Pairs { pairs: Vec::new(), classes, first: tallied.then(first) }))
    };
    let mut values = games.iter().zip(aggregates).map(start).collect::<anyhow::Result<Vec<_>>>()?;
    for (row, &value) in columns.value.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
        if let CellValues::Classes(pairs) = &mut values[columns.cell[row] as usize] {
            let (sample, class) = (columns.sample[row] as usize, columns.class[row] as usize);
            pairs.pairs.push(Pair { sample, class, value });
        }
    }
    Ok(values)
}

type Shown<'a> = HashMap<(&'a str, &'static str, Subset), BTreeSet<usize>>;

/// For each game, the classes with a scored pair in the first sample of the plan.
fn shown<'a>(games: &[Population<'a>], columns: &Columns, samples: &Samples, extents: &[DatasetSize<'_>]) -> Shown<'a> {
    let firsts: Vec<u32> = extents.iter().filter_map(|extent| samples.find(extent.dataset, extent.first)).collect();
    let mut shown = Shown::new();
    for (row, _) in columns.sample.iter().enumerate().filter(|(_, sample)| firsts.contains(sample)) {
        let game = &games[columns.cell[row] as usize];
        shown.entry(game.key()).or_default().insert(columns.class[row] as usize);
    }
    shown
}

/// Intervals of the means, in the order given.
pub(crate) fn intervals(values: &[&CellValues], seed: u64, resamples: usize) -> Vec<Option<Interval>> {
    let mut columns = Vec::new();
    let (mut classes, mut quotients) = (Vec::new(), Vec::new());
    for values in values {
        match values {
            CellValues::Samples(samples, _) => columns.push(samples.iter().map(|&(_, value)| value).collect()),
            CellValues::Classes(pairs) => classes.push(pairs),
            CellValues::Ratios(ratios) => quotients.push(ratios),
        }
    }
    let mut columns = bootstrap::bootstrap(&columns, seed, resamples).into_iter();
    let mut classes = class_mean::bootstrap(&classes, seed, resamples).into_iter();
    let mut quotients = pooled_ratio::bootstrap(&quotients, seed, resamples).into_iter();
    let next = |values: &&CellValues| match values {
        CellValues::Samples(..) => columns.next().flatten(),
        CellValues::Classes(_) => classes.next().flatten(),
        CellValues::Ratios(_) => quotients.next().flatten(),
    };
    values.iter().map(next).collect()
}
