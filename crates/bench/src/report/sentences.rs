//! Sentences that the Markdown page and the terminal share.

use metrics::Averaging;
use metrics::averaging::Class;
use ucag_core::explain::Role;

use super::ModelFacts;
use crate::analysis::metric_columns::MetricColumn;
use crate::analysis::{Table, TableRow};
use crate::config::{Config, Method};
use crate::records::Failure;

/// Below this many samples, a reader is told not to lean on the intervals.
const FEW: usize = 30;

/// `12 samples`, or `11 to 12 samples`: the fewest and the most in a row of the data set, subsets
/// aside.
fn samples(table: &Table<'_>, dataset: &str) -> String {
    let n = || table.rows_on(dataset).filter(|row| row.cell.column.subset == metrics::Subset::All).map(|row| row.n);
    match (n().min().unwrap_or(0), n().max().unwrap_or(0)) {
        (1, 1) => "1 sample".to_owned(),
        (least, most) => format!("{} samples", range(least, most)),
    }
}

/// `12`, or `11 to 12`.
fn range(least: usize, most: usize) -> String {
    if least == most { most.to_string() } else { format!("{least} to {most}") }
}

/// `12 samples of mini`, for each data set; `quote` goes around its name.
pub(crate) fn samples_of(table: &Table<'_>, quote: &str) -> String {
    let of = |dataset: &crate::config::Dataset| {
        format!("{} of {quote}{}{quote}", samples(table, &dataset.name), dataset.name)
    };
    table.config.datasets.iter().map(of).collect::<Vec<_>>().join(" and ")
}

/// Describes our numbers.
pub(crate) fn ours(table: &Table<'_>) -> String {
    let config = table.config;
    let any = |such: fn(Averaging) -> bool| config.metrics.iter().any(|metric| such(metric.metric.averaging));
    let samples = any(|averaging| averaging == Averaging::Samples);
    let mean = match (samples, any(Averaging::is_by_class), any(|averaging| averaging == Averaging::Ratios)) {
        (_, false, false) => "mean over",
        (false, true, false) => "mean over classes of the mean over a class's pairs of sample and class,",
        (true, true, false) => "mean, over samples or by class as the metric has it, over",
        (false, false, true) => "quotient of counts that are summed over",
        (true, false, true) => "mean, or quotient of sums as the metric has it, over",
        (_, true, true) => "mean, over samples or by class, or quotient of sums, as the metric has it, over",
    };
    format!(
        "Ours: {mean} {}, with its 95 % interval (percentile bootstrap over samples, {} resamples, seed {}).",
        samples_of(table, "`"),
        config.output.resamples,
        config.seed
    )
}

/// Describes the published numbers and their source, where the config names any.
pub(crate) fn published(table: &Table<'_>) -> Option<String> {
    let first = table.published.first()?;
    if table.rows.iter().all(|row| row.published.is_none()) {
        return Some(
            "Published: no published number is of a data set, model, method and metric in this table.".to_owned(),
        );
    }
    let mut theirs: Vec<&str> = table.published.iter().map(|row| row.dataset.as_str()).collect();
    theirs.sort_unstable();
    theirs.dedup();
    let ours = &table.config.datasets;
    let caution = match theirs[..] {
        ["unknown"] => {
            theirs = vec!["a data set that it doesn't name"];
            " Whether ours come from the same is not known.".to_owned()
        }
        [one] => {
            let is_another = |dataset: &&crate::config::Dataset| {
                !one.eq_ignore_ascii_case(&dataset.kind) && !one.eq_ignore_ascii_case(&dataset.name)
            };
            let others: Vec<String> = ours.iter().filter(is_another).map(|other| format!("`{}`", other.name)).collect();
            match others.is_empty() {
                true => String::new(),
                false => {
                    format!(
                        " Ours come from {}, so the two are not measurements of the same thing.",
                        others.join(" and ")
                    )
                }
            }
        }
        // Of several data sets, numbers stand only beside ours from the one of the same name.
        _ => {
            theirs.retain(|name| ours.iter().any(|dataset| dataset.name == *name));
            String::new()
        }
    };
    let theirs = theirs.join(", ");
    Some(format!(
        "Published: as printed in table {} of the paper, measured there on {theirs}; not measured here.{caution}",
        first.table
    ))
}

/// Notes on a data set that belong to its numbers: remarks on the data and on the networks,
/// and how classes without a pair are counted.
pub(crate) fn notes(table: &Table<'_>, dataset: &str) -> Vec<String> {
    let here = || table.datasets.iter().filter(|facts| facts.name == dataset);
    let of_models = here().flat_map(|facts| &facts.models).flat_map(ModelFacts::remarks);
    let remarks = here().flat_map(|facts| facts.remarks.clone()).chain(of_models);
    let counted = table.metric_columns().into_iter().flat_map(|head| {
        let without = |class: &Class| class.pairs == 0;
        let phantom = |class: &Class| class.padding_pairs > 0;
        let none = classes(table, dataset, &head, without).map(|of| {
            format!("{}: {of} classes have no pair; they count as 0, as in the published code.", head.name())
        });
        let more = classes(table, dataset, &head, phantom).map(|of| {
            format!("{}: {of} classes have one pair of value 0 more, as in the published code.", head.name())
        });
        [none, more]
    });
    remarks.chain(counted.flatten()).collect()
}

/// `3 of 20`: how many classes of a data set are such, in the rows of a column that have samples.
/// `None` where none are.
fn classes(table: &Table<'_>, dataset: &str, head: &MetricColumn, such: impl Fn(&Class) -> bool) -> Option<String> {
    let here =
        |row: &&TableRow<'_>| row.cell.metric.id == head.metric.id && row.cell.column == head.column && row.n > 0;
    let rows: Vec<&TableRow<'_>> = table.rows_on(dataset).filter(here).collect();
    let count = |row: &&TableRow<'_>| row.classes.iter().filter(|class| such(class)).count();
    let (least, most) = (rows.iter().map(count).min()?, rows.iter().map(count).max()?);
    (most > 0).then(|| format!("{} of {}", range(least, most), rows[0].classes.len()))
}

/// Cautions about the number of samples, if any.
pub(crate) fn few(table: &Table<'_>) -> Option<String> {
    let empty = table.rows.iter().any(|row| row.n == 0).then(|| "Some cells have no samples.".to_owned());
    let few = few_samples(table.rows.iter().map(|row| row.n));
    let both: Vec<String> = [empty, few].into_iter().flatten().collect();
    (!both.is_empty()).then(|| both.join(" "))
}

/// Metrics that have no number for some of the maps, if any.
pub(crate) fn unscored(table: &Table<'_>) -> Option<String> {
    let of = |head: MetricColumn| {
        let rows =
            table.rows.iter().filter(|row| row.cell.metric.id == head.metric.id && row.cell.column == head.column);
        let (none, all) = rows.fold((0, 0), |(none, all), row| (none + row.unscored, all + row.pairs));
        let name = head.name();
        (none > 0).then(|| format!("{name} has no number for {none} of {all} maps, which are left out of its means."))
    };
    let sentences: Vec<String> = table.metric_columns().into_iter().filter_map(of).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// A caution where one of these numbers of samples is low.
pub(crate) fn few_samples(n: impl Iterator<Item = usize>) -> Option<String> {
    match n.filter(|&n| n > 0).min()? {
        1 => Some("One sample has no interval, and nothing is called better or worse.".to_owned()),
        n if n < FEW => Some(format!("With {n} samples, percentile intervals are narrower than they should be.")),
        _ => None,
    }
}

/// Says how many samples could not be scored.
pub(crate) fn failures(failures: &[Failure]) -> String {
    match failures.len() {
        0 => "No sample failed.".to_owned(),
        1 => "1 sample could not be scored for a model; failures.csv says why.".to_owned(),
        n => format!("{n} samples could not be scored for a model; failures.csv says why."),
    }
}

/// Describes controls.
pub(crate) fn controls(config: &Config) -> &'static str {
    let is_unfolded = |method: &Method| method.variants.iter().any(|&place| config.variants[place].ucag);
    match config.methods.iter().any(|method| method.is_control() && is_unfolded(method)) {
        false => "Controls, which know nothing of the network",
        true => "Controls, which know nothing of the network; with UCAG they know how confident it is in each view",
    }
}

/// Describes the differences: a title, and a sentence or two.
pub(crate) fn changes(config: &Config) -> (&'static str, String) {
    let (title, what) = match config.has_variants() {
        false => ("What UCAG changes", "With UCAG minus without"),
        true => ("What changes", "A row minus the one that it is compared with"),
    };
    let how = "sample by sample, with the 95 % interval of the mean difference. Nothing is called better or worse where the interval covers zero.";
    (title, format!("{what}, {how}"))
}

/// Describes a method.
pub(crate) fn method(method: &Method) -> String {
    let Some(entry) = method.computed().map(|computed| computed.entry) else {
        return format!("{}.", made_elsewhere(method));
    };
    let role = match entry.role {
        Role::Published => "",
        Role::Candidate => " A candidate: the paper names it without defining it, and this is a reading.",
        Role::Control => " A control.",
    };
    format!("{}. {}.{role}", entry.summary, entry.source)
}

/// Describes precomputed maps.
fn made_elsewhere(method: &Method) -> String {
    let folder = |(ucag, words): (bool, &str)| Some(format!("`{}`{words}", method.folder(ucag)?.display()));
    let folders: Vec<String> = [(false, ""), (true, " (with UCAG)")].into_iter().filter_map(folder).collect();
    format!("maps that were made elsewhere, {}, finished as {} maps are", folders.join(" and "), method.map_kind.word())
}
