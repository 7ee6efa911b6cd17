//! Configs with several data sets, forms of networks, and methods with numbers of their own.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::support::{Scratch, set};
use bench::config::{Config, Form, Overrides, Resize, load};
use ucag_core::explain::Settings;

const TWO: &str = "\
[[dataset]]
name = 'A'
kind = 'imagenet'
root = 'a'
[[dataset]]
name = 'B'
kind = 'imagenet'
root = 'b'
resize = 'shorter-side'
difficult = 'list.txt'
[[model]]
dataset = 'A'
arch = 'vgg16'
weights = 'w'
form = 'mixed'
[[model]]
dataset = 'B'
arch = 'vgg16'
weights = 'w'
middle = 'features.16'
[[method]]
id = 'gradcam'
[[method]]
id = 'rise'
dataset = 'B'
masks = 30
[[method]]
id = 'extremal'
dataset = 'A'
areas = [0.1, 0.2]
[[method]]
id = 'extremal'
dataset = 'B'
areas = 0.3
[[metric]]
id = 'deletion'
";

fn read(text: &str, overrides: &Overrides) -> Result<Config, String> {
    let scratch = Scratch::new();
    load(&scratch.write("x.toml", text), overrides).map_err(|errors| scratch.relative(&errors.to_string()))
}

fn good(overrides: &Overrides) -> Config {
    read(TWO, overrides).unwrap_or_else(|errors| panic!("{errors}"))
}

#[track_caller]
fn instead(old: &str, new: &str, expected: &str) {
    assert!(TWO.contains(old));
    assert_eq!(read(&TWO.replacen(old, new, 1), &Overrides::default()).unwrap_err(), expected);
}

fn settings(config: &Config, method: usize) -> &Settings {
    &config.methods[method].computed().unwrap().settings
}

#[test]
fn each_model_and_method_knows_its_data_set() {
    let config = good(&Overrides::default());
    let names: Vec<_> = config.datasets.iter().map(|data| (data.name.as_str(), data.resize)).collect();
    assert_eq!(names, [("A", None), ("B", Some(Resize::ShorterSide))]);
    assert_eq!(config.datasets[1].difficult.as_deref(), Some("list.txt".as_ref()));
    let models: Vec<_> = config.models.iter().map(|model| (model.dataset, model.form)).collect();
    assert_eq!(models, [(0, Form::Mixed), (1, Form::Pooled)]);
    assert_eq!(config.models[1].middle.as_deref(), Some("features.16"));
    let on = |dataset| config.methods_on(dataset).map(|m| m.id.as_str()).collect::<Vec<_>>();
    assert_eq!((on(0), on(1)), (vec!["gradcam", "extremal"], vec!["gradcam", "rise", "extremal"]));
    assert_eq!(settings(&config, 1).count("masks"), 30);
    assert_eq!(settings(&config, 2).list("areas"), [0.1, 0.2]);
    assert_eq!(settings(&config, 3).list("areas"), [0.3]);
}

#[test]
fn overrides_reach_one_data_set_or_all() {
    let limits = |overrides: &Overrides| good(overrides).datasets.iter().map(|data| data.limit).collect::<Vec<_>>();
    assert_eq!(limits(&Overrides { limit: Some(3), ..Overrides::default() }), [Some(3), Some(3)]);
    assert_eq!(limits(&set(&["dataset.1.limit=4"])), [None, Some(4)]);
    assert_eq!(limits(&set(&["dataset.*.limit=5", "dataset.0.limit=6"])), [Some(6), Some(5)]);
    assert_eq!(settings(&good(&set(&["method.1.masks=7"])), 1).count("masks"), 7);
}

#[test]
fn what_is_wrong_is_said() {
    instead(
        "name = 'B'",
        "name = 'A'",
        "x.toml:6: [[dataset]] name: the data set at line 2 is called 'A' too; give each a 'name' of its own\n\
         x.toml:17: [[model]] dataset: unknown data set 'B'\n\
         x.toml:25: [[method]] dataset: unknown data set 'B'\n\
         x.toml:33: [[method]] dataset: unknown data set 'B'",
    );
    instead(
        "dataset = 'A'\narch",
        "arch",
        "x.toml:11: [[model]]: 'dataset' is missing: on which of the data sets it is run (A, B)",
    );
    instead("dataset = 'B'\narch", "dataset = 'C'\narch", "x.toml:17: [[model]] dataset: unknown data set 'C'");
    instead(
        "form = 'mixed'",
        "form = 'pold'",
        "x.toml:15: [[model]] form: unknown value 'pold'; did you mean 'pooled'? (one of pooled, convolutional, mixed)",
    );
    instead("resize = 'shorter-side'", "resize = 1", "x.toml:9: [[dataset]] resize: expected a name, found 1");
    instead(
        "masks = 30",
        "masks = 0",
        "x.toml:26: [[method]] masks: 0 is out of range; expected a whole number from 1 to 1000000",
    );
    instead("masks = 30", "masks = [1, 2]", "x.toml:26: [[method]] masks: expected one number, found 2");
    instead("masks = 30", "masks = true", "x.toml:26: [[method]] masks: expected one number, found true");
    instead("masks = 30", "mask = 3", "x.toml:26: [[method]]: unknown key 'mask'; did you mean 'masks'?");
    instead(
        "areas = 0.3",
        "areas = []",
        "x.toml:34: [[method]] areas: expected a list with at least one number, found 0",
    );
    instead("areas = 0.3", "areas = ['a']", "x.toml:34: [[method]] areas: expected a number, found the string 'a'");
    instead(
        "dataset = 'B'\nareas",
        "dataset = 'A'\nareas",
        "x.toml:32: [[method]] id: 'extremal' is listed at line 28 too; for its rows without and with UCAG, list it once with ucag = [false, true]; with other numbers, give it a 'name' of its own",
    );
    instead(
        "id = 'gradcam'",
        "id = 'center-point'\nucag = true",
        "x.toml:23: [[method]] ucag: UCAG can't be around 'center-point': it is the centre of the image, not a map of what a view shows",
    );
}

/// The older spelling, with 0 and 1, and the records' identity stay what they were.
#[test]
fn canonize_is_a_boolean_and_was_canonise() {
    let lrp =
        |line: &str| read(&TWO.replacen("id = 'gradcam'", &format!("id = 'lrp'\n{line}"), 1), &Overrides::default());
    for line in ["canonize = true", "canonize = 1", "canonise = true", "canonise = 1"] {
        let config = lrp(line).unwrap();
        assert!(settings(&config, 0).bool("canonize"), "{line}");
        let identity = config.digest_value();
        assert_eq!(identity["methods"][0]["settings"], serde_json::json!({ "canonise": [1.0] }), "{line}");
    }
    assert!(!settings(&lrp("").unwrap(), 0).bool("canonize"));
    assert_eq!(
        lrp("canonize = true\ncanonise = 1").unwrap_err(),
        "x.toml:24: [[method]] canonise: is an older name of 'canonize'; give one of them",
    );
    assert_eq!(lrp("canonize = 2").unwrap_err(), "x.toml:23: [[method]] canonize: expected true or false, found 2",);
}
