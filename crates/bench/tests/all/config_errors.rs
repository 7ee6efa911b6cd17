//! Configs that aren't fine: each message in full, with file, line and key.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::support::{GOOD, Scratch, set};
use bench::config::{Overrides, load, load_all};

/// All messages about a config, one a line.
fn errors(text: impl AsRef<[u8]>, overrides: &Overrides) -> String {
    let scratch = Scratch::new();
    let path = scratch.write("x.toml", text);
    let errors = load(&path, overrides).expect_err("the config was taken");
    scratch.relative(&errors.to_string())
}

/// Puts `new` for `old` in the good config, and expects exactly these messages.
#[track_caller]
fn instead(old: &str, new: &str, expected: &str) {
    assert_eq!(GOOD.matches(old).count(), 1, "'{old}' must be in the good config once");
    assert_eq!(errors(GOOD.replace(old, new), &Overrides::default()), expected);
}

/// Appends to the good config's ten lines.
#[track_caller]
fn also(text: &str, expected: &str) {
    assert_eq!(errors(format!("{GOOD}{text}"), &Overrides::default()), expected);
}

/// Prepends to the good config.
#[track_caller]
fn first(text: &str, expected: &str) {
    assert_eq!(errors(format!("{text}\n{GOOD}"), &Overrides::default()), expected);
}

#[track_caller]
fn with(arguments: &[&str], expected: &str) {
    assert_eq!(errors(GOOD, &set(arguments)), expected);
}

#[test]
fn files_that_are_no_configs() {
    let none = load("no/such.toml".as_ref(), &Overrides::default()).unwrap_err().to_string();
    assert!(none.starts_with("no/such.toml: the config can't be read: "), "{none}");
    let scratch = Scratch::new();
    scratch.write("table1.toml", GOOD);
    let near = load(&scratch.path("tabel1.toml"), &Overrides::default()).unwrap_err().to_string();
    assert!(scratch.relative(&near).ends_with("; did you mean 'table1.toml'?"), "{near}");
    let binary = errors([0x66, 0xff, 0xfe], &Overrides::default());
    assert!(binary.starts_with("x.toml: the config can't be read: "), "{binary}");
    first("seed = ", "x.toml:1: isn't TOML: string values must be quoted, expected literal string");
    first("[output", "x.toml:1: isn't TOML: unclosed table, expected `]`");
    instead("kind", "root = 'a'\nkind", "x.toml:4: isn't TOML: duplicate key");
    assert_eq!(
        errors("", &Overrides::default()),
        "x.toml: there is no [[method]]: name at least one method with 'id'\n\
         x.toml: there is no [[metric]]: name at least one metric with 'id'\n\
         x.toml: there is no [[model]]: name at least one network with 'arch' and 'weights'\n\
         x.toml: there is no [dataset]: say with 'kind' and 'root' what to run on"
    );
}

#[test]
fn unknown_keys() {
    instead("[[method]]", "[[metod]]", "x.toml:7: unknown key 'metod'; did you mean 'method'?");
    instead("root", "rot", "x.toml:3: [dataset]: unknown key 'rot'; did you mean 'root'?");
    instead("arch", "archi", "x.toml:5: [[model]]: unknown key 'archi'; did you mean 'arch'?");
    also("stepp = 3", "x.toml:11: [[metric]]: unknown key 'stepp'; did you mean 'step'?");
    instead("[[metric]]", "ucga = true\n[[metric]]", "x.toml:9: [[method]]: unknown key 'ucga'; did you mean 'ucag'?");
    also("[ucag]\nzzz = 1", "x.toml:12: [ucag]: unknown key 'zzz'; the keys here are n, rho, alpha");
    also("[output]\ngalery = 1", "x.toml:12: [output]: unknown key 'galery'; did you mean 'gallery'?");
    also("[compute]\ndevise = 'cpu'", "x.toml:12: [compute]: unknown key 'devise'; did you mean 'device'?");
    also("[protocol]\ncovrage = true", "x.toml:12: [protocol]: unknown key 'covrage'; did you mean 'coverage'?");
    also(
        "[compute.output]\ndir = 'a'",
        "x.toml:11: [compute]: unknown key 'output'; the keys here are device, precision, workers, views_per_batch, images_per_batch",
    );
}

#[test]
fn missing_keys() {
    instead(
        "arch = 'resnet50'\n",
        "",
        "x.toml:4: [[model]]: 'arch' is missing: the architecture (see: bench list models); or give onnx = \"model.onnx\"",
    );
    instead(
        "weights = 'w.safetensors'\n",
        "",
        "x.toml:4: [[model]]: 'weights' is missing: its checkpoint, a .safetensors file",
    );
    instead("root = 'data'\n", "", "x.toml:1: [dataset]: 'root' is missing: the data set's folder");
    also("[[method]]", "x.toml:11: [[method]]: 'id' is missing: the method (see: bench list methods)");
    instead("[[metric]]\nid = 'deletion'\n", "", "x.toml: there is no [[metric]]: name at least one metric with 'id'");
}

#[test]
fn unknown_names() {
    instead(
        "'gradcam'",
        "'gradcm'",
        "x.toml:8: [[method]] id: unknown method 'gradcm'; did you mean 'gradcam'? (see: bench list methods)",
    );
    instead(
        "'gradcam'",
        "'GradCAM'",
        "x.toml:8: [[method]] id: unknown method 'GradCAM'; did you mean 'gradcam'? (see: bench list methods)",
    );
    instead("'gradcam'", "'lime'", "x.toml:8: [[method]] id: unknown method 'lime' (see: bench list methods)");
    instead(
        "'deletion'",
        "'deletoin'",
        "x.toml:10: [[metric]] id: unknown metric 'deletoin'; did you mean 'deletion'? (see: bench list metrics)",
    );
    instead(
        "'resnet50'",
        "'resnt50'",
        "x.toml:5: [[model]] arch: unknown arch 'resnt50'; did you mean 'resnet'? (see: bench list models)",
    );
    instead(
        "'imagenet'",
        "'imagnet'",
        "x.toml:2: [dataset] kind: unknown data set 'imagnet'; did you mean 'imagenet'? (see: bench list datasets)",
    );
    first(
        "protocol = 'oficial'",
        "x.toml:1: protocol: unknown protocol 'oficial'; did you mean 'official'? (see: bench list protocols)",
    );
    also(
        "[protocol]\nbase = 'papers'",
        "x.toml:12: [protocol] base: unknown protocol 'papers'; did you mean 'paper'? (see: bench list protocols)",
    );
    also(
        "[protocol]\ncoverage = 'plus-won'",
        "x.toml:12: [protocol] coverage: unknown value 'plus-won'; did you mean 'plus-one'? (one of true, plus-one)",
    );
    also(
        "[protocol]\nsmoothing = false",
        "x.toml:12: [protocol] smoothing: unknown value 'false' (one of none, ucag, both)",
    );
}

#[test]
fn classes_come_from_a_model_above_on_the_same_data_set() {
    let other = "classes_from = 'VGG'\n[[model]]\nname = 'VGF'\narch = 'vgg16'\nweights = 'v.safetensors'\n";
    instead(
        "weights = 'w.safetensors'\n",
        &format!("weights = 'w.safetensors'\n{other}"),
        "x.toml:7: [[model]] classes_from: no model above this one, on the same data set, is called 'VGG'",
    );
    let below =
        "[[model]]\nname = 'VGF'\narch = 'vgg16'\nweights = 'v.safetensors'\nclasses_from = 'resnet5'\n[[method]]";
    instead(
        "[[method]]",
        below,
        "x.toml:11: [[model]] classes_from: no model above this one, on the same data set, is called 'resnet5'; did you mean 'resnet50'?",
    );
    instead(
        "id = 'gradcam'",
        "id = 'gradcam'\nclasses_from = 'x'",
        "x.toml:9: [[method]]: unknown key 'classes_from'; the keys here are id, ucag, name",
    );
}

#[test]
fn wrong_types() {
    first("seed = 'a'", "x.toml:1: seed: expected a whole number from 0, found the string 'a'");
    first("title = 5", "x.toml:1: title: expected a string, found 5");
    first("title = 2020-01-01", "x.toml:1: title: expected a string, found the date 2020-01-01");
    first("title = ' '", "x.toml:1: title: is empty");
    first("title = \"a\\nb\"", "x.toml:1: title: has a line break or control character");
    first("output = 'there'", "x.toml:1: output: expected a table [output], found the string 'there'");
    first("protocol = 1", "x.toml:1: protocol: expected a table [protocol], found 1");
    instead(
        "[[method]]",
        "[method]",
        "x.toml:7: method: expected [[method]], in double brackets since there may be several, found a table",
    );
    instead(
        "[[method]]\nid = 'gradcam'\n",
        "[output]\nmethod = ['gradcam']\n",
        "x.toml: there is no [[method]]: name at least one method with 'id'\n\
         x.toml:8: [output]: unknown key 'method'; the keys here are dir, published, remark, gallery, resamples",
    );
    assert_eq!(
        errors(
            format!("method = ['gradcam']\n{}", GOOD.replace("[[method]]\nid = 'gradcam'\n", "")),
            &Overrides::default()
        ),
        "x.toml:1: [[method]]: expected a table, found the string 'gradcam'"
    );
    also("step = 1.5", "x.toml:11: [[metric]] step: expected a whole number from 1, found 1.5");
    also("[ucag]\nrho = 'half'", "x.toml:12: [ucag] rho: expected a number, found the string 'half'");
    also("[protocol]\nrectify = 'no'", "x.toml:12: [protocol] rectify: expected true or false, found the string 'no'");
    also("[protocol]\nties = 3", "x.toml:12: [protocol] ties: expected a name, found 3");
}

#[test]
fn out_of_range() {
    first("seed = -1", "x.toml:1: seed: expected a whole number from 0, found -1");
    first(
        "seed = 99999999999999999999",
        "x.toml:1: seed: expected a whole number from 0, found the number 99999999999999999999, which is too large",
    );
    instead("root", "void = 0\nroot", "x.toml:3: [dataset] void: expected a whole number from 1, found 0");
    instead(
        "root",
        "threshold = 65536\nroot",
        "x.toml:3: [dataset] threshold: masks have values of up to 65535, not 65536",
    );
    instead("root", "limit = 0\nroot", "x.toml:3: [dataset] limit: expected a whole number from 1, found 0");
    also("step = 0", "x.toml:11: [[metric]] step: expected a whole number from 1, found 0");
    also(
        "[compute]\nviews_per_batch = 0",
        "x.toml:12: [compute] views_per_batch: expected a whole number from 1, found 0",
    );
    also(
        "[compute]\nimages_per_batch = 0",
        "x.toml:12: [compute] images_per_batch: expected a whole number from 1, found 0",
    );
    also("[compute]\nworkers = 0", "x.toml:12: [compute] workers: expected a whole number from 1, found 0");
    also("[output]\nresamples = 0", "x.toml:12: [output] resamples: expected a whole number from 1, found 0");
    also("[output]\ngallery = -1", "x.toml:12: [output] gallery: expected a whole number from 0, found -1");
    also("[ucag]\nn = 1", "x.toml:12: [ucag] n: n = 1: views per axis must be 2 to 64");
    also(
        "[ucag]\nrho = 1.5",
        "x.toml:12: [ucag] rho: rho = 1.5: a view's side must be above 0 and at most 1 of the image's",
    );
    also(
        "[ucag]\nrho = nan",
        "x.toml:12: [ucag] rho: rho = NaN: a view's side must be above 0 and at most 1 of the image's",
    );
    also("[ucag]\nalpha = 0", "x.toml:12: [ucag] alpha: alpha = 0: the enlargement must be above 0 and at most 16");
    also(
        "[protocol]\nalpha = inf",
        "x.toml:12: [protocol] alpha: alpha = inf: the enlargement must be above 0 and at most 16",
    );
    also(
        "[protocol]\nn = 2\n[ucag]\nn = 3",
        "x.toml:14: [ucag] n: is also in [protocol], at line 12; keep one of the two",
    );
}

#[test]
fn twice_or_nothing() {
    also(
        "[[model]]\narch = 'resnet50'\nweights = 'v'",
        "x.toml:11: [[model]] name: the model at line 4 is called 'resnet50' too; give each a 'name' of its own",
    );
    also(
        "[[model]]\narch = 'vgg'\nweights = 'v'\nname = 'resnet50'",
        "x.toml:14: [[model]] name: the model at line 4 is called 'resnet50' too; give each a 'name' of its own",
    );
    also(
        "[[method]]\nid = 'gradcam'\nucag = true",
        "x.toml:12: [[method]] id: 'gradcam' is listed at line 8 too; for its rows without and with UCAG, list it once with ucag = [false, true]; with other numbers, give it a 'name' of its own",
    );
    also(
        "[[metric]]\nid = 'deletion'\nstep = 9",
        "x.toml:12: [[metric]] id: 'deletion' is listed at line 10 too; list each metric once",
    );
    instead(
        "'gradcam'",
        "'gradcam'\nucag = []",
        "x.toml:9: [[method]] ucag: is empty; expected false, true or [false, true]",
    );
    instead("'gradcam'", "'gradcam'\nucag = [true, true]", "x.toml:9: [[method]] ucag: lists true twice");
    instead(
        "'gradcam'",
        "'gradcam'\nucag = [false, true, false]",
        "x.toml:9: [[method]] ucag: lists a row twice; expected false, true or [false, true]",
    );
    instead(
        "'gradcam'",
        "'gradcam'\nucag = ['both']",
        "x.toml:9: [[method]] ucag: expected false, true or [false, true], found the string 'both' in it",
    );
    instead(
        "'gradcam'",
        "'gradcam'\nucag = 1",
        "x.toml:9: [[method]] ucag: expected false, true or [false, true], found 1",
    );
    with(
        &["metric=[]"],
        "x.toml with --set metric=[]: metric: there is no [[metric]]: name at least one metric with 'id'",
    );
}

#[test]
fn devices() {
    also(
        "[compute]\ndevice = 'gpu'",
        "x.toml:12: [compute] device: unknown device 'gpu'; expected cpu or cuda:N, for instance cuda:0",
    );
    let message = errors(GOOD, &Overrides { device: Some("cuda:4096".into()), ..Overrides::default() });
    assert!(
        message.starts_with("x.toml with --device cuda:4096: [compute] device: cuda:4096 was asked for, but "),
        "{message}"
    );
}

#[test]
fn flags() {
    let overrides = Overrides { limit: Some(0), workers: Some(0), out: Some("".into()), ..Overrides::default() };
    assert_eq!(
        errors(GOOD, &overrides),
        "x.toml with --limit 0: [dataset] limit: expected a whole number from 1, found 0\n\
         x.toml with --out : [output] dir: is empty\n\
         x.toml with --workers 0: [compute] workers: expected a whole number from 1, found 0"
    );
}

#[test]
fn what_set_says() {
    with(&["dataset.rot=/x"], "x.toml with --set dataset.rot=/x: [dataset]: unknown key 'rot'; did you mean 'root'?");
    with(&["sead=1"], "x.toml with --set sead=1: unknown key 'sead'; did you mean 'seed'?");
    with(&["outputs.dir=/x"], "x.toml with --set outputs.dir=/x: unknown key 'outputs'; did you mean 'output'?");
    with(
        &["model.0.arch=resnt"],
        "x.toml with --set model.0.arch=resnt: [[model]] arch: unknown arch 'resnt'; did you mean 'resnet'? (see: bench list models)",
    );
    with(
        &["method=[{id='gradcm'}]"],
        "x.toml with --set method=[{id='gradcm'}]: [[method]] id: unknown method 'gradcm'; did you mean 'gradcam'? (see: bench list methods)",
    );
    with(&["seed"], "x.toml with --set seed: expected KEY=VALUE, for instance dataset.limit=10");
    with(
        &["dataset..limit=1"],
        "x.toml with --set dataset..limit=1: a key is empty; expected KEY=VALUE, for instance dataset.limit=10",
    );
    with(
        &["model.3.name=a"],
        "x.toml with --set model.3.name=a: '3' is none of the 1 entries of 'model', which are numbered 0 to 0",
    );
    with(
        &["model.name=a"],
        "x.toml with --set model.name=a: 'name' is none of the 1 entries of 'model', which are numbered 0 to 0",
    );
    with(&["dataset.root.x=a"], "x.toml with --set dataset.root.x=a: 'root' is the string 'data', which has no keys");
    with(&["seed="], "x.toml with --set seed=: seed: expected a whole number from 0, found the string ''");
    with(
        &["seed=1\nx=2"],
        "x.toml with --set seed=1\nx=2: seed: expected a whole number from 0, found the string '1\nx=2'",
    );
    let broken = errors(GOOD, &set(&["method=[{id='gradcam'}"]));
    assert!(broken.starts_with("x.toml with --set method=[{id='gradcam'}: the value isn't TOML: "), "{broken}");
}

#[test]
fn all_errors_come_at_once_in_the_order_of_lines() {
    let text = "sed = 1\n[dataset]\nkind = 'imagnet'\n[[model]]\narch = 'vgg'\nweights = 3\n[[method]]\nid = 'gradcm'\n\
        [[method]]\nid = 'edg'\n[[metric]]\nid = 'delete'\n[ucag]\nn = 0\nrho = 0\n";
    let overrides = Overrides { limit: Some(0), ..Overrides::default() };
    let expected = "\
x.toml:1: unknown key 'sed'; did you mean 'seed'?
x.toml:2: [dataset]: 'root' is missing: the data set's folder
x.toml:3: [dataset] kind: unknown data set 'imagnet'; did you mean 'imagenet'? (see: bench list datasets)
x.toml:6: [[model]] weights: expected a string, found 3
x.toml:8: [[method]] id: unknown method 'gradcm'; did you mean 'gradcam'? (see: bench list methods)
x.toml:10: [[method]] id: unknown method 'edg'; did you mean 'edge'? (see: bench list methods)
x.toml:12: [[metric]] id: unknown metric 'delete'; did you mean 'deletion'? (see: bench list metrics)
x.toml:14: [ucag] n: n = 0: views per axis must be 2 to 64
x.toml:15: [ucag] rho: rho = 0: a view's side must be above 0 and at most 1 of the image's
x.toml with --limit 0: [dataset] limit: expected a whole number from 1, found 0";
    assert_eq!(errors(text, &overrides), expected);
}

#[test]
fn configs_that_share_a_folder() {
    let scratch = Scratch::new();
    let paths = [scratch.write("a/t.toml", GOOD), scratch.write("b/t.toml", GOOD), scratch.write("mini/t.toml", GOOD)];
    let message = load_all(&paths, &Overrides::default()).unwrap_err().to_string();
    let expected = "b/t.toml: its output folder results/t is also that of a/t.toml; give each its own [output] dir";
    assert_eq!(scratch.relative(&message), expected);
    assert_eq!(load_all(&[paths[0].clone(), paths[2].clone()], &Overrides::default()).unwrap().len(), 2);
}
