//! The cells of a table: every data set, model, method, with or without UCAG, and metric's column
//! of the config, in its order.

use std::collections::HashMap;

use anyhow::Context;
use metrics::{Column, Subset};

use super::metric_columns::{Metric, metric_columns};
use super::population::Population;
use crate::config::{Config, Method, Variant};
use crate::records::Record;

/// The identity of a number in the table.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    /// The data set's name.
    pub dataset: &'a str,
    /// The model's name.
    pub model: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The variant that it is run in.
    pub variant: &'a Variant,
    /// Entry in the registry of metrics.
    pub metric: Metric,
    /// The column, of the metric's.
    pub column: &'static Column,
}

impl<'a> Cell<'a> {
    /// `GradCAM`, or `GradCAM + UCAG`.
    pub(crate) fn label(&self) -> String {
        self.variant.label(&self.method.name)
    }

    pub(crate) fn game(&self) -> Population<'a> {
        Population { dataset: self.dataset, metric: self.metric, subset: self.column.subset }
    }

    /// The key that tells it from every other cell.
    pub fn key(&self) -> CellKey<'a> {
        CellKey {
            dataset: self.dataset,
            model: self.model,
            method: &self.method.id,
            ucag: self.variant.ucag,
            variant: &self.variant.name,
            metric: self.metric.id,
            subset: self.column.subset,
        }
    }
}

/// The key of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellKey<'a> {
    /// The data set's name.
    pub dataset: &'a str,
    /// The model's name.
    pub model: &'a str,
    /// The method, as records call it.
    pub method: &'a str,
    /// True if UCAG is around the method.
    pub ucag: bool,
    /// The variant's name; empty for the usual row.
    pub variant: &'a str,
    /// The metric's id.
    pub metric: &'a str,
    /// The pairs of image and class that are in it.
    pub subset: Subset,
}

/// Every cell of the config, data sets one after the other, in its order.
pub(crate) fn cells(config: &Config) -> Vec<Cell<'_>> {
    let metric_columns = metric_columns(config);
    let mut cells = Vec::new();
    for (place, dataset) in config.datasets.iter().enumerate() {
        for model in config.models.iter().filter(|model| model.dataset == place) {
            for (method, variant) in config.rows_on(place) {
                cells.extend(metric_columns.iter().map(|head| Cell {
                    dataset: &dataset.name,
                    model: &model.name,
                    method,
                    variant,
                    metric: head.metric,
                    column: head.column,
                }));
            }
        }
    }
    cells
}

/// Finds the cells of records.
pub(crate) struct CellIndex<'a>(HashMap<CellKey<'a>, usize>);

impl<'a> CellIndex<'a> {
    pub(crate) fn new(cells: &'a [Cell<'a>]) -> Self {
        Self(cells.iter().enumerate().map(|(place, cell)| (cell.key(), place)).collect())
    }

    /// The cell that a record is in, and the one of the difficult subset where it is in that, too.
    ///
    /// # Errors
    /// Where the record is of no cell, or its value isn't finite.
    pub(crate) fn of(&self, record: &Record) -> anyhow::Result<(usize, Option<usize>)> {
        let Record { dataset, model, method, ucag, variant, metric, .. } = record;
        let with = || format!("{}{variant}", if *ucag { " + UCAG" } else { "" });
        let what = || format!("{metric} of {method}{} on {model}", with());
        if let Some(value) = record.value {
            anyhow::ensure!(
                value.is_finite(),
                "sample `{}`: {} is {value}, which is no number to report; remove its line from the journal and run again",
                record.sample,
                what(),
            );
        }
        let cell =
            |subset| self.0.get(&CellKey { dataset, model, method, ucag: *ucag, variant, metric, subset }).copied();
        let all = cell(Subset::All).with_context(|| {
            format!(
                "sample `{}` of {dataset}: {} is nothing that the config asks for; these records are another config's",
                record.sample,
                what()
            )
        })?;
        Ok((all, record.difficult.then(|| cell(Subset::Difficult)).flatten()))
    }
}
