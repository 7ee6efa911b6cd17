//! Records aggregated to cells.

use polars::prelude::{Column, DataFrame, IntoColumn, IntoSeries, PolarsError, UInt32Chunked, df};
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

/// Aggregates the records of each of `cells` cells.
pub(crate) fn aggregate(cells: usize, columns: &Columns) -> anyhow::Result<Vec<Aggregate>> {
    let samples = per_sample(columns)?;
    let table = grouped(&samples, &["cell"], &["n", "pairs", "unscored", "all-zero", "constant", "non-finite"])?;
    // Row of each cell in the table; a cell without records has none.
    let mut rows = vec![None; cells];
    for (row, cell) in table.column("cell")?.u32()?.iter().enumerate() {
        if let Some(cell) = cell {
            rows[cell as usize] = Some(row);
        }
    }

    let mut values = vec![Vec::new(); cells];
    let (cell, sample, value) =
        (samples.column("cell")?.u32()?, samples.column("sample")?.u32()?, samples.column("value")?.f64()?);
    for ((cell, sample), value) in cell.iter().zip(sample.iter()).zip(value.iter()) {
        if let (Some(cell), Some(sample), Some(value)) = (cell, sample, value) {
            values[cell as usize].push((sample as usize, value));
        }
    }
    let count = |name: &str, row: Option<usize>| {
        let counts = table.column(name)?.u32()?;
        anyhow::Ok(row.and_then(|row| counts.get(row)).unwrap_or(0) as usize)
    };
    let aggregate = |(row, samples): (Option<usize>, Vec<(usize, f64)>)| {
        let means = table.column("value")?.f64()?;
        Ok(Aggregate {
            mean: row.and_then(|row| means.get(row)),
            n: count("n", row)?,
            pairs: count("pairs", row)?,
            unscored: count("unscored", row)?,
            degenerate: Degenerate {
                all_zero: count("all-zero", row)?,
                constant: count("constant", row)?,
                non_finite: count("non-finite", row)?,
            },
            samples,
        })
    };
    rows.into_iter().zip(values).map(aggregate).collect()
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
        "pairs" => vec![1u32; columns.value.len()],
        "unscored" => columns.value.iter().map(|value| u32::from(value.is_nan())).collect::<Vec<_>>(),
        "all-zero" => count(MapState::AllZero),
        "constant" => count(MapState::Constant),
        "non-finite" => count(MapState::NonFinite),
    )?;
    let mut samples =
        grouped(&frame, &["cell", "sample"], &["pairs", "unscored", "all-zero", "constant", "non-finite"])?;
    let scored: UInt32Chunked =
        samples.column("value")?.f64()?.iter().map(|value| Some(u32::from(value.is_some()))).collect();
    samples.with_column(scored.into_series().with_name("n".into()).into_column())?;
    Ok(samples)
}

/// Groups rows by `keys`, in order of appearance: the mean of `value` (of the values that there
/// are) and the sums of `counts`.
#[allow(deprecated, reason = "polars' lazy engine, which it recommends, doubles the time of a build")]
fn grouped(frame: &DataFrame, keys: &[&str], counts: &[&str]) -> anyhow::Result<DataFrame> {
    let groups = frame.group_by_stable(keys.iter().copied())?;
    let means = groups.select(["value"]).mean()?;
    let groups = frame.group_by_stable(keys.iter().copied())?;
    let sums = groups.select(counts.iter().copied()).sum()?;
    let mut columns: Vec<Column> =
        keys.iter().map(|key| means.column(key).cloned()).collect::<Result<_, PolarsError>>()?;
    columns.push(means.column("value_mean")?.clone().with_name("value".into()));
    for count in counts {
        columns.push(sums.column(&format!("{count}_sum"))?.clone().with_name((*count).into()));
    }
    Ok(DataFrame::new_infer_height(columns)?)
}
