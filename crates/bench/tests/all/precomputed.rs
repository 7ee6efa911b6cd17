//! Maps from files: those that this program wrote itself score as the methods that they are of, to
//! the last bit; the others are found, missed and refused as they should be.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};

use crate::lab::{TestRun, text, weights};
use bench::config::Resize;
use bench::io::npy;
use bench::run::input::input;
use ucag_core::network::Network;

const TABLES: &[&str] = &["samples.csv", "small.csv"];

/// A config with one data set; `methods` and `metrics` are TOML.
fn lab(kind: &str, limit: usize, methods: &str, metrics: &[&str]) -> TestRun {
    let metrics: String = metrics.iter().map(|id| format!("[[metric]]\nid = '{id}'\n")).collect();
    let config = format!(
        "title = 'Small'\nseed = 3\n[dataset]\nname = 'Scenes'\nkind = '{kind}'\nroot = 'data'\nlimit = {limit}\n\
         [[model]]\nname = 'A/1'\narch = 'resnet'\nweights = '{}'\n{methods}{metrics}[output]\nresamples = 50\ngallery = 1\n",
        weights("resnet.safetensors")
    );
    TestRun::with(&config, TABLES)
}

/// A row of a plan, by column.
type Row = BTreeMap<String, String>;

fn plan(lab: &TestRun, arguments: &[&str]) -> Vec<Row> {
    lab.run(0, &[&["export-plan", "small.toml", "--out", "plan.csv"], arguments].concat());
    let mut csv = csv::Reader::from_path(lab.path("plan.csv")).unwrap();
    csv.deserialize().map(Result::unwrap).collect()
}

/// Explains every row of the plan and puts the raw maps where they belong in `folder`; `seen` says
/// what a row's input is.
fn explain(lab: &TestRun, plan: &[Row], seen: &impl Fn(&Row) -> [String; 2], folder: &str, more: &[&str]) {
    for row in plan {
        let arguments = ["explain", "--arch", &row["arch"], "--weights", &row["weights"], "--class", &row["class"]];
        let input = seen(row);
        let arguments = [&arguments[..], &input.each_ref().map(String::as_str), &["--out", "one"], more].concat();
        // As a run's workers compute: the last bits may depend on the number of threads.
        let output = lab.command(&arguments).env("OMP_NUM_THREADS", "1").output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let file = lab.path(folder).join(&row["file"]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::rename(lab.path("one/raw.npy"), file).unwrap();
    }
}

/// The values of a method's records, with what they are of.
fn values(lab: &TestRun, run: &str, method: &str) -> Vec<(String, String)> {
    let journal = lab.read(run, "records.jsonl");
    let mut values = Vec::new();
    for line in journal.lines().skip(1) {
        let unit: serde_json::Value = serde_json::from_str(line).unwrap();
        for record in unit["outcome"]["Ok"].as_array().unwrap() {
            if record["method"] == method {
                let mut record = record.clone();
                let value =
                    (record["value"].clone(), record["curve"].take(), record["counts"].take(), record["map"].take());
                record["value"].take();
                record["method"].take();
                values.push((record.to_string(), format!("{value:?}")));
            }
        }
    }
    values
}

/// A method and its maps from files, made by `bench explain`, without UCAG and with it.
fn both(id: &str, map_kind: &str) -> String {
    format!(
        "[[method]]\nid = '{id}'\nucag = [false, true]\n[[method]]\nkind = 'precomputed'\nname = 'My {id}'\nmaps = 'maps/{id}'\n\
         maps_with_ucag = 'folded/{id}'\npost = '{map_kind}'\n"
    )
}

/// Makes the maps, runs, and expects so many values of each method, the same to the last bit, from
/// its maps.
fn compare(lab: &TestRun, plan: &[Row], seen: impl Fn(&Row) -> [String; 2], ids: &[&str], count: usize) {
    for id in ids {
        explain(lab, plan, &seen, &format!("maps/{id}"), &["--method", id]);
        explain(lab, plan, &seen, &format!("folded/{id}"), &["--method", id, "--ucag"]);
    }
    lab.run(0, &["small.toml", "--out", "run"]);
    for id in ids {
        let (mine, theirs) = (values(lab, "run", &format!("My {id}")), values(lab, "run", id));
        assert_eq!(mine.len(), count, "{id}");
        for (mine, theirs) in mine.iter().zip(&theirs) {
            assert_eq!(mine, theirs, "{id}");
        }
        // UCAG's maps are others, so that the comparison says something.
        let with = |row: &&(String, String)| row.0.contains("\"ucag\":true");
        assert_eq!(mine.iter().filter(with).count(), count / 2);
        let of = |row: &(String, String)| (row.0.replace("true", "false"), row.1.clone());
        assert!(mine.iter().filter(with).any(|row| !mine.contains(&of(row))), "{id}");
    }
}

fn photo(row: &Row) -> [String; 2] {
    ["--image".into(), row["photo"].clone()]
}

#[test]
fn maps_that_were_written_here_score_as_their_methods() {
    let methods = [both("gradcam", "cam"), both("mwp", "heat"), both("edge", "plain")].concat();
    let lab = lab("mini-imagefolder", 2, &methods, &["deletion", "insertion"]);
    let plan = plan(&lab, &[]);
    assert_eq!(plan.len(), 2);
    // Samples, without UCAG and with it, metrics.
    compare(&lab, &plan, photo, &["gradcam", "mwp", "edge"], 2 * 2 * 2);
    let table = lab.read("run", "small.csv");
    assert!(table.lines().any(|line| line.contains(",My mwp,true,") && line.contains(",precomputed,")), "{table}");
    let page = lab.read("run", "small.md");
    assert!(page.contains("| My gradcam + UCAG |"), "{page}");
    let about =
        "- My mwp: maps that were made elsewhere, `maps/mwp` and `folded/mwp` (with UCAG), finished as heat maps are.";
    assert!(page.contains(about), "{page}");
    assert!(lab.path("run/gallery/index.png").exists());
}

#[test]
fn so_do_they_in_pointing_games() {
    let methods = [both("gradcam", "cam"), both("mwp", "heat")].concat();
    let lab = lab("mini-voc07", 2, &methods, &["pointing", "energy"]);
    let plan = plan(&lab, &[]);
    let photos: BTreeSet<&String> = plan.iter().map(|row| &row["sample"]).collect();
    assert!(plan.len() > photos.len(), "every photo has one class only");
    // On two threads, resizing differed in the last bits here.
    tch::set_num_threads(1);
    let network = Network::load("resnet", weights("resnet.safetensors").as_ref()).unwrap();
    // The photo isn't squashed there, so what the network sees is handed over as numbers.
    let seen = |row: &Row| {
        let photo = datasets::image::decode::decode(&lab.path(&row["photo"])).unwrap();
        let image = input(&photo, &network, network.input_size, Resize::ShorterSide).unwrap().image;
        let size = image.size();
        assert_eq!([&row["height"], &row["width"]], [&size[2].to_string(), &size[3].to_string()]);
        let values = Vec::<f32>::try_from(&image.view([-1])).unwrap();
        let path = lab.path("input.npy");
        npy::write(&path, &values, &[3, size[2] as u64, size[3] as u64]).unwrap();
        ["--input".into(), path.display().to_string()]
    };
    let games = {
        // What the plan wants is what is scored: released pairs that aren't counted are scored by
        // the energy game alone.
        lab.run(0, &["small.toml", "--out", "gradcam", "--set", "method=[{id='gradcam'}]"]);
        values(&lab, "gradcam", "gradcam").len()
    };
    compare(&lab, &plan, seen, &["gradcam", "mwp"], games * 2);
}

#[test]
fn so_do_they_where_the_network_chooses_the_class() {
    let lab = lab("mini-imagenet-seg", 3, &both("lrp", "signed"), &["map", "pixel-accuracy", "mean-iou"]);
    let plan = plan(&lab, &["--images", "pictures"]);
    assert_eq!(plan.len(), 3);
    assert!(plan.iter().all(|row| row["photo"].is_empty()), "all images are in one file");
    // The picture is exactly what the network sees, at its size.
    let seen = |row: &Row| ["--image".to_owned(), row["picture"].clone()];
    compare(&lab, &plan, seen, &["lrp"], 3 * 2 * 3);
}
