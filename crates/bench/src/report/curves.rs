//! Mean curves over samples: what the mean of a metric was integrated from.

use anyhow::ensure;
use metrics::Subset;

use super::cells::{Cell, Member, fixed};
use crate::record::Record;

/// The mean curve of a cell.
#[derive(Debug, Clone)]
pub struct MeanCurve<'a> {
    /// What it is the curve of.
    pub cell: Cell<'a>,
    /// Mean values, at equal steps from 0 to 1.
    pub mean: Vec<f64>,
    /// Curves in the mean.
    pub n: usize,
}

impl MeanCurve<'_> {
    /// The place on the horizontal axis of a point.
    pub fn fraction(&self, point: usize) -> f64 {
        point as f64 / (self.mean.len() - 1) as f64
    }
}

/// The mean curve of each cell whose records have curves, over all pairs of image and class, in the order of the cells.
///
/// # Errors
/// Where curves of a cell have different lengths, or fewer than two points.
pub(crate) fn mean<'a>(
    cells: &[Cell<'a>],
    members: &[Member],
    records: &[Record],
) -> anyhow::Result<Vec<MeanCurve<'a>>> {
    let mut sums: Vec<Option<(Vec<f64>, usize)>> = vec![None; cells.len()];
    for Member { record, cell: place } in members {
        let record = &records[*record];
        let Some(curve) = record.curve.as_ref().filter(|_| cells[*place].column.subset == Subset::All) else {
            continue;
        };
        let (sum, n) = sums[*place].get_or_insert_with(|| (vec![0.0; curve.len()], 0));
        ensure!(
            curve.len() >= 2 && curve.len() == sum.len(),
            "sample `{}`: its {} curve has {} points where others have {}; were these records made with different steps?",
            record.sample,
            record.metric,
            curve.len(),
            sum.len()
        );
        sum.iter_mut().zip(curve).for_each(|(sum, &value)| *sum += f64::from(value));
        *n += 1;
    }
    let mean = |(cell, sum): (&Cell<'a>, Option<(Vec<f64>, usize)>)| {
        sum.map(|(sum, n)| MeanCurve { cell: *cell, mean: sum.into_iter().map(|sum| sum / n as f64).collect(), n })
    };
    Ok(cells.iter().zip(sums).filter_map(mean).collect())
}

/// `curves.csv`: a row for each point.
pub(crate) fn csv(curves: &[MeanCurve<'_>]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(["dataset", "model", "method", "ucag", "variant", "metric", "fraction", "mean", "n"])?;
    for curve in curves {
        for (point, &mean) in curve.mean.iter().enumerate() {
            csv.write_record([
                curve.cell.dataset,
                curve.cell.model,
                &curve.cell.method.id,
                &curve.cell.variant.ucag.to_string(),
                &curve.cell.variant.name,
                curve.cell.metric.id,
                &fixed(curve.fraction(point), 6),
                &fixed(mean, 6),
                &curve.n.to_string(),
            ])?;
        }
    }
    Ok(csv.into_inner()?)
}
