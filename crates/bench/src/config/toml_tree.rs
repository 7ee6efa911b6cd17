//! A TOML document as a tree whose values know where they were written, whether in the file or on
//! the command line.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Origin;

/// A value and where it was written; of a table, where its header is.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) value: Value,
}

/// Keys and values of a table.
pub(super) type Table = BTreeMap<String, Node>;

#[derive(Debug, Clone)]
pub(super) enum Value {
    Bool(bool),
    Integer(i64),
    Float(f64),
    String(String),
    Array(Vec<Node>),
    Table(Table),
    /// A value that no config has: dates, and integers beyond 64 bits.
    Other(String),
}

impl Value {
    /// The value in words, for "expected ..., found ...".
    pub(super) fn describe(&self) -> String {
        match self {
            Value::Bool(value) => value.to_string(),
            Value::Integer(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::String(value) => format!("the string '{value}'"),
            Value::Array(_) => "an array".into(),
            Value::Table(_) => "a table".into(),
            Value::Other(text) => text.clone(),
        }
    }
}

/// Parses a document.
///
/// # Errors
/// The origin and the parser's message where it isn't TOML.
pub(super) fn parse(text: &str, origin: &dyn Fn(usize) -> Origin) -> Result<Table, (Origin, String)> {
    match DeTable::parse(text) {
        Ok(table) => Ok(convert_table(table.into_inner(), origin)),
        Err(error) => {
            let at = error.span().map_or(Origin::File, |span| origin(span.start));
            Err((at, error.message().trim().replace('\n', ", ")))
        }
    }
}

/// The line, from 1, of each byte of a text.
pub(super) fn line_of(text: &str) -> impl Fn(usize) -> Origin {
    let breaks: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
    move |offset| Origin::Line(1 + breaks.partition_point(|at| *at < offset))
}

fn convert_table(table: DeTable<'_>, origin: &dyn Fn(usize) -> Origin) -> Table {
    table.into_iter().map(|(key, value)| (key.into_inner().into_owned(), convert(value, origin))).collect()
}

fn convert(node: Spanned<DeValue<'_>>, origin: &dyn Fn(usize) -> Origin) -> Node {
    let at = origin(node.span().start);
    let value = match node.into_inner() {
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Integer(value) => i64::from_str_radix(value.as_str(), value.radix()).map_or_else(
            |_| Value::Other(format!("the number {}, which is too large", value.as_str())),
            Value::Integer,
        ),
        DeValue::Float(value) => value
            .as_str()
            .parse()
            .map_or_else(|_| Value::Other(format!("{}, which is no number", value.as_str())), Value::Float),
        DeValue::String(value) => Value::String(value.into_owned()),
        DeValue::Datetime(value) => Value::Other(format!("the date {value}")),
        DeValue::Array(values) => Value::Array(values.into_iter().map(|value| convert(value, origin)).collect()),
        DeValue::Table(table) => Value::Table(convert_table(table, origin)),
    };
    Node { origin: at, value }
}
