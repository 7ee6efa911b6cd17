//! Whole runs of configs with a figure.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::lab::{TestRun, text, weights};

fn lab() -> TestRun {
    let config = format!(
        "title = 'Small'\n[figure]\ncolumns = 'networks'\n\
         [dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nsamples = ['ring_stripes_0002', 'disc_checks_0001']\n\
         [[model]]\nname = 'A'\narch = 'resnet'\nweights = '{0}'\n\
         [[model]]\nname = 'B'\narch = 'resnet'\nweights = '{0}'\nlayer = 'layer3'\n\
         [[method]]\nid = 'gradcam'\nucag = [false, true]\n[[method]]\nid = 'lrp'\n",
        weights("resnet.safetensors")
    );
    TestRun::with(&config, &[])
}

#[test]
fn a_figure_is_the_same_whatever_the_workers_and_follows_the_list() {
    let lab = lab();
    let output = lab.run(0, &["small.toml", "--out", "one", "--workers", "1"]);
    let said = text(&output.stdout);
    assert!(said.contains("Small") && said.contains("small.png") && !said.contains("small.csv"), "{said}");
    lab.run(0, &["small.toml", "--out", "two", "--workers", "2"]);
    let bytes = |run: &str| std::fs::read(lab.path(run).join("small.png")).unwrap();
    assert_eq!(bytes("one"), bytes("two"));
    assert!(!lab.path("one/samples.csv").exists());
    let provenance: serde_json::Value = serde_json::from_str(&lab.read("one", "run.json")).unwrap();
    assert_eq!(provenance["units"]["done"], 4);

    // The other way round it is another picture, of the same run: nothing is computed.
    let turned = "dataset.samples=['disc_checks_0001', 'val/ring_stripes/ring_stripes_0002']";
    lab.run(0, &["small.toml", "--out", "two", "--set", turned]);
    assert_ne!(bytes("one"), bytes("two"));
    let provenance: serde_json::Value = serde_json::from_str(&lab.read("two", "run.json")).unwrap();
    assert_eq!(provenance["units"]["done_by_earlier_runs"], 4);
    // With a limit, the first of the list is left.
    lab.run(0, &["small.toml", "--out", "two", "--limit", "1"]);
    let [whole, half] = ["one", "two"].map(|run| image::load_from_memory(&bytes(run)).unwrap());
    assert_eq!(half.width(), whole.width());
    assert!(half.height() < whole.height() - 600, "{} and {}", half.height(), whole.height());

    // Plates that are gone are made again.
    let before = bytes("one");
    std::fs::remove_dir_all(lab.path("one/gallery")).unwrap();
    lab.run(0, &["small.toml", "--out", "one"]);
    assert_eq!(bytes("one"), before);
}

#[test]
fn samples_that_are_not_there_are_named() {
    let lab = lab();
    let refused = |samples: &str| {
        let samples = format!("dataset.samples={samples}");
        text(&lab.run(1, &["small.toml", "--out", "one", "--dry-run", "--set", &samples]).stderr)
    };
    let unknown = refused("['ring_stripe_0002']");
    assert!(
        unknown.contains("small.toml: [dataset] samples: ")
            && unknown.contains("no sample 'ring_stripe_0002'; did you mean '"),
        "{unknown}"
    );
    assert!(unknown.contains("ring_stripes_0002'?"), "{unknown}");
    let twice = refused("['ring_stripes_0002', 'val/ring_stripes/ring_stripes_0002']");
    assert!(twice.contains("is the same sample as one above it"), "{twice}");
}

#[test]
fn a_table_can_have_a_figure() {
    let lab = lab();
    let output =
        lab.run(0, &["small.toml", "--out", "one", "--limit", "1", "--set", "metric=[{id='deletion', step=8192}]"]);
    let said = text(&output.stdout);
    assert!(said.contains("small.csv") && said.contains("small.png") && !said.contains("small.svg"), "{said}");
}
