//! Averages over classes: pairs of image and class, their mean, and its interval.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use metrics::averaging::{Class, by_class, class_mean};
use rayon::prelude::*;

use super::bootstrap::{Interval, draw, percentiles};
use super::resample::{Lanes, Reduce, add};

/// One pair of sample and class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The sample's place among all samples.
    pub sample: usize,
    /// The class.
    pub class: usize,
    /// Its score.
    pub value: f64,
}

/// The pairs of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// The pairs, in plan order. Their classes are below `classes`.
    pub pairs: Vec<Pair>,
    /// Number of classes of the data set.
    pub classes: usize,
    /// The classes with a pair in the first sample, where those without one get a pair of value
    /// zero (`Averaging::ClassesAsReleased`).
    pub first: Option<Vec<usize>>,
}

impl Pairs {
    /// Results by class.
    pub fn by_class(&self) -> Vec<Class> {
        by_class(self.pairs.iter().map(|pair| (pair.class, pair.value)), self.classes, self.first.as_deref())
    }

    /// The unweighted mean over all classes; `None` where there are no pairs.
    pub fn mean(&self) -> Option<f64> {
        (!self.pairs.is_empty()).then(|| class_mean(&self.by_class()))
    }

    /// The differences, these minus those, of the pairs that both have.
    pub fn minus(&self, those: &Pairs) -> Pairs {
        let values: HashMap<(usize, usize), f64> =
            those.pairs.iter().map(|pair| ((pair.sample, pair.class), pair.value)).collect();
        let difference = |pair: &Pair| {
            let value = pair.value - values.get(&(pair.sample, pair.class))?;
            Some(Pair { value, ..*pair })
        };
        Pairs { pairs: self.pairs.iter().filter_map(difference).collect(), ..self.clone() }
    }

    /// The samples that have a pair, ascending.
    pub fn samples(&self) -> BTreeSet<usize> {
        self.pairs.iter().map(|pair| pair.sample).collect()
    }

    /// The pairs' places, class by class.
    fn sorted(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.pairs.len()).collect();
        places.sort_by_key(|&place| (self.pairs[place].class, self.pairs[place].sample));
        places
    }

    /// The pairs, whatever they scored.
    fn layout(&self) -> Layout {
        let number: HashMap<usize, usize> =
            self.samples().into_iter().enumerate().map(|(number, sample)| (sample, number)).collect();
        let sorted = self.sorted();
        let samples = sorted.iter().map(|&place| number[&self.pairs[place].sample] as u32).collect();
        let mut segments: Vec<Segment> = Vec::new();
        let classes = self.by_class();
        for (class, counted) in classes.iter().enumerate().filter(|(_, counted)| counted.pairs > 0) {
            let start = segments.last().map_or(0, |last| last.end);
            segments.push(Segment { class, start, end: start + counted.pairs, padding_pairs: counted.padding_pairs });
        }
        Layout { samples, segments, drawn: number.len(), classes: classes.len() }
    }
}

/// The pairs of one class among pairs that are sorted by class.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Segment {
    class: usize,
    start: usize,
    end: usize,
    padding_pairs: usize,
}

/// Pairs sorted by class, without their values. Cells that scored the same pairs share it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Layout {
    /// Each pair's sample, numbered from zero among those that have a pair.
    samples: Vec<u32>,
    segments: Vec<Segment>,
    /// Number of samples.
    drawn: usize,
    /// Number of classes, with pairs or without.
    classes: usize,
}

/// A resample of the pairs of a layout, in which sample `s` was drawn `times[s]` times.
struct Resample<'a> {
    layout: &'a Layout,
    times: &'a [f64],
}

impl Reduce for Resample<'_> {
    /// The class averages of cells, from the values of their pairs in the layout's order.
    ///
    /// A class may vanish from a resample. Counting it as zero would pull every resample down, so
    /// that intervals wouldn't lie around the mean: the mean is over the classes that were drawn,
    /// times the share of classes that have a pair at all.
    fn reduce<const N: usize>(&self, rows: &[[f64; N]]) -> [f64; N] {
        let Layout { samples, segments, classes, .. } = self.layout;
        let (mut means, mut drawn) = ([0.0; N], 0);
        for segment in segments {
            let (mut sums, mut count) = ([0.0; N], 0.0);
            let pairs = segment.start..segment.end;
            for (row, &sample) in rows[pairs.clone()].iter().zip(&samples[pairs]) {
                let times = self.times[sample as usize];
                count += times;
                add(&mut sums, &row.map(|value| times * value));
            }
            if count > 0.0 {
                drawn += 1;
                add(&mut means, &sums.map(|sum| sum / (count + segment.padding_pairs as f64)));
            }
        }
        let share = segments.len() as f64 / (*classes as f64 * f64::from(drawn.max(1)));
        means.map(|mean| mean * share)
    }
}

/// Percentile bootstrap intervals for class averages. Samples are resampled, each with all its
/// pairs, and the same ones for all cells that have as many. As in [`super::bootstrap::bootstrap`],
/// draws depend only on the seed, the resample's number and the number of samples; a cell of fewer
/// than two samples has no interval.
pub fn bootstrap(cells: &[&Pairs], seed: u64, resamples: usize) -> Vec<Option<Interval>> {
    let mut shared: HashMap<Layout, Vec<usize>> = HashMap::new();
    for (cell, pairs) in cells.iter().enumerate() {
        shared.entry(pairs.layout()).or_default().push(cell);
    }
    let mut by_drawn: BTreeMap<usize, Vec<Shared>> = BTreeMap::new();
    for (layout, these) in shared.into_iter().filter(|(layout, _)| layout.drawn >= 2) {
        let sorted: Vec<Vec<usize>> = these.iter().map(|&cell| cells[cell].sorted()).collect();
        let value = |row: usize, column: usize| cells[these[column]].pairs[sorted[column][row]].value;
        let values = Lanes::new(layout.samples.len(), these.len(), value);
        by_drawn.entry(layout.drawn).or_default().push(Shared { layout, cells: these, values });
    }
    let mut intervals = vec![None; cells.len()];
    for (n, groups) in by_drawn {
        let resample = |resample: usize| -> Vec<Vec<f64>> {
            let mut times = vec![0.0; n];
            draw(seed, resample, n).for_each(|sample| times[sample as usize] += 1.0);
            groups.iter().map(|group| group.values.reduce(&Resample { layout: &group.layout, times: &times })).collect()
        };
        let means: Vec<Vec<Vec<f64>>> = (0..resamples).into_par_iter().map(resample).collect();
        for (place, group) in groups.iter().enumerate() {
            for (column, &cell) in group.cells.iter().enumerate() {
                intervals[cell] = percentiles(means.iter().map(|groups| groups[place][column]).collect());
            }
        }
    }
    intervals
}

/// Cells that scored the same pairs, and their values: a row for each pair in the layout's order, a
/// column for each cell.
struct Shared {
    layout: Layout,
    cells: Vec<usize>,
    values: Lanes,
}
