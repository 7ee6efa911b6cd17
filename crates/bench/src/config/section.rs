//! Reads the keys of a table, and reports those that are unknown, missing or of the wrong type.

use std::collections::HashMap;

use ucag_core::suggest::{hint, nearest};

use super::error::{Origin, Report};
use super::keys::Key;
use super::toml_tree::{Node, Table, Value};
use super::values::{Count, Field, Subtable};

/// A table that is being read. Every key must be asked for before [`Section::finish`].
pub(super) struct Section<'a> {
    /// Its name in messages, `[dataset]`; empty for the top level.
    label: &'static str,
    origin: Origin,
    table: Option<&'a Table>,
    report: &'a Report,
    asked: Vec<&'static str>,
    missing: Vec<(&'static str, String)>,
}

impl<'a> Section<'a> {
    pub(super) fn new(label: &'static str, origin: Origin, table: Option<&'a Table>, report: &'a Report) -> Self {
        Self { label, origin, table, report, asked: vec![], missing: vec![] }
    }

    /// The origin of a key, or else of the table.
    pub(super) fn place<T>(&self, key: &Key<T>) -> &Origin {
        self.table.and_then(|table| table.get(key.name)).map_or(&self.origin, |node| &node.origin)
    }

    /// The value of a key as it is written.
    pub(super) fn node<T>(&mut self, key: &Key<T>) -> Option<&'a Node> {
        if !self.asked.contains(&key.name) {
            self.asked.push(key.name);
        }
        self.table?.get(key.name)
    }

    /// The value of an optional key.
    pub(super) fn get<T: Field>(&mut self, key: &Key<T>) -> Option<T> {
        let node = self.node(key)?;
        T::read(&node.value).map_err(|problem| self.problem(key, problem)).ok()
    }

    /// The value of a key that must be there.
    pub(super) fn require<T: Field>(&mut self, key: &Key<T>) -> Option<T> {
        self.require_saying(key, key.summary)
    }

    /// The value of a key that must be there, with words of its own where it isn't.
    pub(super) fn require_saying<T: Field>(&mut self, key: &Key<T>, what: &str) -> Option<T> {
        if let Some(table) = self.table
            && !table.contains_key(key.name)
        {
            self.lacks(key.name, format!("'{}' is missing: {what}", key.name));
        }
        self.get(key)
    }

    /// An optional table.
    pub(super) fn table(&mut self, key: &Key<Subtable>, label: &'static str) -> Section<'a> {
        let node = self.node(key);
        let table = match node.map(|node| &node.value) {
            Some(Value::Table(table)) => Some(table),
            None => None,
            Some(Value::Array(_)) => {
                self.problem(key, format!("there is one {label}, in single brackets"));
                None
            }
            Some(other) => {
                self.problem(key, format!("expected a table {label}, found {}", other.describe()));
                None
            }
        };
        let origin = node.map_or(Origin::File, |node| node.origin.clone());
        Section::new(label, origin, table, self.report)
    }

    /// A table that must be there.
    pub(super) fn require_table(&mut self, key: &Key<Subtable>, label: &'static str) -> Section<'a> {
        if !self.has(key) {
            self.lacks(key.name, format!("there is no {label}: {}", key.summary));
        }
        self.table(key, label)
    }

    /// Returns whether a key is there.
    pub(super) fn has<T>(&self, key: &Key<T>) -> bool {
        self.table.is_some_and(|table| table.contains_key(key.name))
    }

    /// Returns whether a key holds an array.
    pub(super) fn is_array(&self, key: &Key<Subtable>) -> bool {
        matches!(self.table.and_then(|table| table.get(key.name)), Some(Node { value: Value::Array(_), .. }))
    }

    /// An array of tables with at least one of them.
    pub(super) fn list(&mut self, key: &Key<Subtable>, label: &'static str) -> Vec<Section<'a>> {
        let what = key.summary;
        let Some(node) = self.node(key) else {
            self.lacks(key.name, format!("there is no {label}: {what}"));
            return vec![];
        };
        let Value::Array(nodes) = &node.value else {
            let found = node.value.describe();
            self.problem(
                key,
                format!("expected {label}, in double brackets since there may be several, found {found}"),
            );
            return vec![];
        };
        if nodes.is_empty() {
            self.problem(key, format!("there is no {label}: {what}"));
        }
        let section = |node: &'a Node| match &node.value {
            Value::Table(table) => Some(Section::new(label, node.origin.clone(), Some(table), self.report)),
            other => {
                self.report.add(&node.origin, format!("{label}: expected a table, found {}", other.describe()));
                None
            }
        };
        nodes.iter().filter_map(section).collect()
    }

    /// Reports what is wrong with a key's value.
    pub(super) fn problem<T>(&self, key: &Key<T>, problem: impl std::fmt::Display) {
        let space = if self.label.is_empty() { "" } else { " " };
        self.report.add(self.place(key), format!("{}{space}{}: {problem}", self.label, key.name));
    }

    /// The result of a fallible look-up of a key's value; reports what is wrong.
    pub(super) fn check<T, V, E: std::fmt::Display>(&self, key: &Key<V>, result: Result<T, E>) -> Option<T> {
        result.map_err(|problem| self.problem(key, problem)).ok()
    }

    /// Reports a key of other tables, and why it isn't one here.
    pub(super) fn refuse<T>(&mut self, key: &Key<T>, why: &str) {
        if self.node(key).is_some() {
            self.problem(key, why);
        }
    }

    fn lacks(&mut self, key: &'static str, message: String) {
        self.missing.push((key, message));
    }

    /// Reports keys that nobody asked for, and missing ones unless one of the former was meant to
    /// be it.
    pub(super) fn finish(self) {
        let prefix = if self.label.is_empty() { String::new() } else { format!("{}: ", self.label) };
        let mut mistyped = vec![];
        for (key, node) in self.table.into_iter().flatten() {
            if !self.asked.contains(&key.as_str()) {
                let meant = nearest(key, self.asked.iter().copied());
                let help = match &meant {
                    Some(name) => hint(Some(name)),
                    None => format!("; the keys here are {}", self.asked.join(", ")),
                };
                self.report.add(&node.origin, format!("{prefix}unknown key '{key}'{help}"));
                mistyped.extend(meant);
            }
        }
        for (key, message) in self.missing {
            if !mistyped.iter().any(|meant| meant == key) {
                self.report.add(&self.origin, format!("{prefix}{message}"));
            }
        }
    }
}

/// The value of an optional key that counts something, from 1.
pub(super) fn count(section: &mut Section<'_>, key: &Key<Count>) -> Option<usize> {
    section.get(key).map(|Count(count)| count)
}

/// The first origin of each name.
#[derive(Default)]
pub(super) struct Unique(HashMap<String, Origin>);

impl Unique {
    /// The origin of the name where it was before; keeps this one where it is the first.
    pub(super) fn clash(&mut self, name: &str, origin: &Origin) -> Option<Origin> {
        match self.0.get(name) {
            Some(first) => Some(first.clone()),
            None => {
                self.0.insert(name.to_owned(), origin.clone());
                None
            }
        }
    }
}

/// Reports a method's name that is taken on one of its data sets, with advice; `key` holds the
/// name.
pub(super) fn unique(
    section: &Section<'_>,
    ids: &mut Unique,
    (key, known_as, advice): (&Key<String>, &str, &str),
    dataset: Option<usize>,
    datasets: &[&str],
) {
    let on = dataset.map_or(0..datasets.len().max(1), |on| on..on + 1);
    let clash = |on: usize| ids.clash(&format!("{on}/{known_as}"), section.place(key));
    if let Some(first) = on.filter_map(clash).next() {
        section.problem(key, format!("'{known_as}' is listed at {first} too; {advice}"));
    }
}
