//! Values as tools other than COCO's own write them: `"17"` or `17.0` for 17.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value of any type; of lists and objects only that they are.
#[derive(Debug, Default)]
pub(super) enum Loose {
    /// The key isn't there.
    #[default]
    Absent,
    Null,
    Bool(bool),
    Whole(i64),
    Fraction(f64),
    Text(String),
    List,
    Object,
}

impl Loose {
    /// A whole number, in one of its spellings.
    pub(super) fn whole(&self) -> Option<i64> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Whole(number) => Some(*number),
            Self::Fraction(number) if number.trunc() == *number && number.abs() <= EXACT => Some(*number as i64),
            Self::Text(text) => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|_| is_whole)
            }
            _ => None,
        }
    }

    /// Says that `key` must be something else.
    pub(super) fn refuse(&self, key: &str, expected: &str) -> String {
        match self {
            Self::Absent => format!("{key} is missing"),
            found => format!("{key} must be {expected}, found {found}"),
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("nothing"),
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Whole(number) => number.fmt(f),
            Self::Fraction(number) => number.fmt(f),
            Self::Text(text) if matches!(&text[..], "NaN" | "Infinity" | "-Infinity") => f.write_str(text),
            Self::Text(text) => fmt::Debug::fmt(text, f),
            Self::List => f.write_str("[…]"),
            Self::Object => f.write_str("{…}"),
        }
    }
}

/// A value: of a list its elements, each a `T`.
pub(super) enum Any<T> {
    List(Vec<T>),
    Other(Loose),
}

impl<T> Default for Any<T> {
    fn default() -> Self {
        Self::Other(Loose::Absent)
    }
}

/// An element of a list, which any value makes.
pub(super) trait Element: Sized {
    /// The next one of a list.
    fn next<'de, A: SeqAccess<'de>>(list: &mut A) -> Result<Option<Self>, A::Error>;
}

impl Element for IgnoredAny {
    fn next<'de, A: SeqAccess<'de>>(list: &mut A) -> Result<Option<Self>, A::Error> {
        list.next_element()
    }
}

impl Element for f64 {
    fn next<'de, A: SeqAccess<'de>>(list: &mut A) -> Result<Option<Self>, A::Error> {
        Ok(list.next_element::<Number>()?.map(|Number(number)| number))
    }
}

impl<'de, T: Element> Deserialize<'de> for Any<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor(PhantomData))
    }
}

struct AnyVisitor<T>(PhantomData<T>);

impl<'de, T: Element> Visitor<'de> for AnyVisitor<T> {
    type Value = Any<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Any<T>, E> {
        Ok(Any::Other(Loose::Null))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Any<T>, E> {
        Ok(Any::Other(Loose::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Any<T>, E> {
        Ok(Any::Other(Loose::Whole(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Any<T>, E> {
        Ok(Any::Other(i64::try_from(value).map_or(Loose::Fraction(value as f64), Loose::Whole)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Any<T>, E> {
        Ok(Any::Other(Loose::Fraction(value)))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Any<T>, E> {
        Ok(Any::Other(Loose::Text(value.into())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Any<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = T::next(&mut list)? {
            elements.push(element);
        }
        Ok(Any::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Any::Other(Loose::Object))
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Any::<IgnoredAny>::deserialize(deserializer)? {
            Any::List(_) => Self::List,
            Any::Other(other) => other,
        })
    }
}

/// A number; whatever isn't one is not a number. By itself, since a file has millions of them.
struct Number(f64);

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
        Ok(Number(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
        Ok(Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
        Ok(Number(value as f64))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Number, E> {
        Ok(Number(f64::NAN))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
        Ok(Number(f64::NAN))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Number, E> {
        Ok(Number(f64::NAN))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Number, A::Error> {
        IgnoredAny.visit_seq(list).map(|_| Number(f64::NAN))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Number(f64::NAN))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// A list of numbers, NaN where one isn't, or another value.
pub(super) enum Numbers {
    List(Box<[f64]>),
    Other(Loose),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Other(Loose::Absent)
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Any::<f64>::deserialize(deserializer)? {
            Any::List(numbers) => Self::List(numbers.into()),
            Any::Other(other) => Self::Other(other),
        })
    }
}
