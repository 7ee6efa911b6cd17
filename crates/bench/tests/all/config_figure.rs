//! Configs with a figure: what they may leave out, and what is said where something is wrong.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::support::{Scratch, set};
use bench::config::{Columns, Config, Overrides, load};

/// A figure. Tests count its lines.
const GOOD: &str = "\
[figure]
columns = 'methods'
[dataset]
kind = 'imagenet'
root = 'data'
samples = ['a', 'b']
[[model]]
arch = 'resnet50'
weights = 'w.safetensors'
[[method]]
id = 'gradcam'
ucag = [false, true]
";

fn read(text: &str, overrides: &Overrides) -> Result<Config, String> {
    let scratch = Scratch::new();
    load(&scratch.write("x.toml", text), overrides).map_err(|errors| scratch.relative(&errors.to_string()))
}

#[track_caller]
fn instead(old: &str, new: &str, expected: &str) {
    assert_eq!(GOOD.matches(old).count(), 1, "'{old}' must be in the good config once");
    assert_eq!(read(&GOOD.replace(old, new), &Overrides::default()).unwrap_err(), expected);
}

#[test]
fn a_figure_needs_no_metric() {
    let config = read(GOOD, &Overrides::default()).unwrap();
    assert!(config.metrics.is_empty());
    assert_eq!(config.figure.unwrap().columns, Columns::Methods);
    assert_eq!(config.datasets[0].samples.as_deref().unwrap(), ["a", "b"]);
    let with = read(&format!("{GOOD}[[metric]]\nid = 'deletion'\n"), &set(&["figure.columns=networks"])).unwrap();
    assert_eq!((with.metrics.len(), with.figure.unwrap().columns), (1, Columns::Networks));
    let first = read(&GOOD.replace("samples = ['a', 'b']", "limit = 3"), &Overrides::default()).unwrap();
    assert_eq!((first.datasets[0].limit, &first.datasets[0].samples), (Some(3), &None));
    // Without a figure, a metric is needed as ever.
    let table = read(&GOOD.replace("[figure]\ncolumns = 'methods'\n", ""), &Overrides::default()).unwrap_err();
    assert_eq!(table, "x.toml: there is no [[metric]]: name at least one metric with 'id'");
}

#[test]
fn what_a_figure_lacks() {
    instead(
        "[figure]\ncolumns = 'methods'",
        "\n[figure]",
        "x.toml:2: [figure]: 'columns' is missing: what stands side by side, \"methods\" or \"networks\"",
    );
    instead(
        "samples = ['a', 'b']\n",
        "",
        "x.toml:1: figure: which images? Give [dataset] samples = [\"…\"], or limit = 4 for the first four",
    );
    instead(
        "[[method]]\nid = 'gradcam'\nucag = [false, true]\n",
        "",
        "x.toml: there is no [[method]]: name at least one method with 'id'",
    );
    instead(
        "[[model]]\narch = 'resnet50'\nweights = 'w.safetensors'\n",
        "",
        "x.toml: there is no [[model]]: name at least one network with 'arch' and 'weights'",
    );
}

#[test]
fn what_is_wrong_with_a_figure() {
    instead(
        "'methods'",
        "'method'",
        "x.toml:2: [figure] columns: unknown value 'method'; did you mean 'methods'? (one of methods, networks)",
    );
    instead("columns =", "colums =", "x.toml:2: [figure]: unknown key 'colums'; did you mean 'columns'?");
    instead(
        "samples = ['a', 'b']",
        "samples = 'a'",
        "x.toml:6: [dataset] samples: expected a list of strings, found the string 'a'",
    );
    instead("['a', 'b']", "['a', 'b', 'a']", "x.toml:6: [dataset] samples: lists 'a' twice");
    instead("['a', 'b']", "[]", "x.toml:6: [dataset] samples: is empty; leave it out for all samples");
    instead(
        "samples = ['a', 'b']",
        "limit = 501",
        "x.toml:1: figure: would have 1002 maps; at most 1000 can be shown in one",
    );
    let several = "[[dataset]]\nname = 'other'\nkind = 'imagenet'\nroot = 'other'\n[[model]]\ndataset = 'imagenet'\n";
    let text = GOOD.replace("[dataset]", "[[dataset]]").replace("[[model]]\n", several);
    assert_eq!(
        read(&text, &Overrides::default()).unwrap_err(),
        "x.toml:1: figure: shows the samples of one data set; make a config for each"
    );
}

#[test]
fn records_depend_on_the_samples_and_not_on_the_figure() {
    let digest = |arguments: &[&str]| read(GOOD, &set(arguments)).unwrap().digest_value();
    assert_eq!(digest(&["figure.columns=networks"]), digest(&[]));
    assert_ne!(digest(&["dataset.samples=['a']"]), digest(&[]));
    let config = read(GOOD, &Overrides::default()).unwrap().resolved();
    assert_eq!(config["figure"]["columns"], "methods");
    assert_eq!(config["datasets"][0]["samples"], serde_json::json!(["a", "b"]));
}
