//! Records aggregated to cells.

use anyhow::Context;
use polars::prelude::{DataFrame, PolarsResult, df};
use ucag_core::postprocess::MapState;

use super::record_columns::Columns;

/// The aggregate of a cell's records.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    /// Mean over samples, in the metric's own range; a sample's classes are averaged first.
    pub(crate) mean: Option<f64>,
    /// Samples that have a number.
    pub(crate) n: usize,
    /// Pairs of sample and class, each of which has a map.
    pub(crate) pairs: usize,
    /// Those whose map the metric has no number for.
    pub(crate) unscored: usize,
    /// Degenerate maps.
    pub(crate) degenerate: Degenerate,
    /// Each sample and its value, in plan order; a sample is its place among all of them.
    pub(crate) samples: Vec<(usize, f64)>,
}

/// Numbers of a cell's degenerate maps, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Degenerate {
    /// Maps with no value but zero.
    pub all_zero: usize,
    /// Maps with one value, not zero.
    pub constant: usize,
    /// Maps with NaN or an infinity.
    pub non_finite: usize,
}

impl Degenerate {
    /// All of them.
    pub fn total(&self) -> usize {
        self.all_zero + self.constant + self.non_finite
    }
}

/// Columns that are added up, over a sample's classes and then over a cell's samples.
const COUNTS: [&str; 5] = ["pairs", "unscored", "all-zero", "constant", "non-finite"];

/// Aggregates the records of each of `cells` cells.
pub(crate) fn aggregate(cells: usize, columns: &Columns) -> anyhow::Result<Vec<Aggregate>> {
    let samples = per_sample(columns)?;
    let mut values = vec![Vec::new(); cells];
    let (cell, sample, value) =
        (samples.column("cell")?.u32()?, samples.column("sample")?.u32()?, samples.column("value")?.f64()?);
    for ((cell, sample), value) in cell.iter().zip(sample.iter()).zip(value.iter()) {
        if let (Some(cell), Some(sample), Some(value)) = (cell, sample, value) {
            values[cell as usize].push((sample as usize, value));
        }
    }

    let table = grouped(&samples, &["cell"])?;
    // A cell without records has no row.
    let mut rows = vec![None; cells];
    for (row, cell) in table.column("cell")?.u32()?.iter().enumerate() {
        rows[cell.context("a cell is null")? as usize] = Some(row);
    }
    let means = table.column("value")?.f64()?;
    let counts = COUNTS.iter().map(|name| table.column(name)?.u32()).collect::<PolarsResult<Vec<_>>>()?;
    let count = |row: Option<usize>, column: usize| row.and_then(|row| counts[column].get(row)).unwrap_or(0) as usize;
    let aggregate = |(row, samples): (Option<usize>, Vec<(usize, f64)>)| {
        let [pairs, unscored, all_zero, constant, non_finite] = std::array::from_fn(|column| count(row, column));
        Aggregate {
            mean: row.and_then(|row| means.get(row)),
            n: samples.len(),
            pairs,
            unscored,
            degenerate: Degenerate { all_zero, constant, non_finite },
            samples,
        }
    };
    Ok(rows.into_iter().zip(values).map(aggregate).collect())
}

/// A row for each cell and sample: the mean over the sample's classes, how many those are, and how
/// many of their maps were degenerate.
fn per_sample(columns: &Columns) -> anyhow::Result<DataFrame> {
    let count = |state: MapState| -> Vec<u32> { columns.map.iter().map(|&map| u32::from(map == state)).collect() };
    let values = columns.value.iter().map(|&value| (!value.is_nan()).then_some(value));
    let frame = df!(
        "cell" => &columns.cell[..],
        "sample" => &columns.sample[..],
        "value" => values.collect::<Vec<_>>(),
        "pairs" => vec![1_u32; columns.cell.len()],
        "unscored" => columns.value.iter().map(|value| u32::from(value.is_nan())).collect::<Vec<_>>(),
        "all-zero" => count(MapState::AllZero),
        "constant" => count(MapState::Constant),
        "non-finite" => count(MapState::NonFinite),
    )?;
    grouped(&frame, &["cell", "sample"])
}

/// A row for each combination of the keys, in the order of their first rows: the mean of `value`
/// and the sums of [`COUNTS`], under their names.
#[allow(deprecated, reason = "polars advises its lazy engine, which takes minutes to build and calls the same kernels")]
fn grouped(frame: &DataFrame, keys: &[&str]) -> anyhow::Result<DataFrame> {
    let groups = frame.group_by_stable(keys.iter().copied())?.select(["value"]);
    let mut table = groups.mean()?;
    let sums = groups.select(COUNTS).sum()?;
    table.hstack_mut(&sums.columns()[keys.len()..])?;
    table.set_column_names(&[keys, &["value"], &COUNTS].concat())?;
    Ok(table)
}
