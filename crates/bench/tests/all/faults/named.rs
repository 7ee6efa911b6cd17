//! Names that no file system takes, or that two would share; and sheets that can't be written.

use std::path::Path;

use super::victim::{report, small};
use crate::lab::{TestRun, text, weights};

/// Two classes of two photos each, in a folder and of names as long as a file system takes.
fn long_names(lab: &TestRun) -> Vec<String> {
    let class = |number: u32| format!("n{number:08}");
    let mut classes = String::new();
    let mut ids = Vec::new();
    for number in 0..10 {
        classes += &format!("{}\tclass {number}\n", class(number));
        let folder = lab.path("photos/val").join(class(number));
        std::fs::create_dir_all(&folder).unwrap();
        for letter in ["é", "x"] {
            let name = format!("{}{number}", letter.repeat(250 / letter.len()));
            let photo =
                image::RgbImage::from_fn(12, 12, |x, y| image::Rgb([(x * 20) as u8, (y * 20) as u8, number as u8]));
            photo.save(folder.join(format!("{name}.png"))).unwrap();
            ids.push(name);
        }
    }
    lab.write("photos/classes.txt", &classes);
    ids
}

fn config(name: &str, models: &[&str]) -> String {
    let weights = weights("resnet.safetensors");
    let model =
        |name: &&str| format!("[[model]]\nname = '{name}'\narch = 'resnet'\nweights = '{weights}'\ninput_size = 32\n");
    format!(
        "title = '{name}'\n[dataset]\nname = '{}'\nkind = 'imagenet'\nroot = 'photos'\nlimit = 4\n{}[[method]]\nid = 'gradcam'\n\
         [[metric]]\nid = 'positive-map-density'\n[output]\nresamples = 50\ngallery = 3\n",
        "d".repeat(300),
        models.iter().map(model).collect::<String>()
    )
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_takes_names_that_no_file_system_would() {
    let long = "model ".repeat(60);
    let models = ["A b", "A_b", "a B", &long, &format!("{long}2")];
    let lab = TestRun::with(&config("Small", &models), &["samples.csv"]);
    long_names(&lab);
    lab.run(0, &["small.toml", "--out", "run"]);
    // A sheet and a plate of each of three samples with each of five models, and the index.
    let gallery = names(&lab.path("run/gallery"));
    assert_eq!(gallery.len(), 2 * 3 * 5 + 1, "{gallery:?}");
    assert!(gallery.iter().all(|name| name.len() <= 255));
    // Nothing is missing in it, so that nothing is done again.
    let said = text(&lab.run(0, &["small.toml", "--out", "run"]).stderr);
    assert!(said.contains("resuming: 20 of 20"), "{said}");

    // The maps that the config wants have names that can be written, and are found.
    lab.run(0, &["export-plan", "small.toml", "--out", "plan.csv", "--images", "pictures"]);
    let mut plan = csv::Reader::from_path(lab.path("plan.csv")).unwrap();
    let rows: Vec<std::collections::BTreeMap<String, String>> = plan.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 20);
    for row in &rows {
        let path = lab.path("maps").join(&row["file"]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        bench::io::npy::write(&path, &[0.0, 1.0, 2.0, 3.0], &[2, 2]).unwrap();
        assert!(lab.path(&row["picture"]).is_file());
    }
    lab.write(
        "mine.toml",
        &(config("Mine", &models) + "[[method]]\nkind = 'precomputed'\nname = 'Mine'\nmaps = 'maps'\npost = 'plain'\n"),
    );
    lab.run(0, &["mine.toml", "--out", "mine"]);
    assert_eq!(lab.read("mine", "maps.csv").lines().count(), 21);

    // Shards have the same names.
    for shard in ["1/2", "2/2"] {
        lab.run(0, &["small.toml", "--out", "parts", "--shard", shard]);
    }
    lab.run(0, &["merge", "parts"]);
    assert_eq!(names(&lab.path("parts/gallery")), gallery);
}

#[test]
fn configs_may_be_called_as_the_files_of_a_run_are() {
    let lab = small();
    let long = "c".repeat(250);
    for name in ["maps", "curves", "Samples", &long] {
        lab.write(&format!("{name}.toml"), &lab.read("", "small.toml"));
        for _ in 0..2 {
            lab.run(0, &[&format!("{name}.toml"), "--limit", "2"]);
        }
        let run = format!("results/{name}");
        let tables = names(&lab.path(&run)).into_iter().filter(|file| file.ends_with(".md")).collect::<Vec<_>>();
        let expected = if name == long { format!("{name}.md") } else { format!("{name}-table.md") };
        assert_eq!(tables, [expected]);
        assert!(
            lab.read(&run, "samples.csv").starts_with("dataset,sample,class,"),
            "the list of samples isn't the table"
        );
    }
}

#[test]
fn a_sheet_that_cannot_be_written_is_remarked_on() {
    let lab = small();
    lab.run(0, &["small.toml", "--out", "whole"]);
    // A folder where the first sheet belongs, and one with something in it where the second one's
    // plate does.
    let sheets: Vec<String> =
        names(&lab.path("whole/gallery")).into_iter().filter(|name| name.ends_with(".png")).collect();
    std::fs::create_dir_all(lab.path("run/gallery").join(&sheets[0]).join("in the way")).unwrap();
    let output = lab.run(0, &["small.toml", "--out", "run"]);
    let said = text(&output.stderr);
    assert!(said.contains("no sheet in the gallery: ") && said.contains(&sheets[0]), "{said}");
    let document: serde_json::Value = serde_json::from_str(&lab.read("run", "run.json")).unwrap();
    assert_eq!(document["remarks"].as_array().unwrap().len(), 1, "{document}");
    assert_eq!(document["units"]["failed"], 0);
    let (whole, run) = (report(&lab, "whole"), report(&lab, "run"));
    for file in ["samples.csv", "small.csv", "small.md", "curves.csv"] {
        assert!(whole[file] == run[file], "{file}");
    }
    // What was in the way goes, and the sheet is made.
    std::fs::remove_dir_all(lab.path("run/gallery")).unwrap();
    lab.run(0, &["small.toml", "--out", "run"]);
    assert!(report(&lab, "run") == whole);

    // No gallery at all.
    lab.run(0, &["small.toml", "--out", "bare", "--set", "output.gallery=0"]);
    lab.write("bare/gallery", "a file");
    let said = text(&lab.run(0, &["small.toml", "--out", "bare"]).stderr);
    assert!(said.contains("no sheet in the gallery: "), "{said}");
    assert!(report(&lab, "bare")["samples.csv"] == whole["samples.csv"]);
}
