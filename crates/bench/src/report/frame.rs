//! Records aggregated to cells.

use std::collections::HashMap;

use polars::prelude::{DataFrame, DataType, IntoLazy, JoinArgs, JoinType, col, df, len};
use ucag_core::post::MapState;

use super::cells::{Cell, places};
use super::published::{Published, find};
use crate::record::Record;

/// What the records of a cell come to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Aggregate {
    /// Mean over samples, in the metric's own range; a sample's classes are averaged first.
    pub(crate) mean: Option<f64>,
    /// Samples.
    pub(crate) n: usize,
    /// Degenerate maps.
    pub(crate) degenerate: Degenerate,
    /// The published number, in the metric's unit.
    pub(crate) published: Option<f64>,
    /// Each sample and its value, in plan order; a sample is its place in the plan.
    pub(crate) values: Vec<(usize, f64)>,
}

/// How many maps of a cell were degenerate, and how.
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

/// One aggregate for each cell.
pub(crate) fn aggregate(
    cells: &[Cell<'_>],
    records: &[Record],
    published: &[Published],
) -> anyhow::Result<Vec<Aggregate>> {
    let samples = per_sample(cells, records)?;
    let all: Vec<u32> = (0..cells.len() as u32).collect();
    let theirs: Vec<Option<f64>> = cells.iter().map(|cell| find(published, cell).map(|row| row.value)).collect();
    let left = || JoinArgs::new(JoinType::Left);
    let means = samples.clone().lazy().group_by_stable([col("cell")]).agg([
        col("value").mean(),
        len().cast(DataType::UInt32).alias("n"),
        col("all-zero").sum(),
        col("constant").sum(),
        col("non-finite").sum(),
    ]);
    let table = df!("cell" => all.clone())?
        .lazy()
        .join(means, [col("cell")], [col("cell")], left())
        .join(df!("cell" => all, "published" => theirs)?.lazy(), [col("cell")], [col("cell")], left())
        .sort(["cell"], Default::default())
        .collect()?;

    let mut values = vec![Vec::new(); cells.len()];
    let (cell, sample, value) =
        (samples.column("cell")?.u32()?, samples.column("sample")?.u32()?, samples.column("value")?.f64()?);
    for ((cell, sample), value) in cell.iter().zip(sample.iter()).zip(value.iter()) {
        if let (Some(cell), Some(sample), Some(value)) = (cell, sample, value) {
            values[cell as usize].push((sample as usize, value));
        }
    }
    let float = |name: &str, row: usize| anyhow::Ok(table.column(name)?.f64()?.get(row));
    let count = |name: &str, row: usize| anyhow::Ok(table.column(name)?.u32()?.get(row).unwrap_or(0) as usize);
    let row = |(row, values): (usize, Vec<(usize, f64)>)| {
        Ok(Aggregate {
            mean: float("value", row)?,
            n: count("n", row)?,
            degenerate: Degenerate {
                all_zero: count("all-zero", row)?,
                constant: count("constant", row)?,
                non_finite: count("non-finite", row)?,
            },
            published: float("published", row)?,
            values,
        })
    };
    values.into_iter().enumerate().map(row).collect()
}

/// A row for each cell and sample: the mean over the sample's classes, and how many of its maps were degenerate.
fn per_sample(cells: &[Cell<'_>], records: &[Record]) -> anyhow::Result<DataFrame> {
    let mut known = HashMap::new();
    let sample: Vec<u32> = records
        .iter()
        .map(|record| {
            let next = known.len() as u32;
            *known.entry(record.sample.as_str()).or_insert(next)
        })
        .collect();
    let cell: Vec<u32> = places(cells, records)?.into_iter().map(|place| place as u32).collect();
    let value: Vec<f64> = records.iter().map(|record| record.value).collect();
    let count = |state: MapState| -> Vec<u32> { records.iter().map(|record| u32::from(record.map == state)).collect() };
    let frame = df!(
        "cell" => cell,
        "sample" => sample,
        "value" => value,
        "all-zero" => count(MapState::AllZero),
        "constant" => count(MapState::Constant),
        "non-finite" => count(MapState::NonFinite),
    )?;
    Ok(frame
        .lazy()
        .group_by_stable([col("cell"), col("sample")])
        .agg([col("value").mean(), col("all-zero").sum(), col("constant").sum(), col("non-finite").sum()])
        .collect()?)
}
