//! The COCO loader on small folders and, where they are there, on real photos.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are not seen as tests

use std::path::{Path, PathBuf};

use crate::coco::{self, annotation, coco, coco_of};
use crate::common::{self, Root};
use datasets::{Dataset, Source};
use serde_json::json;

const KIND: &str = "coco14-val";

#[test]
fn classes_are_ranks_of_category_ids() {
    let root = coco(&[
        annotation(1, 7, 90, json!([[0, 0, 2, 0, 2, 2, 0, 2]])),
        annotation(2, 7, 3, json!([[0, 0, 2, 0, 2, 2, 0, 2]])),
    ]);
    let dataset = root.open_as(KIND).unwrap();
    assert_eq!(dataset.classes(), ["three", "eleven", "ninety"]);
    assert_eq!(dataset.len(), 2);
    assert_eq!(
        (dataset.id(0), dataset.id(1)),
        ("val2014/COCO_val2014_000000000007", "val2014/COCO_val2014_000000000009")
    );
    let sample = dataset.load(0).unwrap();
    assert_eq!(sample.labels, [0, 2]);
    assert_eq!(sample.regions.iter().map(|region| region.class).collect::<Vec<_>>(), [0, 2]);
    assert!(sample.regions.iter().all(|region| !region.all_difficult));
    assert!(dataset.is_localised());
    let empty = dataset.load(1).unwrap();
    assert!(empty.labels.is_empty() && empty.regions.is_empty(), "a photo without objects is a sample");
}

/// 8 × 6 pixels. The polygon is the box of columns 0 and 1, rows 0 and 1; the crowd's run lengths
/// go down the columns.
#[test]
fn a_class_is_the_union_of_objects_and_crowds() {
    let crowd = json!({"size": [6, 8], "counts": [36, 2, 9, 1]});
    let root = coco(&[annotation(1, 7, 3, json!([[0, 0, 2, 0, 2, 2, 0, 2]])), annotation(2, 7, 3, crowd)]);
    let region = root.open_as(KIND).unwrap().load(0).unwrap().regions.remove(0);
    let row = |row: &[bool]| row.iter().map(|&set| if set { '#' } else { '.' }).collect::<String>();
    assert_eq!(
        region.mask.pixels.chunks(8).map(row).collect::<Vec<_>>(),
        ["##....#.", "##....#.", "........", "........", "........", ".......#"]
    );
}

/// 48 pixels: a class is small where its bounding boxes sum up to fewer than 12.
#[test]
fn difficult_subset_by_definition() {
    let boxed = |id, category, width: f64| {
        let mut annotation = annotation(id, 7, category, json!([[0, 0, 2, 0, 2, 2, 0, 2]]));
        annotation["bbox"] = json!([0, 0, width, 2]);
        annotation
    };
    let subset = |annotations: &[serde_json::Value]| {
        let sample = coco(annotations).open_as(KIND).unwrap().load(0).unwrap();
        sample.regions.iter().map(|region| region.in_difficult_subset).collect::<Vec<_>>()
    };
    assert_eq!(subset(&[boxed(1, 3, 5.9), boxed(2, 90, 6.0)]), [true, false]);
    assert_eq!(subset(&[boxed(1, 3, 3.0), boxed(2, 3, 3.0), boxed(3, 90, 1.0)]), [false, true]);
    assert_eq!(subset(&[boxed(1, 3, 1.0)]), [false]);
}

/// The list may call a photo by its file, its number or its number in twelve digits.
#[test]
fn difficult_subset_by_list() {
    let polygon = || json!([[0, 0, 2, 0, 2, 2, 0, 2]]);
    for name in ["COCO_val2014_000000000007", "7", "000000000007"] {
        let root =
            coco(&[annotation(1, 7, 3, polygon()), annotation(2, 7, 90, polygon()), annotation(3, 9, 90, polygon())])
                .file("pointing_game_ebp_coco_difficult.txt", format!("{name}\t0\t0\t1\n"));
        let dataset = root.open_as(KIND).unwrap();
        let subset = |index: usize| {
            dataset.load(index).unwrap().regions.iter().map(|region| region.in_difficult_subset).collect::<Vec<_>>()
        };
        assert_eq!((subset(0), subset(1)), (vec![false, true], vec![true]), "{name}");
        assert!(dataset.remarks()[0].ends_with("pointing_game_ebp_coco_difficult.txt"), "{:?}", dataset.remarks());
    }
}

#[test]
fn the_order_of_keys_is_free() {
    let first = coco(&[annotation(1, 7, 3, json!([[0, 0, 2, 0, 2, 2, 0, 2]]))]);
    let text = std::fs::read_to_string(first.path().join(coco::FILE)).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys = ["annotations", "categories", "info", "images"].map(|key| format!("\"{key}\":{}", json[key]));
    let second = coco_of(&format!("{{{}}}", keys.join(",\n")));
    assert_eq!(first.open_as(KIND).unwrap().fingerprint(), second.open_as(KIND).unwrap().fingerprint());
}

#[test]
fn fingerprint_is_of_what_is_read() {
    let fingerprint = |id, category, segmentation| {
        coco(&[annotation(id, 7, category, segmentation)]).open_as(KIND).unwrap().fingerprint()
    };
    let base = fingerprint(1, 3, json!([[0, 0, 2, 0, 2, 2, 0, 2]]));
    assert_eq!(base, fingerprint(2, 3, json!([[0.0, 0, 2, 0, 2, 2, 0, 2]])), "an annotation's id says nothing");
    assert_ne!(base, fingerprint(1, 90, json!([[0, 0, 2, 0, 2, 2, 0, 2]])));
    assert_ne!(base, fingerprint(1, 3, json!([[0, 0, 2, 0, 2, 2.5, 0, 2]])));
}

#[test]
fn real_photos() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("UCAG_SHARED").map_or(beside, PathBuf::from).join("data/coco-mini");
    if !root.is_dir() {
        println!("skipped: no {} (set UCAG_SHARED)", root.display());
        return;
    }
    let dataset: Box<dyn Dataset> = datasets::open(KIND, &Source::at(&root)).unwrap();
    assert_eq!((dataset.len(), dataset.classes().len()), (79, 80));
    assert_eq!((dataset.classes()[0].as_str(), dataset.classes()[79].as_str()), ("person", "toothbrush"));
    assert_eq!(dataset.remarks().len(), 1, "{:?}", dataset.remarks());
    let (mut pairs, mut classes) = (0, std::collections::HashSet::new());
    for index in 0..dataset.len() {
        let sample = dataset.load(index).unwrap();
        assert!(sample.labels.is_sorted_by(|a, b| a < b));
        assert_eq!(sample.labels, sample.regions.iter().map(|region| region.class).collect::<Vec<_>>());
        for region in &sample.regions {
            assert_eq!((region.mask.width, region.mask.height), sample.image.dimensions());
            assert!(region.mask.pixels.contains(&true), "{} has an empty mask", sample.id);
        }
        pairs += sample.labels.len();
        classes.extend(sample.labels);
    }
    assert_eq!((pairs, classes.len()), (284, 78)); // as the folder's README says
}

#[test]
fn names_of_2017() {
    let root = Root::new()
        .file("annotations/instances_val2017.json", coco::file(&[]).replace("COCO_val2014_", ""))
        .file("val2017/000000000007.jpg", common::blank(8, 6))
        .file("val2017/000000000009.jpg", common::blank(8, 6));
    assert_eq!(root.open_as(KIND).unwrap().id(0), "val2017/000000000007");
}
