//! The cells of a table: every model, method, with or without UCAG, and metric of the config, in its order.

use std::collections::HashMap;

use anyhow::Context;

use crate::config::Config;
use crate::record::Record;

/// What a number in the table is the number of.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    /// The model's name.
    pub model: &'a str,
    /// Entry in the registry of explainers.
    pub method: &'static ucag_core::explain::Method,
    /// Whether UCAG is around the method.
    pub ucag: bool,
    /// Entry in the registry of metrics.
    pub metric: Metric,
}

/// An entry in the registry of metrics that can be printed and compared by its id.
#[derive(Clone, Copy)]
pub struct Metric(pub &'static metrics::Metric);

impl std::fmt::Debug for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

impl std::ops::Deref for Metric {
    type Target = metrics::Metric;
    fn deref(&self) -> &metrics::Metric {
        self.0
    }
}

impl Metric {
    /// Its name, which way is better, and its unit: `Deletion ↓ (%)`.
    pub(crate) fn head(&self) -> String {
        match self.unit {
            "" => format!("{} {}", self.name, self.direction.arrow()),
            unit => format!("{} {} ({unit})", self.name, self.direction.arrow()),
        }
    }

    /// A number as people read it, always with a point: hundredths of a percent, or as fine for numbers that aren't scaled.
    pub(crate) fn show(&self, value: f64) -> String {
        fixed(value, if self.scale >= 100.0 { 2 } else { 4 })
    }

    /// [`Self::show`] with its sign.
    pub(crate) fn signed(&self, value: f64) -> String {
        let text = self.show(value);
        if text.starts_with('-') { text } else { format!("+{text}") }
    }
}

impl<'a> Cell<'a> {
    /// `GradCAM`, or `GradCAM + UCAG`.
    pub(crate) fn label(&self) -> String {
        label(self.method, self.ucag)
    }

    /// What a record says it is the number of.
    pub(crate) fn key(&self) -> Key<'a> {
        Key { model: self.model, method: self.method.id, ucag: self.ucag, metric: self.metric.id }
    }
}

/// `GradCAM`, or `GradCAM + UCAG`.
pub(crate) fn label(method: &ucag_core::explain::Method, ucag: bool) -> String {
    format!("{}{}", method.name, if ucag { " + UCAG" } else { "" })
}

/// A number with this many decimals, without the sign of a zero.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        _ => text,
    }
}

/// The part of a record that says what it is the number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    pub(crate) model: &'a str,
    pub(crate) method: &'a str,
    pub(crate) ucag: bool,
    pub(crate) metric: &'a str,
}

/// Every cell of the config, in its order.
pub(crate) fn cells(config: &Config) -> Vec<Cell<'_>> {
    let mut cells = Vec::new();
    for model in &config.models {
        for method in &config.methods {
            for &ucag in &method.ucag {
                for metric in &config.metrics {
                    cells.push(Cell { model: &model.name, method: method.method, ucag, metric: Metric(metric.metric) });
                }
            }
        }
    }
    cells
}

/// The place of each record's cell.
///
/// # Errors
/// Where a record is of no cell, or its value isn't finite.
pub(crate) fn places(cells: &[Cell<'_>], records: &[Record]) -> anyhow::Result<Vec<usize>> {
    let places: HashMap<Key<'_>, usize> = cells.iter().enumerate().map(|(place, cell)| (cell.key(), place)).collect();
    let place = |record: &Record| {
        let Record { model, method, ucag, metric, .. } = record;
        let what = format!("{metric} of {method}{} on {model}", if *ucag { " + UCAG" } else { "" });
        anyhow::ensure!(
            record.value.is_finite(),
            "sample `{}`: {what} is {}, which is no number to report; remove its line from the journal and run again",
            record.sample,
            record.value
        );
        places.get(&Key { model, method, ucag: *ucag, metric }).copied().with_context(|| {
            format!(
                "sample `{}`: {what} is nothing that the config asks for; these records are another config's",
                record.sample
            )
        })
    };
    records.iter().map(place).collect()
}
