//! Runs of TorchScript networks: `[[model]] torchscript`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::lab::{TestRun, text};
use crate::support::{GOOD, Scratch};
use bench::config::{Overrides, load};

const TABLES: &[&str] = &["samples.csv", "curves.csv", "small.csv", "small.md", "report.html"];

fn module(name: &str) -> String {
    format!("{}/../ucag-core/tests/fixtures/torchscript/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn lab(method: &str) -> TestRun {
    let config = format!(
        "[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = 3\n[[model]]\ntorchscript = '{}'\ninput_size = 64\n\
         {method}[[metric]]\nid = 'deletion'\nstep = 1024\n[[metric]]\nid = 'positive-map-density'\n[output]\nresamples = 50\ngallery = 1\n",
        module("mini.pt")
    );
    TestRun::with(&config, TABLES)
}

const METHODS: &str = "[[method]]\nid = 'gradient'\nucag = [false, true]\n[[method]]\nid = 'rise'\nmasks = 5\nucag = [false, true]\n\
                       [[method]]\nid = 'smoothgrad'\nsamples = 2\n[[method]]\nid = 'random'\n";

#[test]
fn a_run_is_the_same_whatever_the_workers() {
    let lab = lab(METHODS);
    lab.run(0, &["small.toml", "--out", "one", "--workers", "1"]);
    lab.run(0, &["small.toml", "--out", "two", "--workers", "2"]);
    lab.assert_same_tables("one", "two");
    let samples = lab.read("one", "samples.csv");
    assert_eq!(samples.lines().count(), 1 + 3 * 6 * 2, "three scenes, six rows, two metrics");
    assert!(samples.lines().skip(1).all(|line| line.contains(",mini,")), "the file's name is the model's");
}

#[test]
fn a_method_that_looks_inside_is_refused_before_the_run() {
    let lab = lab("[[method]]\nid = 'gradcam'\n");
    let message = text(&lab.run(1, &["small.toml", "--out", "run"]).stderr);
    assert!(message.contains("model 'mini'") && message.contains("'gradcam' looks at a network's layers"), "{message}");
    assert!(!lab.path("run/records.jsonl").exists());
}

#[test]
fn one_image_can_be_explained() {
    let lab = lab(METHODS);
    lab.run(0, &["small.toml", "--out", "run", "--limit", "1"]);
    let file = module("mini.pt");
    let image = "data/val/disc_checks/disc_checks_0001.png";
    let explain = |method: &'static str| {
        let of = ["explain", "--torchscript", &file, "--input-size", "64", "--image", image, "--class", "3"];
        [&of[..], &["--method", method, "--out", "map"]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |code, method| {
        let arguments = explain(method);
        lab.run(code, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    run(0, "gradient");
    let said: serde_json::Value = serde_json::from_str(&lab.read("map", "explain.json")).unwrap();
    assert_eq!((&said["arch"], &said["class"]), (&"torchscript".into(), &3.into()));
    assert!(text(&run(1, "lrp").stderr).contains("looks at a network's layers"));
}

#[test]
fn what_is_wrong_in_a_config_is_said() {
    let error = |instead: &str| {
        let scratch = Scratch::new();
        let text = GOOD.replace("arch = 'resnet50'\nweights = 'w.safetensors'", instead);
        let errors = load(&scratch.write("x.toml", text), &Overrides::default()).expect_err("it was taken").to_string();
        errors.rsplit_once("x.toml").unwrap().1.to_owned()
    };
    assert_eq!(
        error("torchscript = 'm.pt'\ninput_size = 64\narch = 'vgg'"),
        ":7: [[model]] arch: a network is either TorchScript, or an arch with its weights"
    );
    assert_eq!(
        error("torchscript = 'm.pt'"),
        ":5: [[model]] torchscript: needs 'input_size' beside it, the side of its input in pixels, which the file doesn't say"
    );
    assert_eq!(
        error("torchscript = 'm.pt'\ninput_size = 64\nlayer = 'x'"),
        ":7: [[model]] layer: a TorchScript network shows no layers, and has one form"
    );
    for wrong in ["mean = [0.5, 0.5]\nstd = [1, 1]", "mean = [0, 0, 0]\nstd = [1, 1, 0]", "mean = [0, 0, 0]\nstd = 0.5"]
    {
        let message = error(&format!("torchscript = 'm.pt'\ninput_size = 64\n{wrong}"));
        assert!(message.contains("expected three numbers, for red, green and blue in [0, 1]"), "{message}");
    }
    let message = error("torchscript = 'm.pt'\ninput_size = 64\noutput = 'softmax'");
    assert!(
        message.contains("output: unknown value 'softmax'") && message.contains("logits, probabilities, sigmoid"),
        "{message}"
    );
    let message = error("arch = 'resnet50'\nweights = 'w.safetensors'\noutput = 'sigmoid'");
    assert!(message.contains("output"), "{message}");
    let missing = error("input_size = 64");
    assert!(missing.contains("'weights' is missing"), "{missing}");
}

/// A config's model that is a small module of ten classes.
fn model(name: &str, output: &str) -> String {
    format!(
        "[[model]]\nname = '{name}'\ntorchscript = '{}'\ninput_size = 32\n{output}",
        module(&format!("mini_{name}.pt"))
    )
}

fn config(models: &str) -> String {
    format!(
        "[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = 2\n{models}[[method]]\nid = 'random'\nucag = [false, true]\n\
         [[metric]]\nid = 'deletion'\nstep = 128\n[[metric]]\nid = 'insertion'\nstep = 128\n[output]\nresamples = 50\ngallery = 0\n"
    )
}

/// Values of a model's rows in `samples.csv`, which has them before the map's state.
fn values(samples: &str, model: &str) -> Vec<f64> {
    let mut lines = samples.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| head.iter().position(|title| *title == name).unwrap();
    let (of, value) = (column("model"), column("value"));
    let cells = lines.map(|line| line.split(',').collect::<Vec<_>>());
    cells.filter(|cells| cells[of] == model).map(|cells| cells[value].parse().unwrap()).collect()
}

#[test]
fn a_softmax_inside_a_module_changes_no_number_once_it_is_stated() {
    let lab = TestRun::with(&config(&(model("logits", "") + &model("softmax", "output = 'probabilities'\n"))), TABLES);
    lab.run(0, &["small.toml", "--out", "run"]);
    let samples = lab.read("run", "samples.csv");
    let [logits, softmax] = ["logits", "softmax"].map(|name| values(&samples, name));
    assert_eq!((logits.len(), softmax.len()), (8, 8));
    for (a, b) in logits.iter().zip(&softmax) {
        assert!((a - b).abs() < 1e-5, "{a} is not {b}");
    }
    // A second softmax of ten probabilities is a tenth for each class, give or take a little.
    assert!(logits.iter().any(|value| (value - 0.1).abs() > 0.02), "{logits:?}");
    let run: serde_json::Value = serde_json::from_str(&lab.read("run", "run.json")).unwrap();
    let models = &run["identity"]["models"];
    assert_eq!((&models[0]["output"], &models[1]["output"]), (&serde_json::Value::Null, &"probabilities".into()));
    assert!(models[0].get("output").is_none(), "the identity of runs that state nothing is what it was");
    lab.write("small.toml", &config(&model("softmax", "")));
    let message = text(&lab.run(1, &["small.toml", "--out", "refused"]).stderr);
    assert!(message.contains("model 'softmax'") && message.contains("output = \"probabilities\""), "{message}");
    assert!(!lab.path("refused/records.jsonl").exists());
}

#[test]
fn sigmoid_scores_are_the_probabilities_that_are_reported() {
    let lab = TestRun::with(&config(&model("sigmoid", "output = 'sigmoid'\n")), TABLES);
    lab.run(0, &["small.toml", "--out", "run"]);
    let (file, image) = (module("mini_sigmoid.pt"), "data/val/disc_checks/disc_checks_0001.png");
    let explain = ["explain", "--torchscript", &file, "--input-size", "32", "--image", image, "--class", "0"];
    let rest = ["--method", "gradient", "--out", "map"];
    let message = text(&lab.run(1, &[&explain[..], &rest].concat()).stderr);
    assert!(message.contains("--output sigmoid"), "{message}");
    lab.run(0, &[&explain[..], &rest, &["--output", "sigmoid"]].concat());
    let said: serde_json::Value = serde_json::from_str(&lab.read("map", "explain.json")).unwrap();
    let (logit, probability) = (said["logit"].as_f64().unwrap(), said["probability"].as_f64().unwrap());
    assert!((probability - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-6, "{probability} of {logit}");
    // Deletion starts from the whole image, whose score that is.
    lab.run(0, &["small.toml", "--out", "one", "--limit", "1"]);
    let curves = lab.read("one", "curves.csv");
    let start = curves.lines().find(|line| line.contains(",deletion,0.000000,")).expect("a deletion curve");
    let start: f64 = start.split(',').nth(7).unwrap().parse().unwrap();
    assert!((start - probability).abs() < 1e-5, "{start} is not {probability}");
    let notes = lab.read("one", "small.md");
    assert!(notes.contains("stated to give sigmoid scores") && notes.contains("ImageNet's"), "{notes}");
}
