//! Averages over classes: pairs of image and class, their mean, and its interval.

use std::collections::{BTreeSet, HashMap};

use metrics::averaging::{Class, by_class, class_mean};
use rayon::prelude::*;

use super::stats::{Interval, draw, percentiles};

/// One pair of sample and class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The sample's place among all samples.
    pub sample: usize,
    /// The class.
    pub class: usize,
    /// What it scored.
    pub value: f64,
}

/// The pairs of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    /// The pairs, in plan order. Their classes are below `classes`.
    pub pairs: Vec<Pair>,
    /// Number of classes of the data set.
    pub classes: usize,
    /// The classes with a pair in the first sample, where those without one get a pair of value zero (`Averaging::TalliedClasses`).
    pub first: Option<Vec<usize>>,
}

impl Pairs {
    /// What each class comes to.
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

    /// Which pairs there are, whatever they scored.
    fn layout(&self) -> Layout {
        let number: HashMap<usize, usize> =
            self.samples().into_iter().enumerate().map(|(number, sample)| (sample, number)).collect();
        let sorted = self.sorted();
        let samples = sorted.iter().map(|&place| number[&self.pairs[place].sample]).collect();
        let mut segments: Vec<Segment> = Vec::new();
        let classes = self.by_class();
        for (class, counted) in classes.iter().enumerate().filter(|(_, counted)| counted.pairs > 0) {
            let start = segments.last().map_or(0, |last| last.end);
            segments.push(Segment { class, start, end: start + counted.pairs, phantoms: counted.phantoms });
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
    phantoms: usize,
}

/// Pairs sorted by class, without their values. Cells that scored the same pairs share it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Layout {
    /// Each pair's sample, numbered from zero among those that have a pair.
    samples: Vec<usize>,
    segments: Vec<Segment>,
    /// Number of samples.
    drawn: usize,
    /// Number of classes, with pairs or without.
    classes: usize,
}

impl Layout {
    /// The class averages of a resample in which sample `s` was drawn `times[s]` times, one for each of `width` cells, whose values are `values[pair][cell]`.
    ///
    /// A class may vanish from a resample. Counting it as zero would pull every resample down, so that intervals wouldn't lie around the mean: the mean
    /// is over the classes that were drawn, times the share of classes that have a pair at all.
    fn means(&self, times: &[f64], values: &[f64], width: usize) -> Vec<f64> {
        let (mut means, mut sums) = (vec![0.0; width], vec![0.0; width]);
        let mut drawn = 0;
        for segment in &self.segments {
            let mut count = 0.0;
            sums.fill(0.0);
            for pair in segment.start..segment.end {
                let times = times[self.samples[pair]];
                if times > 0.0 {
                    count += times;
                    let row = &values[pair * width..(pair + 1) * width];
                    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += times * value);
                }
            }
            if count > 0.0 {
                drawn += 1;
                let count = count + segment.phantoms as f64;
                means.iter_mut().zip(&sums).for_each(|(mean, sum)| *mean += sum / count);
            }
        }
        let share = self.segments.len() as f64 / (self.classes as f64 * f64::from(drawn.max(1)));
        means.iter_mut().for_each(|mean| *mean *= share);
        means
    }
}

/// Percentile bootstrap intervals for class averages. Samples are resampled, each with all its pairs, and the same ones for all cells that
/// scored the same pairs. As in [`super::stats::bootstrap`], draws depend only on the seed, the resample's number and the number of samples; a cell
/// of fewer than two samples has no interval.
pub fn bootstrap(cells: &[&Pairs], seed: u64, resamples: usize) -> Vec<Option<Interval>> {
    let mut shared: HashMap<Layout, Vec<usize>> = HashMap::new();
    for (cell, pairs) in cells.iter().enumerate() {
        shared.entry(pairs.layout()).or_default().push(cell);
    }
    let mut intervals = vec![None; cells.len()];
    for (layout, these) in shared.into_iter().filter(|(layout, _)| layout.drawn >= 2) {
        let width = these.len();
        let mut values = vec![0.0; layout.samples.len() * width];
        for (column, &cell) in these.iter().enumerate() {
            for (row, place) in cells[cell].sorted().into_iter().enumerate() {
                values[row * width + column] = cells[cell].pairs[place].value;
            }
        }
        let resample = |resample: usize| {
            let mut times = vec![0.0; layout.drawn];
            draw(seed, resample, layout.drawn).for_each(|sample| times[sample] += 1.0);
            layout.means(&times, &values, width)
        };
        let means: Vec<Vec<f64>> = (0..resamples).into_par_iter().map(resample).collect();
        for (column, &cell) in these.iter().enumerate() {
            intervals[cell] = percentiles(means.iter().map(|row| row[column]).collect());
        }
    }
    intervals
}
