//! The columns of a table: the numbers that each metric of the config comes to.

use metrics::{Column, Subset};

use super::format::fixed;
use crate::config::Config;

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
        self.headed(self.name)
    }

    fn headed(&self, name: &str) -> String {
        match self.unit {
            "" => format!("{name} {}", self.direction.arrow()),
            unit => format!("{name} {} ({unit})", self.direction.arrow()),
        }
    }

    /// A number as people read it, always with a point: hundredths of a percent, or thousandths of
    /// what isn't scaled.
    pub(crate) fn show(&self, value: f64) -> String {
        fixed(value, if self.scale >= 100.0 { 2 } else { 3 })
    }

    /// [`Self::show`] with its sign.
    pub(crate) fn signed(&self, value: f64) -> String {
        let text = self.show(value);
        if text.starts_with('-') { text } else { format!("+{text}") }
    }
}

/// One of a metric's columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MetricColumn {
    pub(crate) metric: Metric,
    pub(crate) column: &'static Column,
}

impl MetricColumn {
    /// The metric's name, with the subset where the metric has several.
    pub(crate) fn name(&self) -> String {
        match self.metric.columns.len() {
            1 => self.metric.name.to_owned(),
            _ => format!("{}, {}", self.metric.name, self.subset().as_str()),
        }
    }

    /// [`Self::name`], which way is better, and the unit: `Pointing game, all ↑ (%)`.
    pub(crate) fn head(&self) -> String {
        self.metric.headed(&self.name())
    }

    pub(crate) fn subset(&self) -> Subset {
        self.column.subset
    }
}

/// The columns of every metric of the config, in its order.
pub(crate) fn metric_columns(config: &Config) -> Vec<MetricColumn> {
    let of = |metric: &crate::config::Metric| {
        let metric = Metric(metric.metric);
        metric.0.columns.iter().map(move |column| MetricColumn { metric, column })
    };
    config.metrics.iter().flat_map(of).collect()
}
