//! Reads the keys of a table, and reports those that are unknown, missing or of the wrong type.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::de::{self, DeserializeOwned, IntoDeserializer};
use ucag_core::suggest::{hint, nearest};

use super::error::{Origin, Report};
use super::toml_tree::{Node, Table, Value};

/// What a key's value may be read as.
pub(super) trait Field: Sized {
    /// The value, or what is wrong with it.
    fn read(value: &Value) -> Result<Self, String>;
}

/// A table that is being read. Every key must be asked for before [`Section::finish`].
pub(super) struct Section<'a> {
    /// How messages call it, `[dataset]`; empty for the top level.
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

    /// Where a key is, or else the table.
    pub(super) fn place(&self, key: &str) -> &Origin {
        self.table.and_then(|table| table.get(key)).map_or(&self.origin, |node| &node.origin)
    }

    pub(super) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table?.get(key)
    }

    /// The value of an optional key.
    pub(super) fn get<T: Field>(&mut self, key: &'static str) -> Option<T> {
        let node = self.node(key)?;
        T::read(&node.value).map_err(|problem| self.problem(key, problem)).ok()
    }

    /// The value of a key that must be there; `what` says what it is, for people.
    pub(super) fn require<T: Field>(&mut self, key: &'static str, what: &str) -> Option<T> {
        if let Some(table) = self.table
            && !table.contains_key(key)
        {
            self.lacks(key, format!("'{key}' is missing: {what}"));
        }
        self.get(key)
    }

    /// An optional table.
    pub(super) fn table(&mut self, key: &'static str, label: &'static str) -> Section<'a> {
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
    pub(super) fn require_table(&mut self, key: &'static str, label: &'static str, what: &str) -> Section<'a> {
        if self.table.is_none_or(|table| !table.contains_key(key)) {
            self.lacks(key, format!("there is no {label}: {what}"));
        }
        self.table(key, label)
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Whether a key holds an array.
    pub(super) fn is_array(&self, key: &str) -> bool {
        matches!(self.table.and_then(|table| table.get(key)), Some(Node { value: Value::Array(_), .. }))
    }

    /// An array of tables with at least one of them.
    pub(super) fn list(&mut self, key: &'static str, label: &'static str, what: &str) -> Vec<Section<'a>> {
        let Some(node) = self.node(key) else {
            self.lacks(key, format!("there is no {label}: {what}"));
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
    pub(super) fn problem(&self, key: &str, problem: impl std::fmt::Display) {
        let space = if self.label.is_empty() { "" } else { " " };
        self.report.add(self.place(key), format!("{}{space}{key}: {problem}", self.label));
    }

    /// Keeps what a fallible look-up of a key's value gives, or reports what is wrong.
    pub(super) fn check<T, E: std::fmt::Display>(&self, key: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|problem| self.problem(key, problem)).ok()
    }

    fn lacks(&mut self, key: &'static str, message: String) {
        self.missing.push((key, message));
    }

    /// Reports keys that nobody asked for, and missing ones unless one of the former was meant to be it.
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
pub(super) fn count(section: &mut Section<'_>, key: &'static str) -> Option<usize> {
    section.get(key).map(NonZeroUsize::get)
}

fn expected(what: &str, found: &Value) -> String {
    format!("expected {what}, found {}", found.describe())
}

impl Field for String {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) if text.trim().is_empty() => Err("is empty".into()),
            Value::String(text) if text.chars().any(char::is_control) => {
                Err("has a line break or control character".into())
            }
            Value::String(text) => Ok(text.clone()),
            other => Err(expected("a string", other)),
        }
    }
}

impl Field for PathBuf {
    fn read(value: &Value) -> Result<Self, String> {
        String::read(value).map(PathBuf::from)
    }
}

impl Field for bool {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(value) => Ok(*value),
            other => Err(expected("true or false", other)),
        }
    }
}

impl Field for u64 {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
        .ok_or_else(|| expected("a whole number from 0", value))
    }
}

impl Field for usize {
    fn read(value: &Value) -> Result<Self, String> {
        usize::try_from(u64::read(value)?).map_err(|_| expected("a smaller number", value))
    }
}

impl Field for NonZeroUsize {
    fn read(value: &Value) -> Result<Self, String> {
        usize::read(value).ok().and_then(NonZeroUsize::new).ok_or_else(|| expected("a whole number from 1", value))
    }
}

impl Field for f64 {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Float(number) => Ok(*number),
            Value::Integer(number) => Ok(*number as f64),
            other => Err(expected("a number", other)),
        }
    }
}

/// A number, or a list of them.
pub(super) struct Numbers(pub(super) Vec<f64>);

impl Field for Numbers {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(nodes) => nodes.iter().map(|node| f64::read(&node.value)).collect::<Result<_, _>>(),
            one => f64::read(one).map(|number| vec![number]),
        }
        .map(Self)
    }
}

/// A list of strings.
pub(super) struct Strings(pub(super) Vec<String>);

impl Field for Strings {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(nodes) => {
                nodes.iter().map(|node| String::read(&node.value)).collect::<Result<_, _>>().map(Self)
            }
            other => Err(expected("a list of strings", other)),
        }
    }
}

/// Remembers where each name was first.
#[derive(Default)]
pub(super) struct Unique(HashMap<String, Origin>);

impl Unique {
    /// Where the name was before.
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

/// A value that is one of an enum's names.
pub(super) struct Choice<T>(pub(super) T);

impl<T: DeserializeOwned> Field for Choice<T> {
    fn read(value: &Value) -> Result<Self, String> {
        let name = match value {
            Value::String(name) => name.clone(),
            // `coverage = true`: TOML takes the choice for a boolean.
            Value::Bool(value) => value.to_string(),
            other => return Err(expected("a name", other)),
        };
        T::deserialize(name.as_str().into_deserializer()).map(Choice).map_err(|Names(names): Names| {
            let meant = nearest(&name, names.iter().copied());
            format!("unknown value '{name}'{} (one of {})", hint(meant.as_deref()), names.join(", "))
        })
    }
}

/// The names an enum has. Deserialising anything else says them, so that they need no second list here.
#[derive(Debug)]
struct Names(&'static [&'static str]);

impl std::fmt::Display for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for Names {}

impl de::Error for Names {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Names(&[])
    }

    fn unknown_variant(_: &str, names: &'static [&'static str]) -> Self {
        Names(names)
    }
}
