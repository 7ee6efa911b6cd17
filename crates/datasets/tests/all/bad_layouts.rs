//! Messages to the user where files are missing or don't fit.

use crate::common::{Root, reversed_ids};

const FLAT: [&str; 3] =
    ["val/ILSVRC2012_val_00000001.JPEG", "val/ILSVRC2012_val_00000002.JPEG", "val/ILSVRC2012_val_00000003.JPEG"];
const SYNSETS: &str = "imagenet_2012_validation_synset_labels.txt";
const TRUTH: &str = "ILSVRC2012_validation_ground_truth.txt";
const KAGGLE: &str = "LOC_val_solution.csv";

fn kaggle(rows: &str) -> String {
    Root::with(&FLAT).file(KAGGLE, format!("ImageId,PredictionString\n{rows}")).error()
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no {part:?} in:\n{message}");
    }
}

#[test]
fn unknown_kind() {
    let error = datasets::open("imagnet", &datasets::Source::at(std::path::Path::new("."))).err().unwrap().to_string();
    let known =
        "imagenet, voc07-test, coco14-val, imagenet-seg, mini-imagefolder, mini-voc07, mini-coco14, mini-imagenet-seg";
    assert_eq!(error, format!("unknown data set `imagnet`; there are: {known}"));
}

#[test]
fn missing_root_says_layout_and_source() {
    let root = Root::new();
    let error =
        datasets::open("imagenet", &datasets::Source::at(&root.path().join("nowhere"))).err().unwrap().to_string();
    assert_says(
        &error,
        &[
            "not found:\n",
            "nowhere",
            "expected layout:\n",
            "ROOT/val/n01440764/",
            "how to get it:\n",
            "https://image-net.org",
        ],
    );
}

#[test]
fn empty_root_names_both_layouts() {
    assert_says(
        &Root::new().error(),
        &["ROOT/val/n01440764\n", "ROOT/val/ILSVRC2012_val_00000001.JPEG\n", "expected layout:"],
    );
}

#[test]
fn flat_without_labels_names_every_labels_file() {
    let error = Root::with(&FLAT).error();
    assert_says(&error, &[&format!("ROOT/{SYNSETS}\n"), &format!("ROOT/{KAGGLE}\n"), &format!("ROOT/{TRUTH}\n")]);
}

#[test]
fn unknown_class_folder() {
    let error = Root::with(&["val/n01440764/a.JPEG", "val/cats/b.JPEG"]).error();
    assert_says(&error, &["ROOT/val/cats: this folder is not one of the 1000 classes", "ROOT/classes.txt"]);
}

#[test]
fn empty_class_folders_are_all_named() {
    let error = Root::with(&["val/n01440764/a.JPEG", "val/n01443537/readme.txt", "val/n01484850/a.gif"]).error();
    assert_eq!(error, "ROOT/val: class folders without an image: n01443537, n01484850; fill or remove them");
}

#[test]
fn both_layouts_at_once() {
    let error = Root::with(&["val/n01440764/a.JPEG", FLAT[0]]).error();
    assert_eq!(
        error,
        "ROOT/val: holds both class folders (n01440764) and images (ILSVRC2012_val_00000001.JPEG); use one layout"
    );
}

#[test]
fn two_images_with_one_id() {
    let error = Root::with(&["n01440764/a.JPEG", "n01440764/a.png"]).error();
    assert_says(&error, &["ROOT/n01440764/a.png: another image has this name with another extension"]);
}

#[test]
fn bad_class_list() {
    let error = Root::with(&["x/a.png"]).file("classes.txt", "x\nx\n").error();
    assert_eq!(error, "ROOT/classes.txt:2: class `x` is already on line 1");
    let error = Root::with(&["x/a.png"]).file("classes.txt", [0xff, 0xfe]).error();
    assert_says(&error, &["ROOT/classes.txt: is text in UTF-16 (Notepad's \"Unicode\"); save it as UTF-8"]);
    let error = Root::with(&["x/a.png"]).file("classes.txt", [b'x', 0xff]).error();
    assert_says(&error, &["ROOT/classes.txt: stream did not contain valid UTF-8"]);
}

#[test]
fn more_labels_than_images() {
    let error = Root::with(&FLAT).file(SYNSETS, "n01440764\n".repeat(5)).error();
    assert_eq!(
        error,
        format!("ROOT/{SYNSETS}: has 5 labels, but the folder has 3 images; one of the two is incomplete")
    );
}

#[test]
fn gap_in_the_images() {
    let error = Root::with(&[FLAT[0], FLAT[2]]).file(SYNSETS, "n01440764\n".repeat(2)).error();
    assert_says(
        &error,
        &["line 2 is for ILSVRC2012_val_00000002.JPEG", "image 2 of the folder is ILSVRC2012_val_00000003.JPEG"],
    );
}

#[test]
fn unknown_wnid_with_its_line() {
    let error = Root::with(&FLAT).file(SYNSETS, "n01440764\nn00000000\nn01440764\n").error();
    assert_eq!(error, format!("ROOT/{SYNSETS}:2: `n00000000` is not the wnid of a class"));
}

#[test]
fn ground_truth_without_the_table_of_ids() {
    let error = Root::with(&FLAT).file(TRUTH, "490\n361\n171\n").error();
    assert_says(
        &error,
        &[
            "holds ILSVRC ids, whose order is not that of the wnids",
            "ROOT/map_clsloc.txt is not there",
            "scipy.io.loadmat('meta.mat'",
        ],
    );
}

#[test]
fn ground_truth_lines() {
    let truth = |text: &str| Root::with(&FLAT).file(TRUTH, text).file("map_clsloc.txt", reversed_ids()).error();
    assert_eq!(truth("1\n0\n3\n"), format!("ROOT/{TRUTH}:2: expected an ILSVRC id from 1 to 1000, found \"0\""));
    assert_eq!(truth("1\n2\n1001\n"), format!("ROOT/{TRUTH}:3: expected an ILSVRC id from 1 to 1000, found \"1001\""));
    assert_eq!(truth("1\n\n3\n"), format!("ROOT/{TRUTH}:2: expected an ILSVRC id from 1 to 1000, found \"\""));
}

#[test]
fn table_of_ids() {
    let table = |text: String| Root::with(&FLAT).file(TRUTH, "1\n2\n3\n").file("map_clsloc.txt", text).error();
    assert_eq!(table("n01440764 1\n".into()), "ROOT/map_clsloc.txt: has 1 of the 1000 classes");
    assert_eq!(
        table("n01440764 1\nn01440764 2\n".into()),
        "ROOT/map_clsloc.txt:2: wnid `n01440764` or id 2 is given twice"
    );
    assert_eq!(
        table("n01440764 1\nn01443537 1\n".into()),
        "ROOT/map_clsloc.txt:2: wnid `n01443537` or id 1 is given twice"
    );
    assert_says(&table("n01440764 0\n".into()), &["ROOT/map_clsloc.txt:1: expected a wnid and an id from 1 to 1000"]);
    assert_says(&table("1 n01440764\n".into()), &["ROOT/map_clsloc.txt:1: `1` is not the wnid of a class"]);
}

#[test]
fn kaggle_rows() {
    let name = "ILSVRC2012_val_0000000";
    let row = |number: u8| format!("{name}{number},n01440764 1 2 3 4\n");
    assert_eq!(kaggle(&row(1)), format!("ROOT/{KAGGLE}: has no row for image {name}2.JPEG"));
    assert_eq!(
        kaggle(&(1..5).map(row).collect::<String>()),
        format!("ROOT/{KAGGLE}: has 4 rows, but the folder has 3 images; images are missing")
    );
    assert_eq!(kaggle(&(row(1) + &row(1))), format!("ROOT/{KAGGLE}:3: image `{name}1` has a row already"));
    assert_says(
        &kaggle(&format!("{name}1,n01440764 1 2 3\n")),
        &[&format!("ROOT/{KAGGLE}:2: expected groups of a wnid and four coordinates")],
    );
    assert_says(&kaggle(&format!("{name}1,\n")), &[":2: expected groups of a wnid and four coordinates, found \"\""]);
    assert_says(&kaggle(&format!("{name}1,n00000000 1 2 3 4\n")), &[":2: `n00000000` is not the wnid of a class"]);
    assert_says(
        &kaggle(&format!("{name}1,n01440764 1 2 3 4 n01443537 1 2 3 4\n")),
        &[":2: names two classes, `n01440764` and `n01443537`"],
    );
    assert_says(&kaggle(&format!("{}{name}2\n", row(1))), &[&format!("ROOT/{KAGGLE}:3: not a row of the CSV")]);
}

#[test]
fn kaggle_header() {
    let error = Root::with(&FLAT).file(KAGGLE, "id,label\n").error();
    assert_says(
        &error,
        &["ROOT/LOC_val_solution.csv:1: expected the header `ImageId,PredictionString`, found [\"id\", \"label\"]"],
    );
}

#[cfg(unix)]
#[test]
fn dangling_link() {
    let root = Root::with(&["n01440764/a.JPEG"]);
    std::os::unix::fs::symlink("nowhere", root.path().join("n01440764/b.JPEG")).unwrap();
    assert_says(&root.error(), &["ROOT/n01440764/b.JPEG: No such file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn name_that_is_not_text() {
    use std::os::unix::ffi::OsStrExt;
    let root = Root::with(&["n01440764/a.JPEG"]);
    std::fs::write(root.path().join("n01440764").join(std::ffi::OsStr::from_bytes(b"\xff.JPEG")), "").unwrap();
    assert_says(&root.error(), &["this name is not UTF-8; rename it"]);
}
