//! Notes on two runs that belong before their numbers, a sentence each.

use std::collections::{BTreeMap, BTreeSet};

use super::Comparison;
use super::rows::Alone;
use super::run::Run;
use crate::records::Failure;

/// Failures that are named.
const SHOWN: usize = 5;

/// In what the runs differ, and which samples they have.
pub(super) fn warnings(comparison: &Comparison<'_>) -> Vec<String> {
    let Comparison { baseline, run, differences, matched, inputs } = comparison;
    let labels = [&baseline.label[..], &run.label];
    let mut notes: Vec<String> = differences.iter().map(|difference| difference.words(labels)).collect();
    notes.extend(inputs.iter().filter_map(|(dataset, inputs)| inputs.differ(dataset)));
    if notes.is_empty() {
        notes.push(
            "they agree in data, weights, layers, methods, protocol, seed and metrics, as far as both have them"
                .to_owned(),
        );
    }
    notes.extend(inputs.iter().filter_map(|(dataset, inputs)| inputs.silent(dataset, labels)));
    notes.extend(samples(baseline, run));
    notes.extend([baseline, run].into_iter().filter_map(|run| failures(run)));
    notes.extend([baseline, run].into_iter().flat_map(|run| unknown(run)));
    if matched.rows.iter().any(|row| !row.counted_alike) {
        notes.push(
            "averages over classes aren't counted in the same way; where only one run's tally adds pairs of zero, its mean has them, but differences don't"
                .to_owned(),
        );
    }
    notes
}

/// The classes for which each sample was scored.
type Samples<'a> = BTreeMap<&'a str, BTreeSet<usize>>;

/// By data set and model.
fn scored(run: &Run) -> BTreeMap<(&str, &str), Samples<'_>> {
    let mut scored: BTreeMap<_, Samples<'_>> = BTreeMap::new();
    for record in &run.records {
        let samples = scored.entry((&record.dataset[..], &record.model[..])).or_default();
        samples.entry(&record.sample).or_default().insert(record.class);
    }
    scored
}

/// Notes on samples and classes that only one of the runs has.
fn samples(baseline: &Run, run: &Run) -> Vec<String> {
    let (ours, theirs) = (scored(baseline), scored(run));
    let (mut missing, mut classes) = (Vec::new(), Vec::new());
    for (of @ (dataset, model), these) in &theirs {
        let Some(those) = ours.get(of) else { continue };
        let common: Vec<&str> = these.keys().copied().filter(|sample| those.contains_key(sample)).collect();
        let count = counted(common.len(), "sample");
        let [more, fewer] = [those, these].map(|samples| samples.len() - common.len());
        if more + fewer > 0 {
            gather(&mut missing, (*dataset, count.clone(), [more, fewer]), (*model).to_owned());
        }
        let others = common.iter().filter(|sample| these[**sample] != those[**sample]).count();
        if others > 0 {
            gather(&mut classes, (*dataset, count, others), (*model).to_owned());
        }
    }
    let missing = missing.into_iter().map(|((dataset, count, [more, fewer]), models)| {
        let (models, ours, theirs) = (models.join(", "), &baseline.label, &run.label);
        format!("{dataset} ({models}): {count} in both, {more} only in {ours}, {fewer} only in {theirs}; the means are not over the same samples")
    });
    let classes = classes.into_iter().map(|((dataset, count, others), models)| {
        format!("{dataset} ({}): of {count} in both, {others} not scored for the same classes", models.join(", "))
    });
    missing.chain(classes).collect()
}

fn failures(run: &Run) -> Option<String> {
    let names = run.failures.iter().take(SHOWN).map(|Failure { sample, model, .. }| format!("{sample} with {model}"));
    let mut names: Vec<String> = names.collect();
    if run.failures.len() > SHOWN {
        names.push(format!("and {} more", run.failures.len() - SHOWN));
    }
    let count = counted(run.failures.len(), "sample");
    let what = format!("{}: {count} could not be scored for a model: {}", run.label, names.join(", "));
    (!run.failures.is_empty()).then_some(what)
}

fn unknown(run: &Run) -> impl Iterator<Item = String> {
    run.unknown.iter().map(|(metric, count)| {
        let count = counted(*count, "record");
        format!("{}: {count} of metric '{metric}', which this program doesn't know, left out", run.label)
    })
}

/// Rows that only one run has: how many, and which.
pub(super) fn alone(label: &str, alone: &[Alone<'_>]) -> Vec<String> {
    // A row's metrics first, so that rows with the same ones can stand together; and then models
    // with the same rows.
    let (mut rows, mut groups, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for Alone { cell, .. } in alone {
        gather(&mut rows, (cell.key.dataset, cell.key.model, cell.label()), cell.head.name());
    }
    for ((dataset, model, row), metrics) in rows {
        gather(&mut groups, (dataset, model, metrics.join("; ")), row);
    }
    for ((dataset, model, metrics), rows) in groups {
        gather(&mut lines, (dataset, metrics, rows), model.to_owned());
    }
    let line = |((dataset, metrics, rows), models): ((_, _, Vec<String>), Vec<String>)| {
        let (count, models) = (counted(rows.len(), "row"), models.join(", "));
        format!("only in {label}: {count} of {metrics} on {dataset} ({models}): {}", rows.join(", "))
    };
    lines.into_iter().map(line).collect()
}

/// Adds an item to those of its key, in the order in which keys come.
fn gather<K: PartialEq>(groups: &mut Vec<(K, Vec<String>)>, key: K, item: String) {
    match groups.iter_mut().find(|(known, _)| *known == key) {
        Some((_, items)) => items.push(item),
        None => groups.push((key, vec![item])),
    }
}

pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
