//! ImageNet-segmentation as it must not be: every message names the file and says what is wrong.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use crate::common::{Root, blank};
use crate::gtsegs::Object::{self, Addresses, Bytes, Cell, Doubles, Group};
use crate::gtsegs::{mat, value, with};
use datasets::Dataset;

const KIND: &str = "imagenet-seg";
const FILE: &str = "gtsegs_ijcv.mat";

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "no {part:?} in:\n{message}");
    }
}

/// Opening a file of this content fails and says `parts`.
#[track_caller]
fn refused(content: impl AsRef<[u8]>, parts: &[&str]) {
    let message = Root::new().file(FILE, content).error_as(KIND);
    assert_says(&message, &["ROOT/gtsegs_ijcv.mat"]);
    assert_says(&message, parts);
}

fn objects(other: Vec<(&'static str, Object<'static>)>) -> Vec<u8> {
    mat(with(other), value())
}

/// Sample 1 of this file fails and says `parts`; sample 2 is as it must be.
#[track_caller]
fn first_fails(file: Vec<u8>, parts: &[&str]) {
    let root = Root::new().file(FILE, file);
    let data = root.open_as(KIND).unwrap();
    assert_eq!(data.len(), 2);
    let message = root.in_root(&data.load(0).unwrap_err());
    assert_says(&message, &["ROOT/gtsegs_ijcv.mat: "]);
    assert_says(&message, parts);
    assert_second(&*data);
}

/// Worked out by hand: values go up down the columns, planes are red, green, blue.
fn assert_second(data: &dyn Dataset) {
    let sample = data.load(1).unwrap();
    assert_eq!(sample.image.dimensions(), (4, 5));
    assert_eq!((sample.image.get_pixel(0, 1).0, sample.image.get_pixel(3, 4).0), ([61, 81, 101], [79, 99, 119]));
    let mask = sample.object.unwrap().mask;
    assert!(!mask.pixels[0] && mask.pixels[1] && mask.pixels[4] && !mask.pixels[5], "{mask:?}");
}

#[test]
fn what_the_other_tests_spoil_is_good() {
    let root = Root::new().file(FILE, objects(Vec::new()));
    let data = root.open_as(KIND).unwrap();
    assert!(data.load(0).is_ok());
    assert_second(&*data);
}

#[test]
fn files_of_another_kind() {
    refused("", &["is empty (0 bytes); download it again"]);
    let version5 =
        "MATLAB 5.0 MAT-file, Platform: PCWIN64, Created on: Wed Jan  1 00:00:00 2014".to_owned() + &" ".repeat(100);
    refused(version5, &["is a MAT-file of version 5", "save(..., '-v7.3')"]);
    refused("MATLAB 7.3 MAT-file", &["MATLAB's header but no HDF5 data", "download it again"]);
    refused(
        "<!DOCTYPE html><html>404",
        &["not a MATLAB 7.3 (HDF5) file: it starts with \"<!DOCTYPE html>", "web page"],
    );
    refused([0xff; 3000], &["not a MATLAB 7.3 (HDF5) file"]);
    refused(blank(3, 3), &["not a MATLAB 7.3 (HDF5) file: it starts with \"\u{fffd}PNG"]);
}

#[test]
fn a_file_cut_short() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gtsegs");
    for name in ["gtsegs_ijcv.mat", "column.mat", "newer.mat"] {
        let whole = std::fs::read(path.join(name)).unwrap();
        for length in [9, 600, 2000, whole.len() / 2, whole.len() - 1] {
            refused(&whole[..length], &[if length > 600 { "is cut short: it has" } else { ";" }]);
        }
    }
}

#[test]
fn lists_that_are_not_there() {
    refused(
        mat(with(vec![]), vec![("gt", Cell(&["#refs#/c1"]))]),
        &["/value/img is not there; is this gtsegs_ijcv.mat?"],
    );
    refused(
        mat(with(vec![]), vec![("img", Cell(&["#refs#/i1"]))]),
        &["/value/gt is not there; is this gtsegs_ijcv.mat?"],
    );
    refused(mat(Vec::new(), Vec::new()), &["/value/img is not there"]);
    refused(mat(with(vec![]), vec![("img", Group), ("gt", Group)]), &["/value/img is a group, not an array"]);
}

#[test]
fn lists_of_another_kind() {
    let one = || Cell(&["#refs#/c1"]);
    refused(
        mat(with(vec![]), vec![("img", Bytes(&[4], vec![0; 4])), ("gt", one())]),
        &["/value/img holds u8, not references"],
    );
    refused(
        mat(with(vec![]), vec![("img", Cell(&["#refs#/i1", "#refs#/i2"])), ("gt", one())]),
        &["has 2 images in /value/img and 1 masks in /value/gt"],
    );
    refused(mat(with(vec![]), vec![("img", Cell(&[])), ("gt", Cell(&[]))]), &["has 0 images"]);
}

#[test]
fn references_that_lead_nowhere() {
    let listed = |images| mat(with(vec![]), vec![("img", images), ("gt", Cell(&["#refs#/c1", "#refs#/c2"]))]);
    // The writer gives the undefined address to what it doesn't find.
    first_fails(listed(Cell(&["#refs#/deleted", "#refs#/i2"])), &["image 1 can't be read: the reference is empty"]);
    first_fails(
        listed(Cell(&["#refs#", "#refs#/i2"])),
        &["image 1 can't be read: the reference leads to something that is not an array"],
    );
    for (address, part) in [
        (0, "is empty"),
        (1 << 50, "which is not in the file"),
        (u64::MAX - 3, "not in the file"),
        (3, "leads to no array"),
    ] {
        let root = Root::new().file(FILE, listed(Addresses(vec![address; 2])));
        let message = root.in_root(&root.open_as(KIND).unwrap().load(1).unwrap_err());
        assert_says(
            &message,
            &["ROOT/gtsegs_ijcv.mat: image 2 can't be read: the reference ", part, "Download it again"],
        );
    }
    first_fails(objects(vec![("c1", Cell(&["#refs#/deleted"]))]), &["mask 1 can't be read: the reference is empty"]);
    first_fails(objects(vec![("c1", Cell(&[]))]), &["mask 1 is an empty cell"]);
    first_fails(
        objects(vec![("c1", Group)]),
        &["mask 1 can't be read: the reference leads to something that is not an array"],
    );
}

/// Such arrays read as zeros, which would be a black image without an object.
#[test]
fn values_that_were_never_written() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gtsegs/unwritten.mat");
    let data = datasets::open(KIND, &datasets::Source::at(&path)).unwrap();
    for (index, what) in ["image 1", "image 2", "mask 3"].into_iter().enumerate() {
        let message = data.load(index).unwrap_err().to_string();
        assert_says(&message, &["unwritten.mat: ", what, "some of its values were never written"]);
    }
    assert!(data.load(3).unwrap().image.into_raw() == [7; 60]);
}

#[test]
fn a_cell_in_itself() {
    first_fails(objects(vec![("c1", Cell(&["#refs#/c1"]))]), &["mask 1 is of object_ref, not of numbers"]);
}

#[test]
fn images_of_another_kind() {
    first_fails(
        objects(vec![("i1", Bytes(&[4, 5], vec![0; 20]))]),
        &["image 1 is stored as 4 × 5, not as 3 × width × height"],
    );
    first_fails(objects(vec![("i1", Bytes(&[4, 5, 3], vec![0; 60]))]), &["image 1 is stored as 4 × 5 × 3, not"]);
    first_fails(
        objects(vec![("i1", Doubles(&[3, 4, 5], vec![0.0; 60]))]),
        &["image 1 is of f64, not of 8-bit numbers"],
    );
    first_fails(objects(vec![("i1", Cell(&["#refs#/i1"]))]), &["image 1 is stored as 1 × 1"]);
    first_fails(
        objects(vec![("i1", Bytes(&[3, 0, 5], vec![]))]),
        &["image 1 is 0 × 5 pixels, so there is nothing in it"],
    );
}

#[test]
fn masks_of_another_kind() {
    first_fails(objects(vec![("m1", Bytes(&[5, 4], vec![0; 20]))]), &["mask 1 is 5 × 4 pixels, its image 4 × 5"]);
    first_fails(
        objects(vec![("m1", Bytes(&[1, 4, 5], vec![0; 20]))]),
        &["mask 1 is stored as 1 × 4 × 5, not as the image's width × height"],
    );
    first_fails(
        objects(vec![("m1", Bytes(&[4, 5], vec![255; 20]))]),
        &["mask 1 has a value of 255; background is 0 and object 1"],
    );
    for value in [0.5, -1.0, f64::NAN] {
        first_fails(
            objects(vec![("m1", Doubles(&[4, 5], vec![value; 20]))]),
            &["mask 1 has a value of", "background is 0 and object 1"],
        );
    }
}

#[test]
fn both_layouts_missing() {
    let message = Root::new().error_as(KIND);
    assert_says(&message, &["not found:\n  ROOT/gtsegs_ijcv.mat", "ROOT/images/NAME.png", "http://calvin-vision.net/"]);
    let message = Root::with(&["images/a.png"]).error_as(KIND);
    assert_says(&message, &["not found:\n  ROOT/masks", "expected layout"]);
    let message = Root::with(&["masks/a.png"]).error_as(KIND);
    assert_says(&message, &["not found:\n  ROOT/images"]);
    let both = Root::with(&["images/a.png", "masks/a.png", FILE]).error_as(KIND);
    assert_says(&both, &["ROOT/gtsegs_ijcv.mat: is beside folders", "Name the file itself as root"]);
}

#[test]
fn folders_that_do_not_pair_up() {
    assert_says(&Root::with(&["images/note.txt", "masks/a.png"]).error_as(KIND), &["ROOT/images: holds no .png"]);
    let message = Root::with(&["images/a.png", "images/b.jpg", "masks/a.png"]).error_as(KIND);
    assert_says(&message, &["ROOT/images/b.jpg: has no mask in ROOT/masks", "1 of 2 images have none"]);
    let message = Root::with(&["images/a.png", "masks/a.png", "masks/c.png"]).error_as(KIND);
    assert_says(&message, &["ROOT/masks/c.png: is a mask without an image in ROOT/images"]);
    let message = Root::with(&["images/a.png", "images/a.JPG", "masks/a.png"]).error_as(KIND);
    assert_says(&message, &["ROOT/images/a.", "have the same name; remove one"]);
}

#[test]
fn a_bad_mask_in_a_folder_fails_its_sample() {
    let root = ["images/a.png", "images/b.png", "masks/b.png"]
        .iter()
        .fold(Root::new(), |root, file| root.file(file, blank(4, 5)));
    let root = root.file("masks/a.png", blank(5, 4)).file("images/c.png", blank(2, 2)).file("masks/c.png", "");
    let data = root.open_as(KIND).unwrap();
    assert_says(&root.in_root(&data.load(0).unwrap_err()), &["ROOT/masks/a.png: is 5 × 4 pixels, its image 4 × 5"]);
    assert_says(&root.in_root(&data.load(2).unwrap_err()), &["ROOT/masks/c.png: is empty"]);
    assert!(data.load(1).unwrap().object.unwrap().mask.pixels == [false; 20]);
}

#[test]
fn no_difficult_subset() {
    let root = Root::new().file(FILE, objects(Vec::new()));
    let source = datasets::Source { difficult: Some(root.path()), ..datasets::Source::at(root.path()) };
    let message = datasets::open(KIND, &source).err().unwrap().to_string();
    assert_says(&message, &["ImageNet-segmentation has no such subset"]);
}
