//! The table's parts as grids of text.

use super::text_table::Grid;
use crate::analysis::bootstrap::Interval;
use crate::analysis::cells::CellKey;
use crate::analysis::metric_columns::MetricColumn;
use crate::analysis::{Table, TableRow};
use crate::config::{Method, Model, Variant};

/// The text in place of a missing number.
const NONE: &str = "–";

/// A model's rows: methods, without and with UCAG, ours and published; either only controls or none
/// of them. `None` where there are no such rows.
pub(crate) fn model(table: &Table<'_>, model: &Model, controls: bool) -> Option<Grid> {
    let metric_columns = table.metric_columns();
    let dataset = &table.config.datasets[model.dataset].name;
    let compared: Vec<bool> =
        metric_columns.iter().map(|head| is_published(table, dataset, head, Some(controls))).collect();
    let mut head = vec!["Method".to_owned()];
    for (column, compared) in metric_columns.iter().zip(&compared) {
        head.push(column.head());
        if *compared {
            head.push("published".to_owned());
        }
    }
    let mut rows = Vec::new();
    let these = |(method, _): &(&Method, &Variant)| method.is_control() == controls;
    for (method, variant) in table.config.rows_on(model.dataset).filter(these) {
        let mut cells = vec![variant.label(&method.name)];
        for (head, compared) in metric_columns.iter().zip(&compared) {
            let row = table.row(key(table, model, method, variant, head));
            cells.push(row.map_or(NONE.to_owned(), ours));
            if *compared {
                let published = row.and_then(|row| row.published);
                cells.push(published.map_or(NONE.to_owned(), |value| head.metric.show(value)));
            }
        }
        rows.push(cells);
    }
    (!rows.is_empty()).then_some(Grid { head, rows, words: 1 })
}

/// The differences on a data set: for each row that is compared with another (a method with UCAG
/// with the same without it), the paired differences. `None` where there are none.
pub(crate) fn paired(table: &Table<'_>, dataset: usize) -> Option<Grid> {
    let metric_columns = table.metric_columns();
    let name = &table.config.datasets[dataset].name;
    let variants = table.config.has_variants();
    let place = if variants { &["Model", "Method", "Row", "against"][..] } else { &["Model", "Method"][..] };
    let mut head: Vec<String> = place.iter().map(|&word| word.to_owned()).collect();
    for column in &metric_columns {
        head.push(column.head());
        head.push("says".to_owned());
        if is_published(table, name, column, None) {
            head.push("published".to_owned());
        }
    }
    let mut rows = Vec::new();
    for model in table.config.models.iter().filter(|model| model.dataset == dataset) {
        for (method, variant) in table.config.rows_on(dataset) {
            let Some(place) = variant.against.filter(|place| method.variants.contains(place)) else { continue };
            let against = &table.config.variants[place];
            let mut cells = vec![model.name.clone(), method.name.clone()];
            if variants {
                cells.extend([variant.words(), against.words()]);
            }
            for head in &metric_columns {
                let metric = head.metric;
                let row = |variant| table.row(key(table, model, method, variant, head));
                let (with, without) = (row(variant), row(against));
                let paired = with.and_then(|row| row.paired);
                cells.push(paired.map_or(NONE.to_owned(), |paired| {
                    metric.signed(paired.difference) + &interval(paired.interval, |value| metric.signed(value))
                }));
                cells.push(paired.map_or(NONE, |paired| paired.verdict.as_str()).to_owned());
                if is_published(table, name, head, None) {
                    let published = |row: Option<&TableRow<'_>>| row.and_then(|row| row.published);
                    let change = published(with).zip(published(without)).map(|(with, without)| with - without);
                    cells.push(change.map_or(NONE.to_owned(), |change| metric.signed(change)));
                }
            }
            rows.push(cells);
        }
    }
    (!rows.is_empty()).then_some(Grid { head, rows, words: place.len() })
}

/// Degenerate maps, where there are any: rows by data set (where there are several), model, method
/// and UCAG.
pub(crate) fn degenerate(table: &Table<'_>) -> Option<Grid> {
    let place =
        if table.has_several_datasets() { &["Data set", "Model", "Method"][..] } else { &["Model", "Method"][..] };
    let head =
        place.iter().chain(&["all-zero", "constant", "non-finite", "maps"]).map(|&word| word.to_owned()).collect();
    // A map is counted once, however many metrics score it, by the one that scores the most maps.
    let mut most: Vec<&TableRow<'_>> = Vec::new();
    for row in &table.rows {
        let map = |of: &TableRow<'_>| {
            (of.cell.dataset == row.cell.dataset, of.cell.model == row.cell.model, of.cell.label() == row.cell.label())
        };
        match most.last_mut() {
            Some(last) if map(last) == (true, true, true) => {
                if row.pairs > last.pairs {
                    *last = row;
                }
            }
            _ => most.push(row),
        }
    }
    let line = |row: &&TableRow<'_>| {
        let found = &row.degenerate;
        let counts = [found.all_zero, found.constant, found.non_finite, row.pairs].map(|count| count.to_string());
        let names = [row.cell.dataset.to_owned(), row.cell.model.to_owned(), row.cell.label()];
        [&names[names.len() - place.len()..], &counts].concat()
    };
    let rows: Vec<Vec<String>> = most.iter().filter(|row| row.degenerate.total() > 0).map(line).collect();
    (!rows.is_empty()).then_some(Grid { head, rows, words: place.len() })
}

fn key<'k>(
    table: &'k Table<'_>,
    model: &'k Model,
    method: &'k Method,
    variant: &'k Variant,
    head: &MetricColumn,
) -> CellKey<'k> {
    CellKey {
        dataset: &table.config.datasets[model.dataset].name,
        model: &model.name,
        method: &method.id,
        ucag: variant.ucag,
        variant: &variant.name,
        metric: head.metric.0.id,
        subset: head.subset(),
    }
}

/// Returns whether some row of the data set, of controls or of other methods or of either, has a
/// published number in this column.
fn is_published(table: &Table<'_>, dataset: &str, head: &MetricColumn, controls: Option<bool>) -> bool {
    let here = |row: &TableRow<'_>| {
        let control = row.cell.method.is_control();
        row.cell.metric.id == head.metric.id && row.cell.column == head.column && controls.is_none_or(|c| c == control)
    };
    table.rows_on(dataset).any(|row| here(row) && row.published.is_some())
}

fn ours(row: &TableRow<'_>) -> String {
    let metric = row.cell.metric;
    match row.ours {
        None => NONE.to_owned(),
        Some(mean) => metric.show(mean) + &interval(row.interval, |value| metric.show(value)),
    }
}

fn interval(interval: Option<Interval>, show: impl Fn(f64) -> String) -> String {
    interval.map(|Interval { low, high }| format!(" [{}, {}]", show(low), show(high))).unwrap_or_default()
}
