//! Settings of a method: typed values that a config may change.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter};

use crate::{Error, Result};

/// A value that a method has and a config may change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// The key in configs.
    pub key: &'static str,
    /// An older spelling of the key, which configs may use, and under which runs are recorded.
    pub former_key: Option<&'static str>,
    /// One line on what it is, with its unit.
    pub summary: &'static str,
    /// Its type, with its default and range.
    pub kind: SettingKind,
}

/// The type of a setting. The default is the published value; ranges include both ends.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "`default` and `range`, as above")]
pub enum SettingKind {
    /// An integer.
    Int { default: i64, range: (i64, i64) },
    /// A number.
    Float { default: f64, range: (f64, f64) },
    /// True or false, for which configs may also write 1 or 0.
    Bool { default: bool },
    /// One number or more, all of them integers if `integers` says so.
    List { default: &'static [f64], range: (f64, f64), integers: bool },
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    /// An integer.
    Int(i64),
    /// A number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Several numbers.
    List(Vec<f64>),
}

impl Setting {
    /// An integer between the ends of `range`, both included.
    pub const fn int(key: &'static str, summary: &'static str, default: i64, range: (i64, i64)) -> Self {
        Self { key, former_key: None, summary, kind: SettingKind::Int { default, range } }
    }

    /// A number between the ends of `range`, both included.
    pub const fn float(key: &'static str, summary: &'static str, default: f64, range: (f64, f64)) -> Self {
        Self { key, former_key: None, summary, kind: SettingKind::Float { default, range } }
    }

    /// A boolean.
    pub const fn bool(key: &'static str, summary: &'static str, default: bool) -> Self {
        Self { key, former_key: None, summary, kind: SettingKind::Bool { default } }
    }

    /// Numbers between the ends of `range`, both included.
    pub const fn list(key: &'static str, summary: &'static str, default: &'static [f64], range: (f64, f64)) -> Self {
        let kind = SettingKind::List { default, range, integers: false };
        Self { key, former_key: None, summary, kind }
    }

    /// Integers between the ends of `range`, both included.
    pub const fn integers(
        key: &'static str,
        summary: &'static str,
        default: &'static [f64],
        range: (f64, f64),
    ) -> Self {
        let kind = SettingKind::List { default, range, integers: true };
        Self { key, former_key: None, summary, kind }
    }

    /// Sets [`Setting::former_key`].
    pub const fn formerly(self, key: &'static str) -> Self {
        Self { former_key: Some(key), ..self }
    }

    /// Returns the published value.
    pub fn default(&self) -> SettingValue {
        match self.kind {
            SettingKind::Int { default, .. } => SettingValue::Int(default),
            SettingKind::Float { default, .. } => SettingValue::Float(default),
            SettingKind::Bool { default } => SettingValue::Bool(default),
            SettingKind::List { default, .. } => SettingValue::List(default.to_vec()),
        }
    }

    /// Returns the range in words: `1 to 100`, `true or false`.
    pub fn range(&self) -> String {
        match self.kind {
            SettingKind::Int { range: (low, high), .. } => format!("{low} to {high}"),
            SettingKind::Float { range: (low, high), .. } | SettingKind::List { range: (low, high), .. } => {
                format!("{low} to {high}")
            }
            SettingKind::Bool { .. } => "true or false".into(),
        }
    }

    /// The value as this setting's type, or what is wrong with it.
    fn accept(&self, value: SettingValue) -> Result<SettingValue, String> {
        let (low, high, integers) = match self.kind {
            SettingKind::Int { range: (low, high), .. } => (low as f64, high as f64, true),
            SettingKind::Float { range: (low, high), .. } => (low, high, false),
            SettingKind::List { range: (low, high), integers, .. } => (low, high, integers),
            SettingKind::Bool { .. } => {
                return match value.numbers()[..] {
                    [0.0] => Ok(SettingValue::Bool(false)),
                    [1.0] => Ok(SettingValue::Bool(true)),
                    _ => Err(format!("expected true or false, found {value}")),
                };
            }
        };
        let is_list = matches!(self.kind, SettingKind::List { .. });
        let expected = if is_list { "a list with at least one number" } else { "one number" };
        if matches!(value, SettingValue::Bool(_)) {
            return Err(format!("expected {expected}, found {value}"));
        }
        let numbers = value.numbers();
        if numbers.is_empty() || (numbers.len() > 1 && !is_list) {
            return Err(format!("expected {expected}, found {}", numbers.len()));
        }
        let is_wrong = |number: &f64| !(low..=high).contains(number) || (integers && number.fract() != 0.0);
        if let Some(number) = numbers.iter().find(|number| is_wrong(number)) {
            let kind = if integers { "a whole number" } else { "a number" };
            return Err(format!("{number} is out of range; expected {kind} from {low} to {high}"));
        }
        Ok(match self.kind {
            SettingKind::Int { .. } => SettingValue::Int(numbers[0] as i64),
            SettingKind::List { .. } => SettingValue::List(numbers),
            SettingKind::Float { .. } | SettingKind::Bool { .. } => SettingValue::Float(numbers[0]),
        })
    }
}

impl SettingValue {
    /// The value as numbers; true is 1, false is 0.
    fn numbers(&self) -> Vec<f64> {
        match self {
            SettingValue::Int(number) => vec![*number as f64],
            SettingValue::Float(number) => vec![*number],
            SettingValue::Bool(is_true) => vec![f64::from(u8::from(*is_true))],
            SettingValue::List(numbers) => numbers.clone(),
        }
    }
}

impl Display for SettingValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            SettingValue::Int(number) => number.fmt(f),
            SettingValue::Float(number) => number.fmt(f),
            SettingValue::Bool(is_true) => is_true.fmt(f),
            SettingValue::List(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
                write!(f, "[{}]", numbers.join(", "))
            }
        }
    }
}

impl From<f64> for SettingValue {
    fn from(number: f64) -> Self {
        SettingValue::Float(number)
    }
}

impl From<bool> for SettingValue {
    fn from(is_true: bool) -> Self {
        SettingValue::Bool(is_true)
    }
}

impl From<Vec<f64>> for SettingValue {
    fn from(numbers: Vec<f64>) -> Self {
        SettingValue::List(numbers)
    }
}

/// Values for a method's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    known: &'static [Setting],
    values: BTreeMap<&'static str, SettingValue>,
}

impl Settings {
    /// The published values.
    pub fn defaults(known: &'static [Setting]) -> Self {
        let values = known.iter().map(|setting| (setting.key, setting.default())).collect();
        Self { known, values }
    }

    /// Changes a setting, by its key or its former key. One number may stand for a list of one, and
    /// a list of one for its number.
    ///
    /// # Errors
    /// Where the method has no such setting, or a value isn't one that it may have.
    pub fn set(&mut self, key: &str, value: impl Into<SettingValue>) -> Result<()> {
        let is_meant = |setting: &&Setting| setting.key == key || setting.former_key == Some(key);
        let Some(setting) = self.known.iter().find(is_meant) else {
            return Err(Error::Invalid(format!("the method has no setting '{key}'")));
        };
        self.values.insert(setting.key, setting.accept(value.into()).map_err(Error::Invalid)?);
        Ok(())
    }

    /// Returns every setting as runs are recorded, which is how they recognize that they may
    /// resume: numbers by key, by the former key where there is one.
    pub fn recorded(&self) -> BTreeMap<&'static str, Vec<f64>> {
        let recorded = |setting: &Setting| {
            let key = setting.former_key.unwrap_or(setting.key);
            (key, self.values[setting.key].numbers())
        };
        self.known.iter().map(recorded).collect()
    }

    /// Returns an integer that isn't negative.
    ///
    /// # Panics
    /// Where the method has no such setting of this type: its own file names both. So do the other
    /// getters.
    pub fn count(&self, key: &str) -> usize {
        match self.values[key] {
            SettingValue::Int(number) => number as usize,
            ref other => wrong_type(key, other),
        }
    }

    /// Returns a number.
    pub fn float(&self, key: &str) -> f64 {
        match self.values[key] {
            SettingValue::Float(number) => number,
            ref other => wrong_type(key, other),
        }
    }

    /// Returns a boolean.
    pub fn bool(&self, key: &str) -> bool {
        match self.values[key] {
            SettingValue::Bool(is_true) => is_true,
            ref other => wrong_type(key, other),
        }
    }

    /// Returns a list.
    pub fn list(&self, key: &str) -> &[f64] {
        match &self.values[key] {
            SettingValue::List(numbers) => numbers,
            other => wrong_type(key, other),
        }
    }
}

fn wrong_type(key: &str, value: &SettingValue) -> ! {
    panic!("setting '{key}' is read as another type than it has: {value:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Setting] = &[
        Setting::int("steps", "", 100, (1, 1000)),
        Setting::float("epsilon", "", 0.5, (0.0, 1.0)),
        Setting::bool("canonize", "", false).formerly("canonise"),
        Setting::integers("sides", "", &[2.0], (1.0, 9.0)),
    ];

    fn set(key: &str, value: impl Into<SettingValue>) -> Result<Settings, String> {
        let mut settings = Settings::defaults(KNOWN);
        settings.set(key, value).map(|()| settings).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_taken_as_the_settings_type() {
        assert_eq!(set("steps", 7.0).map(|settings| settings.count("steps")), Ok(7));
        assert_eq!(set("steps", vec![7.0]).map(|settings| settings.count("steps")), Ok(7));
        assert_eq!(set("epsilon", vec![0.25]).map(|settings| settings.float("epsilon")), Ok(0.25));
        assert_eq!(set("sides", 3.0).map(|settings| settings.list("sides").to_vec()), Ok(vec![3.0]));
        for yes in [SettingValue::Bool(true), SettingValue::Float(1.0), SettingValue::List(vec![1.0])] {
            assert_eq!(set("canonize", yes.clone()).map(|settings| settings.bool("canonize")), Ok(true));
            assert_eq!(set("canonise", yes).map(|settings| settings.bool("canonize")), Ok(true));
        }
        assert_eq!(set("canonize", 0.0).map(|settings| settings.bool("canonize")), Ok(false));
    }

    #[test]
    fn a_value_of_another_type_or_out_of_range_is_refused() {
        let error = |key, value: SettingValue| set(key, value).expect_err("a message");
        assert_eq!(error("steps", true.into()), "expected one number, found true");
        assert_eq!(error("steps", 1.5.into()), "1.5 is out of range; expected a whole number from 1 to 1000");
        assert_eq!(error("steps", vec![1.0, 2.0].into()), "expected one number, found 2");
        assert_eq!(error("epsilon", f64::NAN.into()), "NaN is out of range; expected a number from 0 to 1");
        assert_eq!(error("sides", vec![].into()), "expected a list with at least one number, found 0");
        assert_eq!(error("canonize", 2.0.into()), "expected true or false, found 2");
        assert_eq!(error("other", 2.0.into()), "the method has no setting 'other'");
    }

    /// Runs that were begun when all settings were numbers must find their identity again.
    #[test]
    fn records_hold_numbers_by_the_former_keys() {
        let recorded = set("canonize", true).map(|settings| settings.recorded());
        let expected = [("canonise", vec![1.0]), ("epsilon", vec![0.5]), ("sides", vec![2.0]), ("steps", vec![100.0])];
        assert_eq!(recorded, Ok(expected.into()));
    }
}
