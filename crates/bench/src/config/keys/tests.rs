//! Keys that are listed are read, those that are read are listed, and defaults are what is taken.

use std::path::Path;

use serde_json::Value;

use super::super::{Overrides, parse, variant};
use super::{KeyTable, TABLES, map, ucag};

/// The tables that configs have in common.
const DATASET: &str = "[dataset]\nkind = 'imagenet'\nroot = 'r'\n";
const MODEL: &str = "[[model]]\narch = 'resnet50'\nweights = 'w'\n";
const METHOD: &str = "[[method]]\nid = 'gradcam'\n";
const METRIC: &str = "[[metric]]\nid = 'deletion'\n";

/// A config in which a table stands, and the path to the table in it.
fn config(table: &KeyTable) -> (String, String) {
    let usual = [DATASET, MODEL, METHOD, METRIC].concat();
    match table.header {
        "Top level" => (usual, String::new()),
        header if header.contains("torchscript") => {
            let model = "[[model]]\ntorchscript = 'm'\ninput_size = 8\n";
            ([DATASET, model, METHOD, METRIC].concat(), "model.0.".into())
        }
        header if header.contains("onnx") => {
            ([DATASET, "[[model]]\nonnx = 'm'\n", METHOD, METRIC].concat(), "model.0.".into())
        }
        header if header.contains("precomputed") => {
            let method = "[[method]]\nkind = 'precomputed'\nname = 'n'\nmaps = 'm'\npost = 'cam'\n";
            ([DATASET, MODEL, method, METRIC].concat(), "method.0.".into())
        }
        "[[variant]]" => {
            let variant = "[[variant]]\nname = 'plain'\nucag = false\n[[variant]]\nname = 'v'\nucag = true\n";
            (usual + variant, "variant.1.".into())
        }
        header if header.starts_with("[[") => (usual, format!("{}.0.", table.name)),
        _ => (usual, format!("{}.", table.name)),
    }
}

/// The config as it is resolved, with a key set to a value, or the messages of what is wrong.
fn with(text: &str, set: &[String]) -> Result<Value, String> {
    let overrides = Overrides { set: set.to_vec(), ..Overrides::default() };
    let config = parse(Path::new("x.toml"), text, &overrides).map_err(|errors| errors.to_string())?;
    Ok(config.resolved())
}

/// The messages where a key has a value that no key can have.
fn with_a_date(table: &KeyTable, key: &str) -> String {
    let (text, path) = config(table);
    with(&text, &[format!("{path}{key}=1979-05-27")]).unwrap_err()
}

#[test]
fn every_key_that_is_listed_is_read() {
    for table in TABLES {
        for key in table.keys() {
            let messages = with_a_date(table, key.name());
            let about = messages.lines().any(|line| line.contains(&format!("{}: ", key.name())));
            assert!(about && !messages.contains("unknown key"), "{} {}: {messages}", table.header, key.name());
        }
    }
}

#[test]
fn a_key_is_not_read_in_a_table_that_does_not_list_it() {
    let other_kinds = [
        "arch",
        "weights",
        "layer",
        "middle",
        "form",
        "stem",
        "transform_input",
        "torchscript",
        "onnx",
        "output",
        "id",
        "ucag",
    ];
    for table in TABLES {
        let foreign = TABLES.iter().flat_map(KeyTable::keys).map(|key| key.name());
        for key in foreign.filter(|key| !table.keys().any(|known| known.name() == *key)) {
            // Where two kinds of entry differ, the message says more than that.
            let (text, path) = config(table);
            let messages = with(&text, &[format!("{path}{key}=1979-05-27")]).unwrap_err();
            let refused = messages.contains(&format!("unknown key '{key}'"))
                || table.header.contains("with") && other_kinds.contains(&key)
                || table.name == "model" && ["torchscript", "onnx"].contains(&key);
            assert!(refused, "{} {key}: {messages}", table.header);
        }
    }
}

#[test]
fn a_default_is_what_is_taken_where_the_key_is_absent() {
    let mut checked = 0;
    for table in TABLES {
        let (text, path) = config(table);
        let absent = with(&text, &[]).unwrap_or_default();
        for key in table.keys().filter(|key| key.default().starts_with('`') && key.default().ends_with('`')) {
            let set = format!("{path}{}={}", key.name(), key.default().trim_matches('`'));
            // Of a precomputed method, the kind is what makes it one.
            if (table.header.contains("precomputed"), key.name()) == (true, "kind") {
                continue;
            }
            assert_eq!(with(&text, std::slice::from_ref(&set)).unwrap(), absent, "{} {set}", table.header);
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked} defaults");
}

#[test]
fn every_choice_that_is_listed_is_accepted() {
    for table in TABLES.iter().filter(|table| ["protocol", "compute", "dataset"].contains(&table.name)) {
        let (text, path) = config(table);
        for key in table.keys() {
            let values = key.values();
            for choice in values.split('`').skip(1).step_by(2).filter(|choice| *choice != "cuda:N") {
                let set = format!("{path}{}=\"{choice}\"", key.name());
                with(&text, std::slice::from_ref(&set)).unwrap_or_else(|messages| panic!("{set}: {messages}"));
            }
        }
    }
}

#[test]
fn bounds_that_are_listed_are_those_that_are_checked() {
    let protocol = TABLES.iter().find(|table| table.name == "protocol").unwrap();
    let (text, path) = config(protocol);
    let accepted = |key: &str, value: &str| with(&text, &[format!("{path}{key}={value}")]).is_ok();
    for (key, values, inside, outside) in [
        ("n", "a whole number from 2 to 64", ["2", "64"], ["1", "65"]),
        ("rho", "a number above 0, at most 1", ["1e-9", "1"], ["0", "1.001"]),
        ("alpha", "a number above 0, at most 16", ["1e-9", "16"], ["0", "16.001"]),
        ("scale", "a number above 0, at most 16", ["1e-9", "16"], ["0", "16.001"]),
    ] {
        let listed = protocol.keys().find(|known| known.name() == key).unwrap();
        assert_eq!(listed.values(), values);
        assert!(inside.iter().all(|value| accepted(key, value)), "{key}");
        assert!(outside.iter().all(|value| !accepted(key, value)), "{key}");
    }
}

#[test]
fn fields_that_a_grid_has_are_those_of_a_variant() {
    let mut listed: Vec<&str> = map::KEYS.iter().chain(ucag::KEYS).map(|key| key.name()).collect();
    let mut fields: Vec<&str> = variant::FIELDS.iter().map(|(field, ..)| *field).collect();
    listed.sort_unstable();
    fields.sort_unstable();
    assert_eq!(listed, fields);
}
