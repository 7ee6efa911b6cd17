//! The table: a row for each cell, with intervals, published numbers, and what UCAG changes.

use std::collections::HashMap;

use ucag_core::explain::Role;

use super::cells::{Cell, cells, fixed};
use super::frame::{Aggregate, Degenerate, aggregate};
use super::published::{Published, read};
use super::stats::{Interval, Verdict, bootstrap};
use crate::config::Config;
use crate::record::Record;

/// One cell's numbers, in the metric's unit.
#[derive(Debug, Clone)]
pub struct Row<'a> {
    /// What they are the numbers of.
    pub cell: Cell<'a>,
    /// Mean over samples; `None` where nothing could be scored.
    pub ours: Option<f64>,
    /// Its interval; `None` for fewer than two samples.
    pub interval: Option<Interval>,
    /// Samples.
    pub n: usize,
    /// Degenerate maps.
    pub degenerate: Degenerate,
    /// The published number.
    pub published: Option<f64>,
    /// For a row with UCAG: what changes against the same method without it.
    pub paired: Option<Paired>,
}

/// With UCAG minus without, over the samples that have both.
#[derive(Debug, Clone, Copy)]
pub struct Paired {
    /// Mean difference.
    pub difference: f64,
    /// Its interval; `None` for fewer than two samples.
    pub interval: Option<Interval>,
    /// Samples that have both.
    pub n: usize,
    /// What may be said.
    pub verdict: Verdict,
}

/// The rows of a report, in the config's order.
#[derive(Debug)]
pub struct Table<'a> {
    /// The experiment.
    pub config: &'a Config,
    /// A row for each cell.
    pub rows: Vec<Row<'a>>,
    /// The published numbers that the config names, whether or not they match a cell.
    pub published: Vec<Published>,
}

impl<'a> Table<'a> {
    /// Aggregates the records.
    ///
    /// # Errors
    /// Where a record is of no cell or isn't finite, or the published numbers can't be read.
    pub fn new(config: &'a Config, records: &[Record]) -> anyhow::Result<Self> {
        let cells = cells(config);
        let published = config.output.published.as_deref().map(read).transpose()?.unwrap_or_default();
        let aggregates = aggregate(&cells, records, &published)?;

        // The plain row's values and the difference's are resampled in one go, so that pairs are resampled together.
        let pairs: Vec<Vec<f64>> = (0..cells.len()).map(|with| differences(&cells, &aggregates, with)).collect();
        let values = aggregates.iter().map(|aggregate| aggregate.values.iter().map(|&(_, value)| value).collect());
        let columns: Vec<Vec<f64>> = values.chain(pairs.iter().cloned()).collect();
        let intervals = bootstrap(&columns, config.seed, config.output.resamples);

        let row = |(place, aggregate): (usize, Aggregate)| {
            let cell = cells[place];
            let scale = cell.metric.scale;
            let scaled =
                |interval: Option<Interval>| interval.map(|i| Interval { low: i.low * scale, high: i.high * scale });
            let differences = &pairs[place];
            let paired = (!differences.is_empty()).then(|| {
                let interval = scaled(intervals[cells.len() + place]);
                Paired {
                    difference: differences.iter().sum::<f64>() / differences.len() as f64 * scale,
                    interval,
                    n: differences.len(),
                    verdict: Verdict::new(interval, cell.metric.direction),
                }
            });
            Row {
                cell,
                ours: aggregate.mean.map(|mean| mean * scale),
                interval: scaled(intervals[place]),
                n: aggregate.n,
                degenerate: aggregate.degenerate,
                published: aggregate.published,
                paired,
            }
        };
        let rows = aggregates.into_iter().enumerate().map(row).collect();
        Ok(Self { config, rows, published })
    }

    /// What each row is of.
    pub fn cells(&self) -> Vec<Cell<'a>> {
        self.rows.iter().map(|row| row.cell).collect()
    }

    /// The row of this model, method, with or without UCAG, and metric.
    pub fn row(&self, model: &str, method: &str, ucag: bool, metric: &str) -> Option<&Row<'a>> {
        let wanted = super::cells::Key { model, method, ucag, metric };
        self.rows.iter().find(|row| row.cell.key() == wanted)
    }

    /// The smallest and largest number of samples in a row.
    pub(crate) fn samples(&self) -> (usize, usize) {
        let n = || self.rows.iter().map(|row| row.n);
        (n().min().unwrap_or(0), n().max().unwrap_or(0))
    }

    /// `<name>.csv`: a row for each cell, empty where there is no number.
    ///
    /// # Errors
    /// Never in practice: it is written to memory.
    pub fn csv(&self) -> anyhow::Result<Vec<u8>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(COLUMNS)?;
        let protocol = &self.config.protocol;
        for row in &self.rows {
            let number = |value: Option<f64>| value.map(|value| fixed(value, 6)).unwrap_or_default();
            let interval = |i: Option<Interval>| [number(i.map(|i| i.low)), number(i.map(|i| i.high))];
            let [low, high] = interval(row.interval);
            let [paired_low, paired_high] = interval(row.paired.and_then(|paired| paired.interval));
            let published_difference = row.ours.zip(row.published).map(|(ours, published)| ours - published);
            let Cell { model, method, ucag, metric } = row.cell;
            csv.write_record([
                model,
                method.id,
                &ucag.to_string(),
                metric.id,
                role(method.role),
                &number(row.ours),
                &low,
                &high,
                &row.n.to_string(),
                &row.degenerate.all_zero.to_string(),
                &row.degenerate.constant.to_string(),
                &row.degenerate.non_finite.to_string(),
                &number(row.published),
                &number(published_difference),
                &number(row.paired.map(|paired| paired.difference)),
                &paired_low,
                &paired_high,
                &row.paired.map(|paired| paired.n.to_string()).unwrap_or_default(),
                row.paired.map(|paired| paired.verdict.as_str()).unwrap_or_default(),
                metric.unit,
                direction(metric.direction),
                &metric.version.to_string(),
                &protocol.name,
                &protocol.version.to_string(),
            ])?;
        }
        Ok(csv.into_inner()?)
    }
}

const COLUMNS: [&str; 24] = [
    "model",
    "method",
    "ucag",
    "metric",
    "role",
    "ours",
    "low",
    "high",
    "n",
    "all_zero",
    "constant",
    "non_finite",
    "published",
    "ours_minus_published",
    "ucag_minus_plain",
    "ucag_minus_plain_low",
    "ucag_minus_plain_high",
    "ucag_minus_plain_n",
    "verdict",
    "unit",
    "better",
    "metric_version",
    "protocol",
    "protocol_version",
];

/// The differences, with UCAG minus without, of the samples that have both; none for a cell without UCAG.
fn differences(cells: &[Cell<'_>], aggregates: &[Aggregate], with: usize) -> Vec<f64> {
    let mut key = cells[with].key();
    if !key.ucag {
        return Vec::new();
    }
    key.ucag = false;
    let Some(without) = cells.iter().position(|cell| cell.key() == key) else { return Vec::new() };
    let plain: HashMap<usize, f64> = aggregates[without].values.iter().copied().collect();
    let difference = |&(sample, value): &(usize, f64)| plain.get(&sample).map(|plain| value - plain);
    aggregates[with].values.iter().filter_map(difference).collect()
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Published => "published",
        Role::Candidate => "candidate",
        Role::Control => "control",
    }
}

fn direction(direction: metrics::Direction) -> &'static str {
    match direction {
        metrics::Direction::Lower => "lower",
        metrics::Direction::Higher => "higher",
    }
}
