//! From the values of pairs of image and class to one number.
//!
//! Pointing games average over classes: the mean of a class's pairs first, and then, unweighted,
//! the mean over all classes of the data set, where one without a pair counts as zero. See
//! docs/protocol.md#class-average.

/// The way from the values of pairs to one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Averaging {
    /// The mean over samples of the mean over a sample's classes.
    Samples,
    /// The unweighted mean over all classes of the mean over a class's pairs; a class without a
    /// pair counts as zero.
    Classes,
    /// As [`Averaging::Classes`], but under the protocol's `EmptyPairs::Released` every class
    /// without a scored pair in the data set's first sample has one pair of value zero more: the
    /// released code sets empty counts to one when it first prints its running result.
    ClassesAsReleased,
    /// Counts are summed over all samples before they are divided: the mean over
    /// [`Score::counts`](crate::Score::counts) of `Σ numerator / Σ denominator`, where 0/0 is 0.
    Ratios,
}

impl Averaging {
    /// Returns true if classes are averaged first.
    pub fn is_by_class(self) -> bool {
        matches!(self, Averaging::Classes | Averaging::ClassesAsReleased)
    }
}

/// Returns `part / whole`, and zero where both are zero.
pub fn ratio([part, whole]: [f64; 2]) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// The pairs of one class.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Class {
    /// Scored pairs.
    pub pairs: usize,
    /// Sum of their values.
    pub sum: f64,
    /// Pairs of value zero that stand for no scored pair.
    pub padding_pairs: usize,
}

impl Class {
    /// Returns the mean over its pairs, padding included; zero where there are none.
    pub fn mean(&self) -> f64 {
        match self.pairs + self.padding_pairs {
            0 => 0.0,
            count => self.sum / count as f64,
        }
    }
}

/// Sums up pairs `(class, value)` for each of `classes` classes. `first` holds the classes with a
/// pair in the first sample, where all others are to get a padding pair.
///
/// # Panics
/// If a class isn't below `classes`.
pub fn by_class(pairs: impl IntoIterator<Item = (usize, f64)>, classes: usize, first: Option<&[usize]>) -> Vec<Class> {
    let padding_pairs = |class| first.map_or(0, |shown| usize::from(!shown.contains(&class)));
    let mut by_class: Vec<Class> =
        (0..classes).map(|class| Class { padding_pairs: padding_pairs(class), ..Class::default() }).collect();
    for (class, value) in pairs {
        by_class[class].pairs += 1;
        by_class[class].sum += value;
    }
    by_class
}

/// Returns the unweighted mean over all classes of their means; zero where there are no classes.
pub fn class_mean(classes: &[Class]) -> f64 {
    classes.iter().map(Class::mean).sum::<f64>() / classes.len().max(1) as f64
}
