//! Comparisons as people read them, in Markdown and on a terminal.

use metrics::Averaging;

use super::rows::{ComparedRow, RunCell};
use super::{Comparison, notes};
use crate::report::sentences;
use crate::report::text_table::Grid;

/// The text in place of a missing number.
const NONE: &str = "–";

/// A part of the page.
struct Part {
    /// Of its heading in Markdown.
    level: usize,
    title: String,
    lines: Vec<String>,
    grid: Option<Grid>,
}

/// The page, for all comparisons with one baseline.
pub(super) struct Page {
    parts: Vec<Part>,
    /// The making of differences and intervals, in sentences.
    how: Vec<String>,
}

impl Page {
    pub(super) fn new(comparisons: &[Comparison<'_>], (seed, resamples): (u64, usize)) -> Self {
        let mut parts = Vec::new();
        for comparison in comparisons {
            parts.extend(self::parts(comparison));
        }
        let rows = || comparisons.iter().flat_map(|comparison| &comparison.matched.rows);
        let mut how = vec![format!(
            "Differences are over the samples that both runs have, sample by sample, with the 95 % interval of the mean difference \
                 (percentile bootstrap over samples, {resamples} resamples, seed {seed}); n is the number of these samples. Nothing is called \
                 better or worse where the interval covers zero; what is called the same is equal in every one of these samples. Means are over each run's own samples."
        )];
        let any = |such: fn(Averaging) -> bool| rows().any(|row| such(row.run.head.metric.averaging));
        if any(Averaging::is_by_class) {
            how.push("Averages over classes: the differences of the pairs of sample and class that both have are averaged by class.".to_owned());
        }
        if any(|averaging| averaging == Averaging::Ratios) {
            how.push(
                "Quotients of sums: the difference of the two quotients, each over the samples that both have."
                    .to_owned(),
            );
        }
        how.extend(sentences::few_samples(rows().filter_map(|row| row.paired).map(|paired| paired.n)));
        Self { parts, how }
    }

    /// Lines for a terminal.
    pub(super) fn terminal(&self) -> String {
        let part = |part: &Part| {
            let lines: String = part.lines.iter().map(|line| format!("- {line}\n")).collect();
            format!("{}\n{lines}{}", part.title, part.grid.as_ref().map(Grid::terminal).unwrap_or_default())
        };
        let parts: Vec<String> = self.parts.iter().map(part).chain([self.how.join("\n")]).collect();
        parts.join("\n")
    }

    /// `compare.md`.
    pub(super) fn markdown(&self) -> String {
        let part = |part: &Part| {
            let lines: String = part.lines.iter().map(|line| format!("- {line}\n")).collect();
            let grid = part.grid.as_ref().map(Grid::markdown).unwrap_or_default();
            let blocks: Vec<String> = [lines, grid].into_iter().filter(|block| !block.is_empty()).collect();
            format!("{} {}\n\n{}", "#".repeat(part.level), part.title, blocks.join("\n"))
        };
        let parts: Vec<String> = self.parts.iter().map(part).collect();
        format!("# Runs compared\n\n{}\n\n{}", self.how.join("\n"), parts.join("\n"))
    }
}

fn parts(comparison: &Comparison<'_>) -> Vec<Part> {
    let Comparison { baseline, run, matched, .. } = comparison;
    let title = format!("{} against {}", run.label, baseline.label);
    let mut parts = vec![Part { level: 2, title, lines: notes::warnings(comparison), grid: None }];
    let mut rest: Vec<&ComparedRow<'_>> = matched.rows.iter().collect();
    while let Some(first) = rest.first().copied() {
        let (these, others) = rest.into_iter().partition(|row| same_table(&row.run, &first.run));
        parts.push(table(comparison, first, these));
        rest = others;
    }
    let mut lines = Vec::new();
    if matched.rows.is_empty() {
        lines.push(
            "the runs have no row in common: no number of the same data set, model, method, variant and metric; --method and --against \
             compare a method with another"
                .to_owned(),
        );
    }
    for (run, alone) in [baseline, run].into_iter().zip(&matched.alone) {
        lines.extend(notes::alone(&run.label, alone));
    }
    if !lines.is_empty() {
        parts.push(Part { level: 3, title: "Not compared".to_owned(), lines, grid: None });
    }
    parts
}

/// Returns whether two rows stand in one table: those of a metric's column on a data set do.
fn same_table(one: &RunCell<'_>, other: &RunCell<'_>) -> bool {
    let of = |cell: &RunCell<'_>| (cell.key.metric.to_owned(), cell.key.subset, cell.key.dataset.to_owned());
    of(one) == of(other)
}

fn table(comparison: &Comparison<'_>, first: &ComparedRow<'_>, rows: Vec<&ComparedRow<'_>>) -> Part {
    let [baseline, run] = [&comparison.baseline.label, &comparison.run.label];
    let (head, dataset) = (&first.run.head, first.run.key.dataset);
    let mut title = format!("{}, {dataset}", head.head());
    let inputs = comparison.inputs.get(dataset).filter(|inputs| !inputs.others.is_empty());
    if !comparison.same_identity(&first.run) {
        title += " (not the same measurement)";
    } else if let Some(inputs) = inputs {
        title += &format!(" (not the same measurement for {})", inputs.count());
    } else if rows.iter().any(|row| !row.counted_alike) {
        title += " (means not counted in the same way)";
    }
    let line = |row: &&ComparedRow<'_>| {
        let (metric, paired) = (head.metric, row.paired);
        let [ours, theirs] = row.means.map(|mean| mean.map_or(NONE.to_owned(), |mean| metric.show(mean)));
        let interval = |low: f64, high: f64| format!(" [{}, {}]", metric.signed(low), metric.signed(high));
        let difference = paired.map(|paired| {
            metric.signed(paired.difference) + &paired.interval.map(|i| interval(i.low, i.high)).unwrap_or_default()
        });
        let says = row.verdict().unwrap_or(NONE).to_owned();
        let n = paired.map_or(0, |paired| paired.n).to_string();
        let (own, other) = (row.run.label(), row.baseline.label());
        let label = if own == other { own } else { format!("{own} against {other}") };
        vec![row.run.key.model.to_owned(), label, ours, theirs, difference.unwrap_or(NONE.to_owned()), says, n]
    };
    let head = ["Model", "Method", baseline, run, &format!("{run} − {baseline}"), "says", "n"].map(str::to_owned);
    let grid = Grid { head: head.to_vec(), rows: rows.iter().map(line).collect(), words: 2 };
    Part { level: 3, title, lines: Vec::new(), grid: Some(grid) }
}
