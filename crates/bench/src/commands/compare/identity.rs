//! In what two runs differ, according to what they say of themselves.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// The subject of a fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Run,
    Dataset(String),
    /// A model's name, and its data set's.
    Model(String, String),
    Method(String),
    Metric(String),
    /// The protocol of the rows of these variants; of all rows where there are none.
    Protocol(Vec<String>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Run => f.write_str("run"),
            Place::Dataset(name) => write!(f, "data set '{name}'"),
            Place::Model(name, dataset) => write!(f, "model '{name}' on '{dataset}'"),
            Place::Method(id) => write!(f, "method '{id}'"),
            Place::Metric(id) => write!(f, "metric '{id}'"),
            Place::Protocol(rows) if rows.is_empty() => f.write_str("protocol"),
            Place::Protocol(rows) => write!(f, "protocol {}", rows.join("; ")),
        }
    }
}

/// A fact that two runs don't agree on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    pub(super) place: Place,
    pub(super) field: String,
    /// The baseline's value and the run's; `None` where one says nothing.
    pub(super) values: [Option<Value>; 2],
}

impl Difference {
    /// Returns whether numbers on a data set or by a metric don't measure the same thing in the two
    /// runs.
    pub(super) fn parts(&self, dataset: &str, metric: &str) -> bool {
        match &self.place {
            Place::Dataset(name) => name == dataset && self.field == "fingerprint",
            Place::Metric(id) => id == metric,
            _ => false,
        }
    }

    /// `protocol: coverage is "plus-one" in A, "true" in B`.
    pub(super) fn words(&self, [baseline, run]: [&str; 2]) -> String {
        let [one, other] = self.values.each_ref().map(|value| value.as_ref().map_or("not said".to_owned(), short));
        format!("{}: {} is {one} in {baseline}, {other} in {run}", self.place, self.field.replace('_', " "))
    }
}

/// A value as text; of a checksum, the beginning.
fn short(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) if text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            format!("{}…", &text[..12])
        }
        other => other.to_string(),
    }
}

/// In what the run differs from the baseline, where both have the data set, model, method, metric
/// or variant.
pub(super) fn differences(baseline: &Value, run: &Value) -> Vec<Difference> {
    let [baseline, run] = [baseline, run].map(facts);
    let mut found: Vec<Difference> = Vec::new();
    let mut protocols: BTreeMap<(String, [String; 2]), Vec<String>> = BTreeMap::new();
    let mut variants = 0;
    for (place, theirs) in &run {
        let Some(ours) = baseline.get(place) else { continue };
        variants += usize::from(matches!(place, Place::Protocol(_)));
        let fields = ours.keys().chain(theirs.keys().filter(|field| !ours.contains_key(*field)));
        for field in fields.filter(|field| ours.get(*field) != theirs.get(*field)) {
            let values = [ours, theirs].map(|facts| facts.get(field).cloned());
            match place {
                Place::Protocol(rows) => {
                    let texts = values.each_ref().map(|value| value.as_ref().map(Value::to_string).unwrap_or_default());
                    protocols.entry((field.clone(), texts)).or_default().extend(rows.clone());
                }
                _ => found.push(Difference { place: place.clone(), field: field.clone(), values }),
            }
        }
    }
    for ((field, texts), rows) in protocols {
        let place = Place::Protocol(if rows.len() == variants { Vec::new() } else { rows });
        let values = texts.map(|text| serde_json::from_str(&text).ok());
        found.push(Difference { place, field, values });
    }
    found
}

type Facts = BTreeMap<Place, BTreeMap<String, Value>>;

/// The facts of an identity, except those that only list rows. Whatever is added to identities is
/// among them.
fn facts(identity: &Value) -> Facts {
    let mut facts = Facts::new();
    let config = &identity["config"];
    let models = objects(&identity["models"]);
    for dataset in objects(&identity["datasets"]) {
        facts.insert(Place::Dataset(text(dataset, "name")), fields(dataset, &["name", "first"]));
    }
    for (place, model) in models.iter().enumerate() {
        let mut fields = fields(model, &["name", "dataset"]);
        let other = model.get("classes_from").and_then(Value::as_u64).and_then(|other| models.get(other as usize));
        if let Some(other) = other {
            fields.insert("classes_from".to_owned(), other["name"].clone());
        }
        if let Some(form) = config["forms"].get(place) {
            fields.insert("form".to_owned(), form.clone());
        }
        facts.insert(Place::Model(text(model, "name"), text(model, "dataset")), fields);
    }
    for method in objects(&config["methods"]) {
        let mut fields = fields(method, &["name", "variants", "ucag", "dataset", "settings"]);
        for (key, value) in method.get("settings").and_then(Value::as_object).into_iter().flatten() {
            fields.insert(key.clone(), value.clone());
        }
        let name = if method.contains_key("name") { "name" } else { "id" };
        // A method may have an entry for each data set.
        let mut name = text(method, name);
        if let Some(dataset) = method.get("dataset").and_then(Value::as_u64) {
            let datasets = objects(&identity["datasets"]);
            name +=
                &datasets.get(dataset as usize).map(|set| format!("' on '{}", text(set, "name"))).unwrap_or_default();
        }
        facts.insert(Place::Method(name), fields);
    }
    for metric in objects(&config["metrics"]) {
        facts.insert(Place::Metric(text(metric, "id")), fields(metric, &["id"]));
    }
    for (words, protocol) in protocols(config) {
        facts.insert(Place::Protocol(vec![words]), fields(protocol, &["name"]));
    }
    if let Some(config) = config.as_object() {
        let listed = ["protocol", "variants", "methods", "metrics", "forms"];
        let mut run = fields(config, &listed);
        if let Some(identity) = identity.as_object() {
            run.extend(fields(identity, &["config", "datasets", "models", "metrics"]));
        }
        facts.insert(Place::Run, run);
    }
    facts
}

/// Each variant, and its protocol.
fn protocols(config: &Value) -> Vec<(String, &Map<String, Value>)> {
    let variants = objects(&config["variants"]);
    let variant = |variant: &&'_ Map<String, Value>| variant.get("protocol").is_some_and(Value::is_object);
    if variants.iter().any(variant) {
        let words = |variant: &Map<String, Value>| {
            let ucag = variant.get("ucag").and_then(Value::as_bool).unwrap_or(false);
            crate::config::beside(if ucag { "with UCAG" } else { "without UCAG" }, &text(variant, "name"))
        };
        return variants.into_iter().filter_map(|v| Some((words(v), v.get("protocol")?.as_object()?))).collect();
    }
    // Journals of earlier versions have one protocol for all rows.
    let both = ["without UCAG", "with UCAG"].map(str::to_owned);
    both.into_iter().filter_map(|words| Some((words, config["protocol"].as_object()?))).collect()
}

fn objects(value: &Value) -> Vec<&Map<String, Value>> {
    value.as_array().into_iter().flatten().filter_map(Value::as_object).collect()
}

fn text(object: &Map<String, Value>, key: &str) -> String {
    object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn fields(object: &Map<String, Value>, without: &[&str]) -> BTreeMap<String, Value> {
    let kept = object.iter().filter(|(key, _)| !without.contains(&key.as_str()));
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}
