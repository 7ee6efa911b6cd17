//! Matches the rows of two runs, and takes the differences between them.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use metrics::protocol::EmptyPairs;
use metrics::{Subset, metric};

use super::run::Run;
use crate::analysis::Paired;
use crate::analysis::aggregate::aggregate;
use crate::analysis::class_mean::Pairs;
use crate::analysis::estimates::{CellValues, intervals, values};
use crate::analysis::metric_columns::{Metric, MetricColumn};
use crate::analysis::population::Population;
use crate::analysis::record_columns::{Columns, Samples};
use crate::config::row_label;
use crate::report::CellKey;

/// A run's cells, in the order in which the plan comes to them, and what they come to.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    pub(super) cells: Vec<RunCell<'a>>,
    places: HashMap<CellKey<'a>, usize>,
    values: Vec<CellValues>,
}

/// The identity of a number of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunCell<'a> {
    pub(super) key: CellKey<'a>,
    pub(super) head: MetricColumn,
}

impl RunCell<'_> {
    /// Its row's name in tables.
    pub(super) fn label(&self) -> String {
        let name = ucag_core::explain::method(self.key.method).map_or(self.key.method, |method| method.name);
        row_label(name, self.key.ucag, self.key.variant)
    }
}

/// Every run's cells. Samples of the same data set and name are the same sample in all of them.
///
/// # Errors
/// Where a record is of a class that its data set doesn't have, or lacks its counts.
pub(super) fn cells(runs: &[Run]) -> anyhow::Result<Vec<Cells<'_>>> {
    let mut samples = Samples::default();
    let of = |run| Cells::of(run, &mut samples).map_err(|error| error.context(run.folder.display().to_string()));
    runs.iter().map(of).collect()
}

impl<'a> Cells<'a> {
    fn of(run: &'a Run, samples: &mut Samples) -> anyhow::Result<Self> {
        let (mut cells, mut members, mut places) = (Vec::new(), Vec::new(), HashMap::new());
        for (place, record) in run.records.iter().enumerate() {
            let entry = metric(&record.metric).with_context(|| format!("unknown metric '{}'", record.metric))?;
            for column in entry.columns {
                let head = MetricColumn { metric: Metric(entry), column };
                let key = CellKey {
                    dataset: &record.dataset,
                    model: &record.model,
                    method: &record.method,
                    ucag: record.ucag,
                    variant: &record.variant,
                    metric: entry.id,
                    subset: column.subset,
                };
                let cell = *places.entry(key).or_insert_with(|| {
                    cells.push(RunCell { key, head });
                    cells.len() - 1
                });
                if column.subset == Subset::All || record.difficult {
                    members.push((place, cell));
                }
            }
        }
        let game = |cell: &RunCell<'a>| Population {
            dataset: cell.key.dataset,
            metric: cell.head.metric,
            subset: cell.key.subset,
        };
        let games: Vec<Population<'a>> = cells.iter().map(game).collect();
        let extents = run.extents();
        let mut columns = Columns::new(&games, &extents)?;
        for (place, cell) in members {
            let record = &run.records[place];
            columns.add(cell, samples.number(&record.dataset, &record.sample), record)?;
        }
        let mut aggregates = aggregate(cells.len(), &columns)?;
        // Only averages by class ask for the tally, and a run that has such says what it is.
        let how = (&extents[..], run.tally().unwrap_or(EmptyPairs::Released));
        let values = values(&games, columns, samples, &mut aggregates, how)?;
        Ok(Self { cells, places, values })
    }

    /// A cell's number, in the metric's unit.
    fn mean(&self, place: usize) -> Option<f64> {
        self.values[place].mean().map(|mean| mean * self.cells[place].head.metric.scale)
    }

    fn alone(&self, place: usize) -> Alone<'a> {
        Alone { cell: self.cells[place], mean: self.mean(place), n: self.values[place].n() }
    }
}

/// The rows that are compared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pick<'a> {
    /// Each with the row of the same method.
    Same,
    /// Those of a method with those of another method of the baseline.
    Methods { method: &'a str, against: &'a str },
}

/// A row of the run and the one of the baseline that it is compared with. Numbers are in the
/// metric's unit.
#[derive(Debug)]
pub(super) struct ComparedRow<'a> {
    /// The baseline's cell.
    pub(super) baseline: RunCell<'a>,
    /// The run's cell.
    pub(super) run: RunCell<'a>,
    /// The baseline's mean and the run's, each over its own samples.
    pub(super) means: [Option<f64>; 2],
    /// Samples of each.
    pub(super) n: [usize; 2],
    /// The run's minus the baseline's; `None` where they have no samples in common, or not the same
    /// number of classes.
    pub(super) paired: Option<Paired>,
    /// True if the two have the same value in every sample that they have in common.
    pub(super) equal: bool,
    /// True if the two means count their samples in the same way.
    pub(super) counted_alike: bool,
}

impl ComparedRow<'_> {
    /// The verdict on the difference, in a word.
    pub(super) fn verdict(&self) -> Option<&'static str> {
        if self.equal { Some("same") } else { self.paired.map(|paired| paired.verdict.as_str()) }
    }
}

/// A row that only one of two runs has. Its number is in the metric's unit.
#[derive(Debug)]
pub(super) struct Alone<'a> {
    pub(super) cell: RunCell<'a>,
    pub(super) mean: Option<f64>,
    /// Samples.
    pub(super) n: usize,
}

/// The rows that a run and the baseline have in common, and the others.
#[derive(Debug)]
pub(super) struct Matched<'a> {
    /// Rows of both, in the baseline's order.
    pub(super) rows: Vec<ComparedRow<'a>>,
    /// Rows of the baseline alone, and of the run alone.
    pub(super) alone: [Vec<Alone<'a>>; 2],
}

/// Compares a run with the baseline, by bootstrap intervals of so many resamples with this seed.
pub(super) fn matched<'a>(
    baseline: &Cells<'a>,
    run: &Cells<'a>,
    pick: Pick<'_>,
    (seed, resamples): (u64, usize),
) -> Matched<'a> {
    let [of_baseline, of_run] = match pick {
        Pick::Same => [None; 2],
        Pick::Methods { method, against } => [Some(against), Some(method)],
    };
    let asked = |only: Option<&str>, cell: &RunCell<'_>| only.is_none_or(|method| method == cell.key.method);
    let (mut common, mut alone) = (Vec::new(), [Vec::new(), Vec::new()]);
    for (place, cell) in baseline.cells.iter().enumerate().filter(|(_, cell)| asked(of_baseline, cell)) {
        let key = CellKey { method: of_run.unwrap_or(cell.key.method), ..cell.key };
        match run.places.get(&key) {
            Some(&other) => common.push([place, other]),
            None => alone[0].push(baseline.alone(place)),
        }
    }
    let found: BTreeSet<usize> = common.iter().map(|&[_, other]| other).collect();
    let others = run.cells.iter().enumerate().filter(|(place, cell)| asked(of_run, cell) && !found.contains(place));
    alone[1].extend(others.map(|(place, _)| run.alone(place)));

    let changes: Vec<(Option<CellValues>, bool)> =
        common.iter().map(|&[place, other]| change(&run.values[other], &baseline.values[place])).collect();
    let mut intervals =
        intervals(&changes.iter().filter_map(|(change, _)| change.as_ref()).collect::<Vec<_>>(), seed, resamples)
            .into_iter();
    let row = |([place, other], (change, counted_alike)): ([usize; 2], &(Option<CellValues>, bool))| {
        let metric = run.cells[other].head.metric;
        ComparedRow {
            baseline: baseline.cells[place],
            run: run.cells[other],
            means: [baseline.mean(place), run.mean(other)],
            n: [baseline.values[place].n(), run.values[other].n()],
            paired: change.as_ref().and_then(|change| Paired::new(change, intervals.next().flatten(), metric)),
            equal: change.as_ref().is_some_and(CellValues::vanishes),
            counted_alike: *counted_alike,
        }
    };
    Matched { rows: common.into_iter().zip(&changes).map(row).collect(), alone }
}

/// The run's values minus the baseline's; `None` where both are averaged over classes, but not over
/// as many. And whether both are counted in the same way: where only one of them counts pairs of
/// zero that nothing was scored for, the difference is without these.
fn change(run: &CellValues, baseline: &CellValues) -> (Option<CellValues>, bool) {
    let (CellValues::Classes(these), CellValues::Classes(those)) = (run, baseline) else {
        return (run.minus(baseline), true);
    };
    if these.classes != those.classes {
        return (None, false);
    }
    let first = match (&these.first, &those.first) {
        // Where a run could not score the first sample, the other knows its classes.
        (Some(these), Some(those)) => {
            Some(these.iter().chain(those).copied().collect::<BTreeSet<_>>().into_iter().collect())
        }
        _ => None,
    };
    let counted_alike = these.first.is_some() == those.first.is_some();
    let change = Pairs { first, ..these.clone() }.minus(those);
    (Some(CellValues::Classes(change)), counted_alike)
}
