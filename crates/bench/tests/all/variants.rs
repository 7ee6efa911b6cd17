//! Rows beside those without and with UCAG: lists in a config, and `[[variant]]`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crate::lab::{TestRun, weights};
use crate::support::{GOOD, Scratch};
use bench::config::{Config, ConfigErrors, Overrides, Protocol, load};
use ucag_core::protocol::{Coverage, MapProtocol, Smoothing, ViewWeight};

const BOTH: &str = "'gradcam'\nucag = [false, true]";

fn read(text: &str) -> Result<Config, ConfigErrors> {
    let scratch = Scratch::new();
    load(&scratch.write("x.toml", text), &Overrides::default())
}

fn error(text: &str) -> String {
    let errors = read(text).expect_err("the config was taken").to_string();
    errors.rsplit_once("x.toml").unwrap().1.to_owned()
}

/// Labels, and the labels of what they are compared with.
fn rows(config: &Config) -> Vec<(String, Option<String>)> {
    let against = |place: Option<usize>| place.map(|place| config.variants[place].words());
    config.rows_on(0).map(|(method, variant)| (variant.label(&method.name), against(variant.against))).collect()
}

fn row(label: &str, against: Option<&str>) -> (String, Option<String>) {
    (label.to_owned(), against.map(str::to_owned))
}

#[test]
fn without_lists_there_are_the_two_usual_rows() {
    let config = read(&GOOD.replace("'gradcam'", BOTH)).unwrap();
    assert!(!config.has_variants());
    assert_eq!(rows(&config), [row("GradCAM", None), row("GradCAM + UCAG", Some("without UCAG"))]);
}

#[test]
fn lists_make_a_grid_of_the_rows_in_which_they_make_a_difference() {
    let text = format!("{}[ucag]\nn = [4, 6]\nalpha = [1, 2.6]\n", GOOD.replace("'gradcam'", BOTH));
    let config = read(&text).unwrap();
    let with = |label| row(label, Some("without UCAG"));
    let expected = [
        row("GradCAM", None),
        with("GradCAM + UCAG, n 4, α 1"),
        with("GradCAM + UCAG, n 4, α 2.6"),
        with("GradCAM + UCAG, n 6, α 1"),
        with("GradCAM + UCAG, n 6, α 2.6"),
    ];
    assert_eq!(rows(&config), expected);
    let last = &config.variants.last().unwrap().protocol;
    assert_eq!(Protocol { name: "official".into(), ..last.clone() }, Protocol::official());
    assert_eq!((config.protocol.maps.n, config.protocol.maps.alpha), (4, 1.0), "the first of each list");

    let config =
        read(&format!("{}[protocol]\nscale = [1, 2]\nsmoothing = ['ucag', 'both']\n", GOOD.replace("'gradcam'", BOTH)))
            .unwrap();
    let expected = [
        row("GradCAM, scale 1, smoothing ucag", None),
        row("GradCAM, scale 1, smoothing both", Some("without UCAG, scale 1, smoothing ucag")),
        row("GradCAM, scale 2, smoothing ucag", Some("without UCAG, scale 1, smoothing ucag")),
        row("GradCAM, scale 2, smoothing both", Some("without UCAG, scale 1, smoothing ucag")),
        // UCAG's maps are blurred either way.
        row("GradCAM + UCAG, smoothing ucag", Some("without UCAG, scale 1, smoothing ucag")),
    ];
    assert_eq!(rows(&config), expected);
}

#[test]
fn variants_are_run_in_their_order_each_against_the_one_above() {
    let text = format!(
        "protocol = 'paper'\n{GOOD}[[variant]]\nname = 'plain'\nucag = false\n[[variant]]\nname = 'blurred'\nucag = false\nsmoothing = 'both'\n\
         [[variant]]\nname = 'bare'\nucag = true\nconfidence = 'none'\nalpha = 1\nagainst = 'plain'\n"
    );
    let config = read(&text).unwrap();
    let expected = [
        row("GradCAM, plain", None),
        row("GradCAM, blurred", Some("without UCAG, plain")),
        row("GradCAM + UCAG, bare", Some("without UCAG, plain")),
    ];
    assert_eq!(rows(&config), expected);
    let protocol = &config.variants[2].protocol;
    let name = "paper+alpha=1.0+confidence=none".to_owned();
    let maps = MapProtocol { alpha: 1.0, confidence: ViewWeight::None, ..MapProtocol::paper() };
    assert_eq!(*protocol, Protocol { name, maps, ..Protocol::paper() });
    assert_eq!(config.variants[1].protocol.maps.smoothing, Smoothing::Both);
    assert_eq!(protocol.maps.coverage, Coverage::True);
    // What UCAG can't be around is in the rows without it.
    let config = read(&text.replace("'gradcam'", "'center-point'")).unwrap();
    assert_eq!(config.methods[0].variants, [0, 1]);
}

#[test]
fn a_method_may_be_there_twice_under_another_name() {
    let config = read(&format!(
        "{GOOD}[[method]]\nid = 'rise'\nmasks = 10\n[[method]]\nid = 'rise'\nname = 'RISE, 20 masks'\nmasks = 20\n"
    ));
    let names: Vec<_> = config.unwrap().methods.iter().map(|m| (m.id.clone(), m.name.clone())).collect();
    let name = |id: &str, name: &str| (id.to_owned(), name.to_owned());
    assert_eq!(names, [name("gradcam", "GradCAM"), name("rise", "RISE"), name("RISE, 20 masks", "RISE, 20 masks")]);
}

#[test]
fn what_is_wrong_with_lists_and_variants_is_said() {
    let also = |text: &str| error(&format!("{GOOD}{text}"));
    assert_eq!(also("[ucag]\nn = []"), ":12: [ucag] n: the list is empty");
    assert_eq!(also("[ucag]\nalpha = [1, 2, 1]"), ":12: [ucag] alpha: lists 1 twice");
    assert_eq!(
        also("[ucag]\nalpha = [1, 99]"),
        ":12: [ucag] alpha: alpha = 99: the enlargement must be above 0 and at most 16"
    );
    let many = (2..40).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    assert_eq!(
        also(&format!("[ucag]\nn = [{many}]\nrho = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]")),
        ":13: [ucag] rho: makes a grid of 266 points; at most 256 can be run at once"
    );
    assert_eq!(
        also("[protocol]\nties = ['larger-index-first', 'smaller-index-first']"),
        ":12: [protocol] ties: expected a name, found an array"
    );
    assert_eq!(
        also("[[variant]]\nname = 'a'\nucag = true\n[ucag]\nn = [4, 6]"),
        ":11: variant: lists in [protocol] and [ucag] make variants, too; use one of the two"
    );
    assert_eq!(
        also("[[variant]]\nname = 'a'\nucag = true\n[[variant]]\nname = 'a'\nucag = false"),
        ":15: [[variant]] name: the variant at line 12 is called 'a' too"
    );
    assert_eq!(
        also("[[variant]]\nname = 'plain'\nucag = false\n[[variant]]\nname = 'b'\nucag = true\nagainst = 'plane'"),
        ":17: [[variant]] against: no variant above this one is called 'plane'; did you mean 'plain'?"
    );
    assert_eq!(
        also("[[variant]]\nname = 'b'\nucag = true\nties = 'smaller-index-first'").split(';').next().unwrap(),
        ":14: [[variant]]: unknown key 'ties'"
    );
    assert_eq!(
        also("[[variant]]\nname = 'a'").split(": whether").next().unwrap(),
        ":11: [[variant]]: 'ucag' is missing"
    );
    assert_eq!(
        error(&format!("{}[[variant]]\nname = 'a'\nucag = true\n", GOOD.replace("'gradcam'", BOTH))),
        ":9: [[method]] ucag: each [[variant]] says whether UCAG is around the methods; leave it out here"
    );
}

const TABLES: &[&str] = &["samples.csv", "curves.csv", "small.csv", "small.md"];

fn lab() -> TestRun {
    let config = format!(
        "[dataset]\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = 2\n[[model]]\nname = 'A'\narch = 'resnet'\nweights = '{}'\n\
         [[method]]\nid = 'gradcam'\nucag = [false, true]\n[[method]]\nid = 'random'\nucag = [false, true]\n\
         [[metric]]\nid = 'deletion'\nstep = 4096\n[output]\nresamples = 200\ngallery = 1\n",
        weights("resnet.safetensors")
    );
    TestRun::with(&config, TABLES)
}

/// The values of a run's records by method, UCAG and variant.
fn values(lab: &TestRun, run: &str, ucag: bool, variant: &str) -> Vec<(String, String)> {
    let text = lab.read(run, "samples.csv");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(text.as_bytes()).into_records().map(Result::unwrap).collect();
    let these = rows.iter().filter(|row| row[6] == ucag.to_string() && row[7] == *variant);
    these.map(|row| (format!("{} {}", &row[1], &row[5]), row[9].to_owned())).collect()
}

#[test]
fn a_variant_scores_as_a_run_of_its_own() {
    let lab = lab();
    lab.run(0, &["small.toml", "--out", "usual"]);
    let grid = [
        "--set",
        "ucag.alpha=[1, 2.6]",
        "--set",
        "protocol.coverage=['true', 'plus-one']",
        "--set",
        "protocol.scale=[1, 1.5]",
    ];
    lab.run(0, &[&["small.toml", "--out", "grid", "--workers", "1"], &grid[..]].concat());
    lab.run(0, &[&["small.toml", "--out", "again", "--workers", "2"], &grid[..]].concat());
    lab.assert_same_tables("grid", "again");
    let alone = |run: &str, set: &[&str]| {
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        lab.run(0, &[&["small.toml", "--out", run], &set[..]].concat());
    };
    alone("bare", &["ucag.alpha=1", "protocol.coverage='true'"]);
    alone("large", &["protocol.scale=1.5"]);
    let same = |run: &str, ucag: bool, variant: &str| {
        let (own, in_grid) = (values(&lab, run, ucag, ""), values(&lab, "grid", ucag, variant));
        assert_eq!(own.len(), 4, "two scenes, two methods");
        assert_eq!(own, in_grid, "{run} {ucag} {variant}");
    };
    same("usual", false, "scale 1");
    same("usual", true, "α 2.6, coverage plus-one");
    same("bare", true, "α 1, coverage true");
    same("large", false, "scale 1.5");
    assert_ne!(values(&lab, "large", false, ""), values(&lab, "usual", false, ""));
    // Protocols that differ in how maps are folded share their views. For each of two scenes: 36
    // views for each α, the image and the enlarged one, deletion's two ends, asked once, and the
    // three images between them for each of twelve rows.
    let provenance: serde_json::Value = serde_json::from_str(&lab.read("grid", "run.json")).unwrap();
    assert_eq!(provenance["views_through_the_networks"][0]["views"], 2 * (2 * 36 + 2 + 2 + 12 * 3));
}
