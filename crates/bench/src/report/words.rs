//! Sentences that the Markdown page and the terminal share.

use super::table::Table;
use crate::record::Failure;

/// Below this many samples, a reader is told not to lean on the intervals.
const FEW: usize = 30;

/// `12 samples`, or `11 to 12 samples`.
pub(crate) fn samples(table: &Table<'_>) -> String {
    match table.samples() {
        (1, 1) => "1 sample".to_owned(),
        (least, most) if least == most => format!("{most} samples"),
        (least, most) => format!("{least} to {most} samples"),
    }
}

/// What ours are and where the published numbers come from.
pub(crate) fn ours(table: &Table<'_>) -> String {
    let config = table.config;
    format!(
        "Ours: mean over {} of `{}`, with its 95 % interval (percentile bootstrap over samples, {} resamples, seed {}).",
        samples(table),
        config.dataset.kind,
        config.output.resamples,
        config.seed
    )
}

/// What the published numbers are, where the config names any.
pub(crate) fn published(table: &Table<'_>) -> Option<String> {
    let first = table.published.first()?;
    let mut datasets: Vec<&str> = table.published.iter().map(|row| row.dataset.as_str()).collect();
    datasets.sort_unstable();
    datasets.dedup();
    let kind = &table.config.dataset.kind;
    if table.rows.iter().all(|row| row.published.is_none()) {
        return Some("Published: no published number is of a model, method and metric in this table.".to_owned());
    }
    let same = datasets.iter().all(|name| name.eq_ignore_ascii_case(kind));
    let caution = match same {
        true => String::new(),
        false => format!(" Ours come from `{kind}`, so the two are not measurements of the same thing."),
    };
    Some(format!(
        "Published: as printed in table {} of the paper, measured there on {}; not measured here.{caution}",
        first.table,
        datasets.join(", ")
    ))
}

/// Cautions about the number of samples, if any.
pub(crate) fn few(table: &Table<'_>) -> Option<String> {
    let empty = table.rows.iter().any(|row| row.n == 0).then(|| "Some cells have no samples.".to_owned());
    let least = table.rows.iter().map(|row| row.n).filter(|&n| n > 0).min();
    let few = match least {
        Some(1) => Some("One sample has no interval, and nothing is called better or worse.".to_owned()),
        Some(n) if n < FEW => Some(format!("With {n} samples, percentile intervals are narrower than they should be.")),
        _ => None,
    };
    let both: Vec<String> = [empty, few].into_iter().flatten().collect();
    (!both.is_empty()).then(|| both.join(" "))
}

/// How many could not be scored.
pub(crate) fn failures(failures: &[Failure]) -> String {
    match failures.len() {
        0 => "No sample failed.".to_owned(),
        1 => "1 sample could not be scored for a model; failures.csv says why.".to_owned(),
        n => format!("{n} samples could not be scored for a model; failures.csv says why."),
    }
}
