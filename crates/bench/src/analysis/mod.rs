//! The table: a row for each cell, with intervals, published numbers, and what UCAG changes.

pub(crate) mod aggregate;
pub mod bootstrap;
pub(crate) mod cells;
pub mod class_mean;
pub(crate) mod curves;
pub(crate) mod estimates;
pub(crate) mod format;
pub(crate) mod metric_columns;
pub mod pooled_ratio;
pub(crate) mod population;
pub mod published;
pub(crate) mod record_columns;
pub(crate) mod records;
pub(crate) mod resample;

use metrics::averaging::Class;

use crate::analysis::aggregate::{Degenerate, aggregate};
use crate::analysis::bootstrap::{Interval, Verdict};
use crate::analysis::cells::{Cell, CellIndex, CellKey, cells};
use crate::analysis::estimates::{CellValues, intervals, values};
use crate::analysis::metric_columns::Metric;
use crate::analysis::population::Population;
use crate::analysis::published::{Published, find, read};
use crate::analysis::record_columns::{Columns, Samples};
use crate::config::Config;
use crate::plan::dataset_facts::{DatasetFacts, DatasetSize};
use crate::records::Record;

/// One cell's numbers, in the metric's unit.
#[derive(Debug, Clone)]
pub struct TableRow<'a> {
    /// The cell that they are the numbers of.
    pub cell: Cell<'a>,
    /// Mean as the metric averages; `None` where nothing could be scored.
    pub ours: Option<f64>,
    /// Its interval; `None` for fewer than two samples.
    pub interval: Option<Interval>,
    /// Samples.
    pub n: usize,
    /// Pairs of sample and class, each of which has a map.
    pub pairs: usize,
    /// Those whose map the metric has no number for; they are in no mean.
    pub unscored: usize,
    /// Results by class, in the metric's own range; nothing where the mean is over samples.
    pub classes: Vec<Class>,
    /// Degenerate maps.
    pub degenerate: Degenerate,
    /// The published number.
    pub published: Option<f64>,
    /// The difference from the row that it is compared with: for a method with UCAG, the same
    /// method without it.
    pub paired: Option<Paired>,
}

/// A row minus another, over the samples that have both.
#[derive(Debug, Clone, Copy)]
pub struct Paired {
    /// Mean difference.
    pub difference: f64,
    /// Its interval; `None` for fewer than two samples.
    pub interval: Option<Interval>,
    /// Samples that have both.
    pub n: usize,
    /// The verdict.
    pub verdict: Verdict,
}

impl Paired {
    /// From differences and the interval of their mean, in the metric's own range; `None` where
    /// there are no differences.
    pub(crate) fn new(change: &CellValues, interval: Option<Interval>, metric: Metric) -> Option<Self> {
        let interval = scaled(interval, metric);
        let verdict = Verdict::new(interval, metric.direction);
        Some(Self { difference: change.mean()? * metric.scale, interval, n: change.n(), verdict })
    }
}

fn scaled(interval: Option<Interval>, metric: Metric) -> Option<Interval> {
    interval.map(|Interval { low, high }| Interval { low: low * metric.scale, high: high * metric.scale })
}

/// The rows of a report, in the config's order, data sets one after the other.
#[derive(Debug)]
pub struct Table<'a> {
    /// The experiment.
    pub config: &'a Config,
    /// Its data sets.
    pub datasets: &'a [DatasetFacts],
    /// A row for each cell.
    pub rows: Vec<TableRow<'a>>,
    /// The published numbers that the config names, whether or not they match a cell.
    pub published: Vec<Published>,
}

impl<'a> Table<'a> {
    /// Aggregates the records.
    ///
    /// # Errors
    /// Where a record is of no cell, of no class or isn't finite, or the published numbers can't be
    /// read.
    pub fn new(config: &'a Config, datasets: &'a [DatasetFacts], records: &[Record]) -> anyhow::Result<Self> {
        let cells = cells(config);
        let mut draft = TableBuilder::new(datasets, &cells)?;
        records.iter().try_for_each(|record| draft.add(record).map(|_| ()))?;
        Self::of(config, datasets, &cells, draft)
    }

    /// From records that were added one by one.
    ///
    /// # Errors
    /// Where the published numbers can't be read.
    pub(crate) fn of(
        config: &'a Config,
        datasets: &'a [DatasetFacts],
        cells: &[Cell<'a>],
        draft: TableBuilder<'_>,
    ) -> anyhow::Result<Self> {
        let published = config.output.published.as_deref().map(read).transpose()?.unwrap_or_default();
        let TableBuilder { columns, samples, games, extents, .. } = draft;
        let mut aggregates = aggregate(cells.len(), &columns)?;
        let values =
            values(&games, columns, &samples, &mut aggregates, (&extents, config.protocol.scoring.empty_pairs))?;

        // A row's values and its differences from another are resampled with the same draws.
        let changes: Vec<Option<CellValues>> =
            (0..cells.len()).map(|with| change(config, cells, &values, with)).collect();
        let resampled: Vec<&CellValues> = values.iter().chain(changes.iter().flatten()).collect();
        let mut intervals = intervals(&resampled, config.seed, config.output.resamples).into_iter();
        let own: Vec<Option<Interval>> = intervals.by_ref().take(cells.len()).collect();

        let mut rows = Vec::with_capacity(cells.len());
        for (place, (cell, aggregate)) in cells.iter().zip(aggregates).enumerate() {
            let metric = cell.metric;
            let paired =
                changes[place].as_ref().and_then(|change| Paired::new(change, intervals.next().flatten(), metric));
            rows.push(TableRow {
                cell: *cell,
                ours: values[place].mean().map(|mean| mean * metric.scale),
                interval: scaled(own[place], metric),
                n: aggregate.n,
                pairs: aggregate.pairs,
                unscored: aggregate.unscored,
                classes: values[place].by_class(),
                degenerate: aggregate.degenerate,
                published: find(&published, cell).map(|row| row.value),
                paired,
            });
        }
        Ok(Self { config, datasets, rows, published })
    }

    /// Returns whether the config has several data sets, so that it must be said which one is
    /// meant.
    pub(crate) fn has_several_datasets(&self) -> bool {
        self.config.datasets.len() > 1
    }

    /// The columns of the table.
    pub(crate) fn metric_columns(&self) -> Vec<metric_columns::MetricColumn> {
        metric_columns::metric_columns(self.config)
    }

    /// The cell of each row.
    pub fn cells(&self) -> Vec<Cell<'a>> {
        self.rows.iter().map(|row| row.cell).collect()
    }

    /// The row of a cell.
    pub fn row(&self, key: CellKey<'_>) -> Option<&TableRow<'a>> {
        self.rows.iter().find(|row| row.cell.key() == key)
    }

    /// The rows of a data set.
    pub(crate) fn rows_on<'t>(&'t self, dataset: &'t str) -> impl Iterator<Item = &'t TableRow<'a>> {
        self.rows.iter().filter(move |row| row.cell.dataset == dataset)
    }
}

/// A table to be: what has been added of its records.
pub(crate) struct TableBuilder<'a> {
    places: CellIndex<'a>,
    games: Vec<Population<'a>>,
    extents: Vec<DatasetSize<'a>>,
    samples: Samples,
    columns: Columns,
}

impl<'a> TableBuilder<'a> {
    /// Of these cells.
    ///
    /// # Errors
    /// Where a metric averages by class, and nothing is known of the data set's.
    pub(crate) fn new(datasets: &'a [DatasetFacts], cells: &'a [Cell<'a>]) -> anyhow::Result<Self> {
        let games: Vec<Population<'_>> = cells.iter().map(Cell::game).collect();
        let extents: Vec<DatasetSize<'_>> = datasets.iter().map(DatasetFacts::extent).collect();
        let columns = Columns::new(&games, &extents)?;
        Ok(Self { places: CellIndex::new(cells), games, extents, samples: Samples::default(), columns })
    }

    /// Adds the next record in plan order, and says which cell it is in, subsets aside.
    ///
    /// # Errors
    /// Where it is of no cell, of no class, or isn't finite.
    pub(crate) fn add(&mut self, record: &Record) -> anyhow::Result<usize> {
        let (all, difficult) = self.places.of(record)?;
        let sample = self.samples.number(&record.dataset, &record.sample);
        self.columns.add(all, sample, record)?;
        difficult.map_or(Ok(()), |cell| self.columns.add(cell, sample, record))?;
        Ok(all)
    }
}

/// A cell minus the one that its variant is compared with; nothing where there is no such cell.
fn change(config: &Config, cells: &[Cell<'_>], values: &[CellValues], with: usize) -> Option<CellValues> {
    let against = &config.variants[cells[with].variant.against?];
    let without = CellKey { ucag: against.ucag, variant: &against.name, ..cells[with].key() };
    let without = cells.iter().position(|cell| cell.key() == without)?;
    values[with].minus(&values[without])
}
