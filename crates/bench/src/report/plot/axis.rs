//! From numbers to places, and the ticks between.

use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::coord::types::RangedCoordf64;

/// An axis from a range of numbers to a range of places.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    numbers: (f64, f64),
    places: (f64, f64),
}

impl Axis {
    /// From zero, or below where a value is, to a little beyond the largest value.
    pub fn new(values: impl Iterator<Item = f64>, places: (f64, f64)) -> Self {
        let (low, high) = values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let high = if high > low { high } else { low + 1.0 };
        let margin = 0.06 * (high - low);
        Self { numbers: (if low < 0.0 { low - margin } else { 0.0 }, high + margin), places }
    }

    /// A little around the values, wherever zero is: for what is compared along a line.
    pub fn around(values: impl Iterator<Item = f64>, places: (f64, f64)) -> Self {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = if low < high { (low, high) } else { Self::single(low) };
        let margin = 0.06 * (high - low);
        Self { numbers: (low - margin, high + margin), places }
    }

    /// Around one value, or none.
    fn single(value: f64) -> (f64, f64) {
        if value.is_finite() { (value - 0.5, value + 0.5) } else { (0.0, 1.0) }
    }

    /// The same numbers at other places.
    pub fn at(&self, places: (f64, f64)) -> Self {
        Self { places, ..*self }
    }

    /// The place of a number.
    pub fn place(&self, number: f64) -> f64 {
        let ((low, high), (from, to)) = (self.numbers, self.places);
        from + (number - low) / (high - low) * (to - from)
    }

    /// About `most` round numbers, and their labels.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let numbers = RangedCoordf64::from(self.numbers.0..self.numbers.1).key_points(BoldPoints(most));
        let step = numbers.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(1.0, f64::min);
        let decimals = (-step.log10()).ceil().clamp(0.0, 6.0) as usize;
        let within = |number: &f64| (self.numbers.0..=self.numbers.1).contains(number);
        numbers
            .into_iter()
            .filter(within)
            .map(|number| (number, crate::analysis::format::fixed(number, decimals)))
            .collect()
    }
}
