//! Numbers of a method that a config may change.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// A number, or a list of numbers, that a method has and a config may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// The key in configs.
    pub key: &'static str,
    /// One line on what it is, with its unit.
    pub summary: &'static str,
    /// The default: the published value.
    pub default: &'static [f64],
    /// Smallest and largest value.
    pub range: (f64, f64),
    /// True if it must be a whole number.
    pub whole: bool,
    /// True if it is a list.
    pub list: bool,
}

impl Setting {
    /// A whole number.
    pub const fn count(key: &'static str, summary: &'static str, default: &'static [f64], most: f64) -> Self {
        Self { key, summary, default, range: (1.0, most), whole: true, list: false }
    }
}

/// Values for a method's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    known: &'static [Setting],
    values: BTreeMap<&'static str, Vec<f64>>,
}

impl Settings {
    /// The published values.
    pub fn defaults(known: &'static [Setting]) -> Self {
        let values = known.iter().map(|setting| (setting.key, setting.default.to_vec())).collect();
        Self { known, values }
    }

    /// Changes a setting.
    ///
    /// # Errors
    /// Where the method has no such setting, or a value isn't one that it may have.
    pub fn set(&mut self, key: &str, values: Vec<f64>) -> Result<()> {
        let invalid = |problem: String| Err(Error::Invalid(problem));
        let Some(setting) = self.known.iter().find(|setting| setting.key == key) else {
            return invalid(format!("the method has no setting '{key}'"));
        };
        if values.is_empty() || (values.len() > 1 && !setting.list) {
            let expected = if setting.list { "a list with at least one number" } else { "one number" };
            return invalid(format!("expected {expected}, found {}", values.len()));
        }
        let (low, high) = setting.range;
        let wrong = |value: &f64| {
            !(low..=high).contains(value) || !value.is_finite() || (setting.whole && value.fract() != 0.0)
        };
        if let Some(value) = values.iter().find(|value| wrong(value)) {
            let kind = if setting.whole { "a whole number" } else { "a number" };
            return invalid(format!("{value} is out of range; expected {kind} from {low} to {high}"));
        }
        self.values.insert(setting.key, values);
        Ok(())
    }

    /// Every setting with its value, by key.
    pub fn values(&self) -> &BTreeMap<&'static str, Vec<f64>> {
        &self.values
    }

    /// A list.
    ///
    /// # Panics
    /// Where the method has no such setting: its own file names both.
    pub fn list(&self, key: &str) -> &[f64] {
        &self.values[key]
    }

    /// A number.
    ///
    /// # Panics
    /// As [`Settings::list`].
    pub fn number(&self, key: &str) -> f64 {
        self.list(key)[0]
    }

    /// A whole number that isn't negative.
    ///
    /// # Panics
    /// As [`Settings::list`].
    pub fn count(&self, key: &str) -> usize {
        self.number(key) as usize
    }
}
