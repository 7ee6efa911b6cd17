//! `compare.csv`: a row for each number that the baseline or a run has.

use super::Comparison;
use super::rows::{Alone, ComparedRow, RunCell};
use crate::analysis::format::fixed;
use crate::report::table_csv::direction;

/// The file, empty where there is no number.
pub(super) fn rows(comparisons: &[Comparison<'_>]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS)?;
    for comparison in comparisons {
        for row in &comparison.matched.rows {
            csv.write_record(common(comparison, row))?;
        }
        for (place, rows) in comparison.matched.alone.iter().enumerate() {
            for row in rows {
                csv.write_record(alone(comparison, place, row))?;
            }
        }
    }
    Ok(csv.into_inner()?)
}

const COLUMNS: [&str; 23] = [
    "baseline",
    "run",
    "in",
    "dataset",
    "model",
    "method",
    "baseline_method",
    "ucag",
    "variant",
    "metric",
    "subset",
    "baseline_mean",
    "run_mean",
    "baseline_n",
    "run_n",
    "difference",
    "difference_low",
    "difference_high",
    "difference_n",
    "verdict",
    "unit",
    "better",
    "same_measurement",
];

/// A number, or nothing.
fn number(value: Option<f64>) -> String {
    value.map(|value| fixed(value, 6)).unwrap_or_default()
}

fn common(comparison: &Comparison<'_>, row: &ComparedRow<'_>) -> Vec<String> {
    let interval = row.paired.and_then(|paired| paired.interval);
    let numbers = [
        number(row.means[0]),
        number(row.means[1]),
        row.n[0].to_string(),
        row.n[1].to_string(),
        number(row.paired.map(|paired| paired.difference)),
        number(interval.map(|interval| interval.low)),
        number(interval.map(|interval| interval.high)),
        row.paired.map_or(0, |paired| paired.n).to_string(),
        row.verdict().unwrap_or_default().to_owned(),
    ];
    let same = (comparison.same_measurement(&row.run) && row.counted_alike).to_string();
    line(comparison, "both", &row.run, row.baseline.key.method, &numbers, same)
}

fn alone(comparison: &Comparison<'_>, place: usize, row: &Alone<'_>) -> Vec<String> {
    let mut numbers: [String; 9] = Default::default();
    numbers[place] = number(row.mean);
    numbers[2 + place] = row.n.to_string();
    let method = row.cell.key.method;
    line(comparison, ["baseline", "run"][place], &row.cell, method, &numbers, String::new())
}

fn line(
    comparison: &Comparison<'_>,
    place: &str,
    RunCell { key, head }: &RunCell<'_>,
    baseline_method: &str,
    numbers: &[String; 9],
    same: String,
) -> Vec<String> {
    let ucag = key.ucag.to_string();
    let what = [
        &comparison.baseline.label,
        &comparison.run.label,
        place,
        key.dataset,
        key.model,
        key.method,
        baseline_method,
        &ucag,
        key.variant,
        key.metric,
        key.subset.as_str(),
    ];
    let units = [head.metric.unit.to_owned(), direction(head.metric.direction).to_owned(), same];
    what.into_iter().map(str::to_owned).chain(numbers.iter().cloned()).chain(units).collect()
}
