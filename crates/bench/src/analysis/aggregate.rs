//! Records aggregated to cells.

use polars::prelude::{DataFrame, DataType, IntoLazy, JoinArgs, JoinType, col, df, len};
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

/// One aggregate for each of so many cells.
pub(crate) fn aggregate(cells: usize, columns: &Columns) -> anyhow::Result<Vec<Aggregate>> {
    let samples = per_sample(columns)?;
    let all: Vec<u32> = (0..cells as u32).collect();
    let means = samples.clone().lazy().group_by_stable([col("cell")]).agg([
        col("value").mean(),
        col("value").count().cast(DataType::UInt32).alias("n"),
        col("pairs").sum(),
        col("unscored").sum(),
        col("all-zero").sum(),
        col("constant").sum(),
        col("non-finite").sum(),
    ]);
    let table = df!("cell" => all)?
        .lazy()
        .join(means, [col("cell")], [col("cell")], JoinArgs::new(JoinType::Left))
        .sort(["cell"], Default::default())
        .collect()?;

    let mut values = vec![Vec::new(); cells];
    let (cell, sample, value) =
        (samples.column("cell")?.u32()?, samples.column("sample")?.u32()?, samples.column("value")?.f64()?);
    for ((cell, sample), value) in cell.iter().zip(sample.iter()).zip(value.iter()) {
        if let (Some(cell), Some(sample), Some(value)) = (cell, sample, value) {
            values[cell as usize].push((sample as usize, value));
        }
    }
    let count = |name: &str, row: usize| anyhow::Ok(table.column(name)?.u32()?.get(row).unwrap_or(0) as usize);
    let row = |(row, samples): (usize, Vec<(usize, f64)>)| {
        Ok(Aggregate {
            mean: table.column("value")?.f64()?.get(row),
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
    values.into_iter().enumerate().map(row).collect()
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
        "unscored" => columns.value.iter().map(|value| u32::from(value.is_nan())).collect::<Vec<_>>(),
        "all-zero" => count(MapState::AllZero),
        "constant" => count(MapState::Constant),
        "non-finite" => count(MapState::NonFinite),
    )?;
    Ok(frame
        .lazy()
        .group_by_stable([col("cell"), col("sample")])
        .agg([
            col("value").mean(),
            len().cast(DataType::UInt32).alias("pairs"),
            col("unscored").sum(),
            col("all-zero").sum(),
            col("constant").sum(),
            col("non-finite").sum(),
        ])
        .collect()?)
}
