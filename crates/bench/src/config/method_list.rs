//! Reads `[[method]]`.

use ucag_core::explain::{self, SettingValue, Settings};

use super::keys::{self, Key};
use super::precomputed::{self, Kind};
use super::section::{Section, Unique, unique};
use super::toml_tree::{Node, Value};
use super::values::{Choice, Described, Field, Numbers};
use super::{Computed, Method, Source, Variant, dataset};

/// The methods.
pub(super) fn methods(root: &mut Section<'_>, datasets: &[&str], variants: &[Variant]) -> Vec<Method> {
    let mut ids = Unique::default();
    let explicit = root.has(&keys::top::VARIANT);
    let read = |mut section: Section<'_>| {
        match section.has(&keys::any_method::KIND).then(|| section.get(&keys::any_method::KIND)) {
            None if !section.has(&keys::method::ID) && section.has(&keys::precomputed::MAPS) => {
                section.problem(&keys::precomputed::MAPS, "belongs to kind = \"precomputed\"; say so");
                return None;
            }
            None | Some(Some(Choice(Kind::Computed))) => {}
            Some(Some(Choice(Kind::Precomputed))) => return precomputed::method(section, &mut ids, datasets, variants),
            Some(None) => return None, // which has been reported; its other keys aren't known
        }
        let id: Option<String> = section.require(&keys::method::ID);
        let ucag = rows(&mut section, explicit);
        let name: Option<String> = section.get(&keys::method::NAME);
        let only = section.has(&keys::any_method::DATASET);
        let dataset =
            if only { Some(dataset::named(&mut section, &keys::any_method::DATASET, datasets)?) } else { None };
        let method = id.and_then(|id| {
            let known = ucag_core::explain::method(&id).map_err(|error| format!("{error} (see: bench list methods)"));
            let method = section.check(&keys::method::ID, known)?;
            let known_as = name.as_ref().unwrap_or(&id);
            let key = if name.is_some() { &keys::method::NAME } else { &keys::method::ID };
            let both = "for its rows without and with UCAG, list it once with ucag = [false, true]; with other numbers, give it a 'name' of its own";
            unique(&section, &mut ids, (key, known_as, both), dataset, datasets);
            Some(method)
        });
        let Some(method) = method else {
            if !section.has(&keys::method::ID) {
                // perhaps 'id' was mistyped; without a method, its own keys aren't known
                section.finish();
            }
            return None;
        };
        let alone = method.not_with_ucag.filter(|_| !explicit);
        if let (true, Some(reason)) = (ucag.contains(&true), alone) {
            section.problem(&keys::method::UCAG, format!("UCAG can't be around '{}': {reason}", method.id));
        }
        let is_applicable = |ucag: bool| !ucag || method.not_with_ucag.is_none();
        let rows = match explicit {
            true => (0..variants.len()).filter(|&v| is_applicable(variants[v].ucag)).collect(),
            false => {
                ucag.iter().flat_map(|&ucag| (0..variants.len()).filter(move |&v| variants[v].ucag == ucag)).collect()
            }
        };
        let settings = settings(&mut section, method);
        section.finish();
        let explainer = (method.make)(&settings);
        Some(Method {
            id: name.clone().unwrap_or_else(|| method.id.to_owned()),
            name: name.unwrap_or_else(|| method.name.to_owned()),
            source: Source::Computed(Computed { entry: method, settings, explainer }),
            map_kind: method.map_kind,
            dataset,
            variants: rows,
        })
    };
    root.list(&keys::top::METHOD, "[[method]]").into_iter().filter_map(read).collect()
}

/// Reads a method's rows in the table. Where a config lists variants, those say so.
fn rows(section: &mut Section<'_>, explicit: bool) -> Vec<bool> {
    if explicit && section.has(&keys::method::UCAG) {
        section.problem(
            &keys::method::UCAG,
            "each [[variant]] says whether UCAG is around the methods; leave it out here",
        );
    }
    section.get(&keys::method::UCAG).map_or_else(|| vec![false], |Rows(rows)| rows)
}

/// A method's settings, where the config changes any. A former key is read, too.
fn settings(section: &mut Section<'_>, method: &'static explain::Method) -> Settings {
    let mut settings = Settings::defaults(method.settings);
    for setting in method.settings {
        for key in [Some(setting.key), setting.former_key].into_iter().flatten() {
            let key: Key<SettingValue> = Key::optional(key, "as published", setting.summary);
            if key.name != setting.key
                && section.has(&key)
                && section.has(&Key::<SettingValue>::optional(setting.key, "", ""))
            {
                section.problem(&key, format!("is an older name of '{}'; give one of them", setting.key));
            }
            if let Some(value) = section.get(&key) {
                section.check(&key, settings.set(key.name, value));
            }
        }
    }
    settings
}

impl Described for SettingValue {
    fn values() -> String {
        "a number, true, false or a list of numbers".into()
    }
}

impl Field for SettingValue {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(is_true) => Ok(SettingValue::Bool(*is_true)),
            Value::Array(_) => Numbers::read(value).map(|Numbers(numbers)| SettingValue::List(numbers)),
            one => f64::read(one).map(SettingValue::Float),
        }
    }
}

/// A method's rows: `false`, `[false, true]`.
pub(super) struct Rows(Vec<bool>);

impl Described for Rows {
    fn values() -> String {
        "false, true or [false, true]".into()
    }
}

impl Field for Rows {
    fn read(value: &Value) -> Result<Self, String> {
        let expected = || format!("expected false, true or [false, true], found {}", value.describe());
        let rows: Vec<bool> = match value {
            Value::Bool(row) => vec![*row],
            Value::Array(nodes) => {
                let row = |node: &Node| match node.value {
                    Value::Bool(row) => Ok(row),
                    ref other => {
                        Err(format!("expected false, true or [false, true], found {} in it", other.describe()))
                    }
                };
                nodes.iter().map(row).collect::<Result<_, _>>()?
            }
            _ => return Err(expected()),
        };
        match rows[..] {
            [] => Err("is empty; expected false, true or [false, true]".into()),
            [_] | [false, true] | [true, false] => Ok(Self(rows)),
            [row, ..] if rows.iter().all(|other| *other == row) => Err(format!("lists {row} twice")),
            _ => Err("lists a row twice; expected false, true or [false, true]".into()),
        }
    }
}
