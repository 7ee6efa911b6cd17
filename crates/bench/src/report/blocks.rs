//! The table's parts as grids of text.

use ucag_core::explain::Role;

use super::cells::{Metric, label};
use super::grid::Grid;
use super::stats::Interval;
use super::table::{Row, Table};

/// What stands where there is no number.
const NONE: &str = "–";

/// A model's rows: methods, without and with UCAG, ours and published; either only controls or none of them. `None` where there are no such rows.
pub(crate) fn model(table: &Table<'_>, model: &str, controls: bool) -> Option<Grid> {
    let metrics = metrics(table);
    let compared: Vec<bool> = metrics.iter().map(|metric| !controls && is_published(table, metric)).collect();
    let mut head = vec!["Method".to_owned()];
    for (metric, compared) in metrics.iter().zip(&compared) {
        head.push(metric.head());
        if *compared {
            head.push("published".to_owned());
        }
    }
    let mut rows = Vec::new();
    for method in &table.config.methods {
        if (method.method.role == Role::Control) != controls {
            continue;
        }
        for &ucag in &method.ucag {
            let mut cells = vec![label(method.method, ucag)];
            for (metric, compared) in metrics.iter().zip(&compared) {
                let row = table.row(model, method.method.id, ucag, metric.id);
                cells.push(row.map_or(NONE.to_owned(), ours));
                if *compared {
                    let published = row.and_then(|row| row.published);
                    cells.push(published.map_or(NONE.to_owned(), |value| metric.show(value)));
                }
            }
            rows.push(cells);
        }
    }
    (!rows.is_empty()).then_some(Grid { head, rows, words: 1 })
}

/// What UCAG changes: for each model and method that has both rows, the paired differences. `None` where there are none.
pub(crate) fn paired(table: &Table<'_>) -> Option<Grid> {
    let metrics = metrics(table);
    let mut head = vec!["Model".to_owned(), "Method".to_owned()];
    for metric in &metrics {
        head.push(metric.head());
        head.push("says".to_owned());
        if is_published(table, metric) {
            head.push("published".to_owned());
        }
    }
    let mut rows = Vec::new();
    for model in &table.config.models {
        for method in &table.config.methods {
            let id = method.method.id;
            if !(method.ucag.contains(&true) && method.ucag.contains(&false)) {
                continue;
            }
            let mut cells = vec![model.name.clone(), method.method.name.to_owned()];
            for metric in &metrics {
                let row = |ucag| table.row(&model.name, id, ucag, metric.id);
                let (with, without) = (row(true), row(false));
                let paired = with.and_then(|row| row.paired);
                cells.push(paired.map_or(NONE.to_owned(), |paired| {
                    metric.signed(paired.difference) + &interval(paired.interval, |value| metric.signed(value))
                }));
                cells.push(paired.map_or(NONE, |paired| paired.verdict.as_str()).to_owned());
                if is_published(table, metric) {
                    let published = |row: Option<&Row<'_>>| row.and_then(|row| row.published);
                    let change = published(with).zip(published(without)).map(|(with, without)| with - without);
                    cells.push(change.map_or(NONE.to_owned(), |change| metric.signed(change)));
                }
            }
            rows.push(cells);
        }
    }
    (!rows.is_empty()).then_some(Grid { head, rows, words: 2 })
}

/// Degenerate maps, where there are any: rows by model, method and UCAG.
pub(crate) fn degenerate(table: &Table<'_>) -> Option<Grid> {
    let head = ["Model", "Method", "all-zero", "constant", "non-finite", "samples"].map(str::to_owned).to_vec();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for row in table.rows.iter().filter(|row| row.degenerate.total() > 0) {
        let found = &row.degenerate;
        let counts = [found.all_zero, found.constant, found.non_finite, row.n].map(|count| count.to_string());
        let line = [vec![row.cell.model.to_owned(), row.cell.label()], counts.to_vec()].concat();
        // A map is counted once, however many metrics score it.
        if rows.last().is_none_or(|last| last[..2] != line[..2]) {
            rows.push(line);
        }
    }
    (!rows.is_empty()).then_some(Grid { head, rows, words: 2 })
}

/// The config's metrics.
pub(crate) fn metrics(table: &Table<'_>) -> Vec<Metric> {
    table.config.metrics.iter().map(|metric| Metric(metric.metric)).collect()
}

fn is_published(table: &Table<'_>, metric: &Metric) -> bool {
    table.rows.iter().any(|row| row.cell.metric.id == metric.id && row.published.is_some())
}

fn ours(row: &Row<'_>) -> String {
    let metric = row.cell.metric;
    match row.ours {
        None => NONE.to_owned(),
        Some(mean) => metric.show(mean) + &interval(row.interval, |value| metric.show(value)),
    }
}

fn interval(interval: Option<Interval>, show: impl Fn(f64) -> String) -> String {
    interval.map(|Interval { low, high }| format!(" [{}, {}]", show(low), show(high))).unwrap_or_default()
}
