//! The table as CSV: `<name>.csv`, a row for each cell, and `classes.csv`, a row for each class of
//! a cell that averages by class.

use ucag_core::explain::Role;

use crate::analysis::Table;
use crate::analysis::bootstrap::Interval;
use crate::analysis::cells::Cell;
use crate::analysis::format::fixed;
use crate::config::{Method, Variant};

/// `<name>.csv`, empty where there is no number.
pub(crate) fn cells(table: &Table<'_>) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS)?;
    for row in &table.rows {
        let number = |value: Option<f64>| value.map(|value| fixed(value, 6)).unwrap_or_default();
        let interval = |i: Option<Interval>| [number(i.map(|i| i.low)), number(i.map(|i| i.high))];
        let [low, high] = interval(row.interval);
        let [paired_low, paired_high] = interval(row.paired.and_then(|paired| paired.interval));
        let published_difference = row.ours.zip(row.published).map(|(ours, published)| ours - published);
        let Cell { dataset, model, method, variant, metric, column } = row.cell;
        let against = row.paired.and(variant.against).map(|place| &table.config.variants[place]);
        csv.write_record([
            dataset,
            model,
            &method.id,
            &variant.ucag.to_string(),
            &variant.name,
            metric.id,
            column.subset.as_str(),
            role(method),
            &number(row.ours),
            &low,
            &high,
            &row.n.to_string(),
            &row.pairs.to_string(),
            &row.degenerate.all_zero.to_string(),
            &row.degenerate.constant.to_string(),
            &row.degenerate.non_finite.to_string(),
            &number(row.published),
            &number(published_difference),
            &against.map(Variant::words).unwrap_or_default(),
            &number(row.paired.map(|paired| paired.difference)),
            &paired_low,
            &paired_high,
            &row.paired.map(|paired| paired.n.to_string()).unwrap_or_default(),
            row.paired.map(|paired| paired.verdict.as_str()).unwrap_or_default(),
            metric.unit,
            direction(metric.direction),
            &metric.version.to_string(),
            &variant.protocol.name,
            &variant.protocol.version.to_string(),
        ])?;
    }
    Ok(csv.into_inner()?)
}

/// `classes.csv`; `None` where no metric averages by class. A class counts as many pairs as were
/// scored, and a pair of zero more where the protocol's tally has one.
pub(crate) fn classes(table: &Table<'_>) -> anyhow::Result<Option<Vec<u8>>> {
    if table.rows.iter().all(|row| row.classes.is_empty()) {
        return Ok(None);
    }
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "dataset", "model", "method", "ucag", "variant", "metric", "subset", "class", "name", "pairs", "counted",
        "value",
    ])?;
    for row in &table.rows {
        let names = table.datasets.iter().find(|facts| facts.name == row.cell.dataset).map(|facts| &facts.classes);
        for (class, tally) in row.classes.iter().enumerate() {
            let Cell { dataset, model, method, variant, metric, column } = row.cell;
            csv.write_record([
                dataset,
                model,
                &method.id,
                &variant.ucag.to_string(),
                &variant.name,
                metric.id,
                column.subset.as_str(),
                &class.to_string(),
                names.and_then(|names| names.get(class)).map(String::as_str).unwrap_or_default(),
                &tally.pairs.to_string(),
                &(tally.pairs + tally.padding_pairs).to_string(),
                &fixed(tally.mean() * metric.scale, 6),
            ])?;
        }
    }
    Ok(Some(csv.into_inner()?))
}

const COLUMNS: [&str; 29] = [
    "dataset",
    "model",
    "method",
    "ucag",
    "variant",
    "metric",
    "subset",
    "role",
    "ours",
    "low",
    "high",
    "n",
    "pairs",
    "all_zero",
    "constant",
    "non_finite",
    "published",
    "ours_minus_published",
    "against",
    "difference",
    "difference_low",
    "difference_high",
    "difference_n",
    "verdict",
    "unit",
    "better",
    "metric_version",
    "protocol",
    "protocol_version",
];

fn role(method: &Method) -> &'static str {
    match method.computed().map(|computed| computed.entry.role) {
        None => "precomputed",
        Some(Role::Published) => "published",
        Some(Role::Candidate) => "candidate",
        Some(Role::Control) => "control",
    }
}

/// The better direction, in a word.
pub(crate) fn direction(direction: metrics::Direction) -> &'static str {
    match direction {
        metrics::Direction::Lower => "lower",
        metrics::Direction::Higher => "higher",
    }
}
