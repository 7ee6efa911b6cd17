//! The types of keys' values, as they are read and as documents describe them.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::de::{self, DeserializeOwned, IntoDeserializer};
use ucag_core::suggest::{hint, nearest};

use super::toml_tree::Value;

/// The type of a key's values.
pub(super) trait Described {
    /// Its values, as people write them: "a number", or the choices in backticks.
    fn values() -> String;
}

/// A type that a key's value is read as.
pub(super) trait Field: Described + Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// The problem with it.
    fn read(value: &Value) -> Result<Self, String>;
}

/// A table, or several: a key with keys of its own.
pub(super) enum Subtable {}

impl Described for Subtable {
    fn values() -> String {
        "a table".into()
    }
}

fn expected(what: &str, found: &Value) -> String {
    format!("expected {what}, found {}", found.describe())
}

impl Described for String {
    fn values() -> String {
        "a string".into()
    }
}

impl Field for String {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) if text.trim().is_empty() => Err("is empty".into()),
            Value::String(text) if text.chars().any(char::is_control) => {
                Err("has a line break or control character".into())
            }
            Value::String(text) => Ok(text.clone()),
            other => Err(expected(&Self::values(), other)),
        }
    }
}

impl Described for PathBuf {
    fn values() -> String {
        "a path".into()
    }
}

impl Field for PathBuf {
    fn read(value: &Value) -> Result<Self, String> {
        String::read(value).map(PathBuf::from)
    }
}

impl Described for bool {
    fn values() -> String {
        "true or false".into()
    }
}

impl Field for bool {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(value) => Ok(*value),
            other => Err(expected(&Self::values(), other)),
        }
    }
}

impl Described for u64 {
    fn values() -> String {
        "a whole number from 0".into()
    }
}

impl Field for u64 {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
        .ok_or_else(|| expected(&Self::values(), value))
    }
}

impl Described for usize {
    fn values() -> String {
        "a whole number from 0".into()
    }
}

impl Field for usize {
    fn read(value: &Value) -> Result<Self, String> {
        usize::try_from(u64::read(value)?).map_err(|_| expected("a smaller number", value))
    }
}

/// A number of things, from 1.
pub(super) struct Count(pub(super) usize);

impl Described for Count {
    fn values() -> String {
        "a whole number from 1".into()
    }
}

impl Field for Count {
    fn read(value: &Value) -> Result<Self, String> {
        let count = usize::read(value).ok().and_then(NonZeroUsize::new);
        count.map(|count| Self(count.get())).ok_or_else(|| expected(&Self::values(), value))
    }
}

/// A value in masks other than background's 0, of up to 16 bits.
pub(super) struct MaskValue(pub(super) u16);

impl Described for MaskValue {
    fn values() -> String {
        "a whole number from 1 to 65535".into()
    }
}

impl Field for MaskValue {
    fn read(value: &Value) -> Result<Self, String> {
        let Count(number) = Count::read(value)?;
        u16::try_from(number).map(Self).map_err(|_| format!("masks have values of up to 65535, not {number}"))
    }
}

impl Described for f64 {
    fn values() -> String {
        "a number".into()
    }
}

impl Field for f64 {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Float(number) => Ok(*number),
            Value::Integer(number) => Ok(*number as f64),
            other => Err(expected(&Self::values(), other)),
        }
    }
}

/// A number, or a list of them.
pub(super) struct Numbers(pub(super) Vec<f64>);

impl Described for Numbers {
    fn values() -> String {
        "a number, or a list of numbers".into()
    }
}

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

impl Described for Strings {
    fn values() -> String {
        "a list of strings".into()
    }
}

impl Field for Strings {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Array(nodes) => {
                nodes.iter().map(|node| String::read(&node.value)).collect::<Result<_, _>>().map(Self)
            }
            other => Err(expected(&Self::values(), other)),
        }
    }
}

/// One of an enum's names.
pub(super) struct Choice<T>(pub(super) T);

impl<T: DeserializeOwned> Described for Choice<T> {
    fn values() -> String {
        let nothing: Result<T, Names> = T::deserialize("".into_deserializer());
        let names: Vec<String> =
            nothing.err().map_or(&[][..], |Names(names)| names).iter().map(|name| format!("`{name}`")).collect();
        match &names[..] {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            _ => names.concat(),
        }
    }
}

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

/// The names an enum has. Deserialising anything else says them, so that they need no second list
/// here.
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
