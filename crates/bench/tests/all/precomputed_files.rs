//! Maps from files that are missing, damaged, late or changed; and what a plan lists.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::process::Command;

use crate::lab::{TestRun, text, weights};
use bench::io::npy;

const TABLES: &[&str] = &["samples.csv", "small.csv", "small.md"];

fn lab(kind: &str, more: &str) -> TestRun {
    let config = format!(
        "title = 'Small'\nseed = 3\n[dataset]\nname = 'Scenes'\nkind = '{kind}'\nroot = 'data'\nlimit = 4\n\
         [[model]]\nname = '../A'\narch = 'resnet'\nweights = '{}'\n[[method]]\nid = 'random'\n[[method]]\nkind = 'precomputed'\n\
         name = 'Mine'\nmaps = 'maps'\npost = 'plain'\n{more}[output]\nresamples = 50\ngallery = 0\n",
        weights("resnet.safetensors")
    );
    TestRun::with(&config, TABLES)
}

const DELETION: &str = "[[metric]]\nid = 'deletion'\nstep = 8192\n";

type Row = BTreeMap<String, String>;

fn plan(lab: &TestRun, arguments: &[&str]) -> Vec<Row> {
    lab.run(0, &[&["export-plan", "small.toml", "--out", "plans/plan.csv"], arguments].concat());
    csv::Reader::from_path(lab.path("plans/plan.csv")).unwrap().deserialize().map(Result::unwrap).collect()
}

/// A map of 2 × 3 that rises to the right.
fn make(lab: &TestRun, row: &Row) {
    write(lab, row, &[0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
}

fn write(lab: &TestRun, row: &Row, values: &[f32]) {
    let path = lab.path("maps").join(&row["file"]);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    npy::write(&path, values, &[1, 2, 3]).unwrap();
}

fn error(lab: &TestRun, code: i32, arguments: &[&str]) -> String {
    text(&lab.run(code, arguments).stderr)
}

#[test]
fn a_plan_lists_what_is_wanted() {
    let lab = lab("mini-imagefolder", DELETION);
    let without = plan(&lab, &[]);
    assert_eq!(without.len(), 4);
    let first = &without[0];
    let expected = [
        ("dataset", "Scenes"),
        ("sample", "val/disc_checks/disc_checks_0001"),
        ("class", "0"),
        ("class_name", "checked disc"),
        ("model", "../A"),
        ("file", "Scenes/%2E.%2FA/val/disc_checks/disc_checks_0001_0.npy"),
        ("photo", "data/val/disc_checks/disc_checks_0001.png"),
        ("picture", ""),
        ("height", "128"),
        ("width", "128"),
        ("mean", "0.485 0.456 0.406"),
        ("std", "0.229 0.224 0.225"),
        ("arch", "resnet"),
        ("weights", &weights("resnet.safetensors")),
        ("layer", "layer4.0.relu_1"),
    ];
    assert_eq!(first, &expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    // With pictures, it is the same but for them.
    let with = plan(&lab, &["--images", "pictures", "--limit", "2"]);
    assert_eq!(with.len(), 2);
    for (with, without) in with.iter().zip(&without) {
        let mut with = with.clone();
        let picture = image::open(lab.path(&with.insert("picture".into(), String::new()).unwrap())).unwrap().to_rgb8();
        assert_eq!(&with, without);
        let photo = datasets::image::decode::decode(&lab.path(&with["photo"])).unwrap();
        assert!(picture == datasets::image::preprocess::squash(&photo, 128, 128));
    }
}

#[test]
fn a_sample_that_cannot_be_read_is_left_out_of_the_plan() {
    let lab = lab("mini-imagefolder", DELETION);
    let all = plan(&lab, &[]);
    std::fs::write(lab.path(&all[2]["photo"]), "no image").unwrap();
    let said = error(&lab, 3, &["export-plan", "small.toml", "--out", "plan.csv", "--images", "pictures"]);
    assert!(said.contains("disc_checks_0003 with ../A: ") && said.contains("disc_checks_0003.png"), "{said}");
    let kept = std::fs::read_to_string(lab.path("plan.csv")).unwrap();
    assert_eq!(kept.lines().count(), 4, "a head and three samples: {kept}");
}

#[test]
fn missing_maps_are_said_at_once() {
    let lab = lab("mini-imagefolder", DELETION);
    let none = error(&lab, 2, &["small.toml", "--dry-run"]);
    let expected = "the maps of 'Mine': there is no folder maps; `bench export-plan` lists the maps that are wanted";
    assert!(none.contains(expected), "{none}");
    let rows = plan(&lab, &[]);
    std::fs::create_dir(lab.path("maps")).unwrap();
    let none = error(&lab, 2, &["small.toml"]);
    let first = "none of 4 is there; the first would be maps/Scenes/%2E.%2FA/val/disc_checks/disc_checks_0001_0.npy";
    assert!(none.contains(first), "{none}");
    assert!(!lab.path("results").exists(), "nothing was run");

    make(&lab, &rows[2]);
    let said = text(&lab.run(0, &["small.toml", "--dry-run"]).stdout);
    let line = said.lines().find(|line| line.starts_with("maps ")).unwrap();
    assert!(line.starts_with("maps       Mine: 3 of 4 maps are missing: maps/Scenes/"), "{line}");
    assert!(line.ends_with("disc_checks_0004_0.npy") && !line.contains("0003"), "{line}");
    rows.iter().for_each(|row| make(&lab, row));
    let said = text(&lab.run(0, &["small.toml", "--dry-run"]).stdout);
    assert!(said.contains("maps       Mine: 4 of 4 maps are in maps\n"), "{said}");
}

#[test]
fn a_missing_or_damaged_map_fails_its_sample_and_is_made_up_for() {
    let lab = lab("mini-imagefolder", DELETION);
    let rows = plan(&lab, &[]);
    rows.iter().for_each(|row| make(&lab, row));
    lab.run(0, &["small.toml", "--out", "whole", "--workers", "1"]);
    lab.run(0, &["small.toml", "--out", "two", "--workers", "2"]);
    lab.assert_same_tables("whole", "two");

    let map = |row: usize| lab.path("maps").join(&rows[row]["file"]);
    let good = std::fs::read(map(3)).unwrap();
    std::fs::remove_file(map(1)).unwrap();
    std::fs::write(map(3), "no map").unwrap();
    let said = error(&lab, 3, &["small.toml", "--out", "run"]);
    assert!(said.contains("Mine: 1 of 4 maps are missing: maps/"), "{said}");
    let failures = lab.read("run", "failures.csv");
    assert_eq!(failures.lines().count(), 3, "a head and two samples: {failures}");
    assert!(failures.contains("disc_checks_0002_0.npy: there is no such map; `bench export-plan` lists"), "{failures}");
    assert!(failures.contains("disc_checks_0004_0.npy: isn't a .npy file; np.save writes one"), "{failures}");

    // A missing map may come later; a damaged one was there, and is another now.
    make(&lab, &rows[1]);
    lab.run(3, &["small.toml", "--out", "run"]);
    assert_eq!(lab.read("run", "failures.csv").lines().count(), 2);
    std::fs::write(map(3), &good).unwrap();
    assert!(
        error(&lab, 1, &["small.toml", "--out", "run"]).contains("disc_checks_0004_0.npy has changed; put them back")
    );
    lab.run(0, &["small.toml", "--out", "run", "--fresh"]);
    lab.assert_same_tables("whole", "run");
}

#[test]
fn a_run_does_not_go_on_with_other_maps() {
    let lab = lab("mini-imagefolder", DELETION);
    let rows = plan(&lab, &[]);
    rows.iter().for_each(|row| make(&lab, row));
    lab.run(0, &["small.toml", "--out", "whole"]);
    lab.run(0, &["small.toml", "--out", "run", "--limit", "2"]);
    let list = lab.read("run", "maps.csv");
    assert_eq!(list.lines().next(), Some("method,ucag,variant,file,sha256"));
    assert_eq!(list.lines().count(), 3);
    // A map of a sample that wasn't run may be another; one that was may not, not even if the
    // sample isn't asked for.
    write(&lab, &rows[3], &[5.0; 6]);
    make(&lab, &rows[3]);
    write(&lab, &rows[1], &[5.0, 4.0, 3.0, 2.0, 1.0, 0.0]);
    for limit in ["1", "4"] {
        let said = error(&lab, 1, &["small.toml", "--out", "run", "--limit", limit]);
        assert!(said.contains("run: holds a run with other maps: maps/Scenes/"), "{said}");
        assert!(said.contains("disc_checks_0002_0.npy has changed; put them back, start over with --fresh"), "{said}");
    }
    std::fs::remove_file(lab.path("maps").join(&rows[1]["file"])).unwrap();
    let said = error(&lab, 1, &["small.toml", "--out", "run"]);
    assert!(said.contains("disc_checks_0002_0.npy is gone; put them back"), "{said}");
    assert_eq!(lab.read("run", "maps.csv"), list);
    make(&lab, &rows[1]);
    // Where the folder is doesn't matter, what is in it does.
    std::fs::rename(lab.path("maps"), lab.path("moved")).unwrap();
    lab.run(0, &["small.toml", "--out", "run", "--set", "method.1.maps=moved"]);
    assert_eq!(lab.read("run", "maps.csv").lines().count(), 5);
    for file in ["samples.csv", "small.csv"] {
        assert_eq!(lab.read("run", file), lab.read("whole", file));
    }
}

#[test]
fn degenerate_maps_are_counted_not_failed() {
    let lab = lab("mini-imagefolder", DELETION);
    let rows = plan(&lab, &[]);
    let maps = [[f32::NAN, 1.0, 0.0, 0.0, 0.0, 0.0], [f32::INFINITY; 6], [0.0; 6], [2.0; 6]];
    rows.iter().zip(&maps).for_each(|(row, values)| write(&lab, row, values));
    lab.run(0, &["small.toml", "--out", "run"]);
    let samples = lab.read("run", "samples.csv");
    let states: Vec<&str> =
        samples.lines().filter(|line| line.contains(",Mine,")).map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(states, ["non-finite", "non-finite", "all-zero", "constant"]);
}

#[test]
fn a_constant_map_of_any_value_and_size_scores_as_no_map_does() {
    let lab = lab("mini-imagefolder", DELETION);
    let rows = plan(&lab, &[]);
    for (row, (value, side)) in rows.iter().zip([(0.1, 8), (0.3, 8), (0.7, 1), (0.0, 200)]) {
        let path = lab.path("maps").join(&row["file"]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        npy::write(&path, &vec![value; (side * side) as usize], &[side, side]).unwrap();
    }
    let uniform = ["--set", "method.0.id=uniform"];
    lab.run(0, &[&["small.toml", "--out", "run"][..], &uniform].concat());
    let samples = lab.read("run", "samples.csv");
    let of = |method: &str| -> Vec<(&str, &str)> {
        let lines = samples.lines().filter(|line| line.contains(&format!(",{method},")));
        lines.map(|line| line.rsplitn(3, ',').take(2).collect::<Vec<_>>()).map(|cells| (cells[1], cells[0])).collect()
    };
    let states: Vec<&str> = of("Mine").iter().map(|(_, state)| *state).collect();
    assert_eq!(states, ["constant", "constant", "constant", "all-zero"]);
    let values = |method| of(method).iter().map(|(value, _)| *value).collect::<Vec<_>>();
    assert_eq!(values("Mine"), values("uniform"), "all of them are the map with every pixel tied");
}

#[test]
fn a_heat_map_is_clipped_at_zero_and_never_turned_round() {
    let lab = lab("mini-imagefolder", DELETION);
    let rows = plan(&lab, &[]);
    let negative = [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0];
    let maps = [[3.0, 1.0, 2.0, 0.0, 5.0, 4.0], [0.0; 6], negative, [0.0, -2.0, -3.0, -4.0, -5.0, -6.0]];
    rows.iter().zip(&maps).for_each(|(row, values)| write(&lab, row, values));
    lab.run(0, &["small.toml", "--out", "run", "--set", "method.1.post=heat"]);
    let states = |run: &str| -> Vec<String> {
        let samples = lab.read(run, "samples.csv");
        let mine = samples.lines().filter(|line| line.contains(",Mine,"));
        mine.map(|line| line.rsplit(',').next().unwrap().to_owned()).collect()
    };
    assert_eq!(states("run"), ["ok", "all-zero", "all-zero", "all-zero"]);
    // Negative values among positive ones count as zero, whatever they are.
    let scores = |run: &str, low: f32| {
        write(&lab, &rows[0], &[3.0, low, 2.0, 0.0, 5.0, 4.0]);
        lab.run(0, &["small.toml", "--out", run, "--set", "method.1.post=heat"]);
        lab.read(run, "samples.csv")
    };
    assert_eq!(scores("below", -7.0), scores("zero", 0.0));
    // With another `post`, the order of all values counts.
    lab.run(0, &["small.toml", "--out", "plain"]);
    assert_eq!(states("plain"), ["ok", "all-zero", "ok", "ok"]);
}

#[test]
fn precision_and_order_of_axes_change_nothing() {
    use npyz::WriterBuilder;
    let lab = lab("mini-imagefolder", DELETION);
    let rows = plan(&lab, &[]);
    rows.iter().for_each(|row| write(&lab, row, &[3.0, 1.0, 2.0, 0.0, 5.0, 4.0]));
    lab.run(0, &["small.toml", "--out", "single"]);
    for row in &rows {
        let file = std::fs::File::create(lab.path("maps").join(&row["file"])).unwrap();
        let options = npyz::WriteOptions::<f64>::new().default_dtype().order(npyz::Order::Fortran).shape(&[2, 3]);
        let mut writer = options.writer(file).begin_nd().unwrap();
        // Column by column.
        writer.extend([3.0, 0.0, 1.0, 5.0, 2.0, 4.0]).unwrap();
        writer.finish().unwrap();
    }
    lab.run(0, &["small.toml", "--out", "double"]);
    let values = |run: &str| -> Vec<f64> {
        let samples = lab.read(run, "samples.csv");
        let mine = samples.lines().filter(|line| line.contains(",Mine,"));
        mine.map(|line| line.rsplit(',').nth(1).unwrap().parse().unwrap()).collect()
    };
    let (single, double) = (values("single"), values("double"));
    assert_eq!(single.len(), 4);
    for (single, double) in single.iter().zip(&double) {
        assert!((single - double).abs() < 1e-6, "{single} is not {double}");
    }
}

#[test]
fn data_sets_have_folders_of_their_own() {
    let set = |name: &str, limit: usize| {
        format!("[[dataset]]\nname = '{name}'\nkind = 'mini-imagefolder'\nroot = 'data'\nlimit = {limit}\n")
    };
    let model = |on: &str| {
        format!(
            "[[model]]\ndataset = '{on}'\nname = 'R'\narch = 'resnet'\nweights = '{}'\n",
            weights("resnet.safetensors")
        )
    };
    let mine = |name: &str, more: &str| {
        format!("[[method]]\nkind = 'precomputed'\nname = '{name}'\nmaps = 'maps'\npost = 'plain'\n{more}")
    };
    let config = [
        set("One", 2),
        set("Two", 1),
        model("One"),
        model("Two"),
        mine("Mine", ""),
        mine("Only", "dataset = 'Two'\n"),
        DELETION.into(),
        "[output]\nresamples = 50\ngallery = 1\n".into(),
    ];
    let lab = TestRun::with(&config.concat(), TABLES);
    let rows = plan(&lab, &[]);
    let files: Vec<&str> = rows.iter().map(|row| &*row["file"]).collect();
    let file = |set: &str, number: usize| format!("{set}/R/val/disc_checks/disc_checks_000{number}_0.npy");
    assert_eq!(files, [file("One", 1), file("One", 2), file("Two", 1)]);
    rows.iter().for_each(|row| make(&lab, row));
    let said = text(&lab.run(0, &["small.toml", "--dry-run"]).stdout);
    assert!(
        said.contains("Mine: 3 of 3 maps are in maps\n") && said.contains("Only: 1 of 1 maps are in maps\n"),
        "{said}"
    );
    lab.run(0, &["small.toml", "--out", "run"]);
    assert_eq!(lab.read("run", "samples.csv").lines().count(), 1 + 3 + 1);
    // Of the same maps, the same numbers.
    let samples = lab.read("run", "samples.csv");
    let values: Vec<&str> =
        samples.lines().filter(|line| line.contains("0001,")).map(|line| line.rsplit(',').nth(1).unwrap()).collect();
    assert!(values.len() == 3 && values.iter().all(|value| value == &values[0]), "{samples}");
}

#[test]
fn where_the_network_chooses_any_class_of_a_sample_counts_as_there() {
    let lab = lab("mini-imagenet-seg", "[[metric]]\nid = 'map'\n");
    let rows = plan(&lab, &[]);
    make(&lab, &rows[0]);
    // Of another class than the network's, which only the run can know.
    let mut other = rows[1].clone();
    let wanted = other["file"].clone();
    let class = &rows[1]["class"];
    other.insert("file".into(), wanted.replace(&format!("_{class}.npy"), "_77.npy"));
    make(&lab, &other);
    let said = text(&lab.run(0, &["small.toml", "--dry-run"]).stdout);
    assert!(said.contains("Mine: 2 of 4 maps are missing: maps/Scenes/%2E.%2FA/00003_<class>.npy, "), "{said}");
    lab.run(3, &["small.toml", "--out", "run"]);
    let failures = lab.read("run", "failures.csv");
    assert_eq!(failures.lines().count(), 4, "{failures}");
    assert!(failures.contains(&format!("{wanted}: there is no such map")), "{failures}");
}

/// A Python that has NumPy and Pillow: `PYTHON` where it is set, else `python3`.
fn python() -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python).args(["-c", "import numpy, PIL"]).output().is_ok_and(|out| out.status.success());
    has.then_some(python)
}

#[test]
#[allow(clippy::print_stderr, reason = "people should know what wasn't tested")]
fn the_example_in_python_makes_a_table() {
    let Some(python) = python() else {
        eprintln!("skipped: no Python with NumPy and Pillow (pip install numpy pillow, or name one with PYTHON)");
        return;
    };
    let lab = lab("mini-imagefolder", DELETION);
    let rows = plan(&lab, &["--images", "pictures"]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/examples/precomputed.py");
    let made =
        Command::new(python).args([script, "plans/plan.csv", "maps"]).current_dir(lab.path("")).output().unwrap();
    assert!(made.status.success(), "{}", text(&made.stderr));
    lab.run(0, &["small.toml", "--out", "run"]);
    assert!(lab.read("run", "small.csv").lines().any(|line| line.contains(",Mine,false,")));
    // The map that Python wrote is the formula's, worked out here.
    let picture = image::open(lab.path(&rows[0]["picture"])).unwrap().to_rgb8();
    let pixels = f64::from(picture.width() * picture.height());
    let mean = [0, 1, 2].map(|c| picture.pixels().map(|pixel| f64::from(pixel.0[c])).sum::<f64>() / pixels);
    let map = npy::Array::read(&lab.path("maps").join(&rows[0]["file"])).unwrap();
    assert_eq!(map.shape, [128, 128]);
    for (value, pixel) in map.values.into_single().into_iter().zip(picture.pixels()) {
        let expected = (0..3).map(|c| (f64::from(pixel.0[c]) - mean[c]).powi(2)).sum::<f64>().sqrt();
        assert!((f64::from(value) - expected).abs() < 1e-3 * expected.max(1.0), "{value} is not {expected}");
    }
}
