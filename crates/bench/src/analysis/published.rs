//! Published numbers, to be set beside ours. They are what a paper printed; nothing here was
//! measured.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

/// One published number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Number of the table in the paper.
    pub table: String,
    /// Data set that it was measured on.
    pub dataset: String,
    /// Model, as the paper names it.
    pub model: String,
    /// Method, as the paper names it.
    pub method: String,
    /// True if UCAG is around the method.
    pub ucag: bool,
    /// Metric and unit, as in `metrics::Column::published`.
    pub metric: String,
    /// The number, in the metric's unit.
    pub value: f64,
}

const COLUMNS: &str = "table,dataset,model,method,ucag,metric,value";

/// Reads a CSV with the columns table, dataset, model, method, ucag, metric, value.
///
/// # Errors
/// Names the file and line where a line is malformed, a value isn't finite, or two lines are of the
/// same number.
pub fn read(path: &Path) -> anyhow::Result<Vec<Published>> {
    let show = path.display();
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("{show}: can't read the published numbers"))?;
    let headers = reader.headers().with_context(|| format!("{show}:1: can't read the head line"))?.clone();
    ensure!(headers.iter().eq(COLUMNS.split(',')), "{show}:1: the columns must be {COLUMNS}");
    let mut seen = HashMap::new();
    let mut published = Vec::new();
    for line in reader.records() {
        let line = line.map_err(|error| malformed(path, &error))?;
        let number = line.position().map_or(0, csv::Position::line);
        let row: Published = line.deserialize(Some(&headers)).map_err(|error| malformed(path, &error))?;
        if !row.value.is_finite() {
            bail!("{show}:{number}: value is {}; it must be a finite number", row.value);
        }
        let key = (row.dataset.clone(), row.model.clone(), row.method.clone(), row.ucag, row.metric.clone());
        if let Some(first) = seen.insert(key, number) {
            bail!(
                "{show}:{number}: {} of {} (ucag = {}) on {}, {}, is already on line {first}; keep one of the two",
                row.metric,
                row.method,
                row.ucag,
                row.model,
                row.dataset
            );
        }
        published.push(row);
    }
    Ok(published)
}

fn malformed(path: &Path, error: &csv::Error) -> anyhow::Error {
    let line = error.position().map_or(0, csv::Position::line);
    let what = match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|field| COLUMNS.split(',').nth(field as usize));
            column.map_or(String::new(), |column| format!("{column}: ")) + &err.kind().to_string()
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} fields where the head line has {expected_len}")
        }
        _ => error.to_string(),
    };
    anyhow::anyhow!("{}:{line}: {what}; columns are {COLUMNS}", path.display())
}

/// A method's name as papers have it: without the mark of a candidate.
pub fn normalise(name: &str) -> &str {
    name.strip_suffix(" (candidate)").unwrap_or(name)
}

/// The published number for a cell, where there is one; a variant of a config's own has none. Where
/// the numbers are of several data sets, the cell's must be of that name. A model is found under
/// its name, or without the number at its end where the paper names only the family ("VGG").
pub fn find<'a>(published: &'a [Published], cell: &crate::analysis::cells::Cell<'_>) -> Option<&'a Published> {
    if !cell.variant.name.is_empty() {
        return None;
    }
    let metric = cell.column.published;
    let several = published.first().is_some_and(|first| published.iter().any(|row| row.dataset != first.dataset));
    let of = |model: &str| {
        published.iter().find(|row| {
            !metric.is_empty()
                && row.metric == metric
                && row.ucag == cell.variant.ucag
                && row.model == model
                && row.method == normalise(&cell.method.name)
                && (!several || row.dataset == cell.dataset)
        })
    };
    of(cell.model).or_else(|| of(cell.model.trim_end_matches(|c: char| c.is_ascii_digit())))
}
