//! Mean curves over samples: what the mean of a metric was integrated from.

use anyhow::ensure;

use super::cells::Cell;
use super::format::fixed;
use crate::records::Record;

/// The mean curve of a cell.
#[derive(Debug, Clone)]
pub struct MeanCurve<'a> {
    /// The cell that it is the curve of.
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

/// Sums of curves over all pairs of image and class, by cell; `None` where no record has had one.
pub(crate) struct Sums(Vec<Option<(Vec<f64>, usize)>>);

impl Sums {
    /// For so many cells.
    pub(crate) fn new(cells: usize) -> Self {
        Self(vec![None; cells])
    }

    /// Adds the curve of a record of this cell, if it has one.
    ///
    /// # Errors
    /// Where it is of another length than those before, or has fewer than two points.
    pub(crate) fn add(&mut self, cell: usize, record: &Record) -> anyhow::Result<()> {
        let Some(curve) = &record.curve else { return Ok(()) };
        let (sum, n) = self.0[cell].get_or_insert_with(|| (vec![0.0; curve.len()], 0));
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
        Ok(())
    }

    /// The mean curves, in the order of the cells.
    pub(crate) fn means<'a>(self, cells: &[Cell<'a>]) -> Vec<MeanCurve<'a>> {
        let mean = |(cell, sum): (&Cell<'a>, Option<(Vec<f64>, usize)>)| {
            sum.map(|(sum, n)| MeanCurve { cell: *cell, mean: sum.into_iter().map(|sum| sum / n as f64).collect(), n })
        };
        cells.iter().zip(self.0).filter_map(mean).collect()
    }
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
