//! The VOC loader on small folders, against masks worked out by hand.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use crate::common::{self, Root};
use crate::voc::{object, voc, voc_of_xml, xml};
use datasets::{Dataset, Region, Source};

const KIND: &str = "voc07-test";

fn rows(region: &Region) -> Vec<String> {
    let row = |row: &[bool]| row.iter().map(|&set| if set { '#' } else { '.' }).collect();
    region.mask.pixels.chunks(region.mask.width as usize).map(row).collect()
}

fn regions(root: &Root) -> Vec<Region> {
    root.open_as(KIND).unwrap().load(0).unwrap().regions
}

#[test]
fn boxes_are_inclusive_and_start_at_one() {
    let root = voc(5, 4, &[&object("dog", 0, ["2", "1", "4", "3"])]);
    let dataset = root.open_as(KIND).unwrap();
    assert!(dataset.is_localised());
    let sample = dataset.load(0).unwrap();
    assert_eq!(sample.id, "JPEGImages/000001");
    assert_eq!(dataset.id(0), "JPEGImages/000001");
    assert_eq!(sample.labels, [11]);
    assert_eq!(dataset.classes()[11], "dog");
    let [region] = &sample.regions[..] else { panic!("{} regions", sample.regions.len()) };
    assert_eq!((region.class, region.mask.width, region.mask.height), (11, 5, 4));
    assert_eq!(rows(region), [".###.", ".###.", ".###.", "....."]);
}

#[test]
fn fractions_are_cut_off() {
    let root = voc(5, 4, &[&object("dog", 0, ["2.90", "1.2", "4.99", " 3.5 "])]);
    assert_eq!(rows(&regions(&root)[0]), [".###.", ".###.", ".###.", "....."]);
}

#[test]
fn a_class_is_the_union_of_its_boxes_with_the_difficult_ones() {
    let objects = object("tvmonitor", 0, ["1", "1", "2", "2"])
        + &object("cat", 1, ["1", "4", "1", "4"])
        + &object("tvmonitor", 1, ["2", "2", "5", "3"])
        + &object("cat", 1, ["5", "4", "5", "4"]);
    let regions = regions(&voc(5, 4, &[&objects]));
    assert_eq!(regions.iter().map(|region| region.class).collect::<Vec<_>>(), [7, 19]);
    assert_eq!(rows(&regions[0]), [".....", ".....", ".....", "#...#"]);
    assert_eq!(rows(&regions[1]), ["##...", "#####", ".####", "....."]);
    assert_eq!(regions.iter().map(|region| region.all_difficult).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn parts_of_a_person_are_no_objects() {
    let person = object("person", 0, ["1", "1", "5", "4"]).replace(
        "</object>",
        "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part></object>",
    );
    let regions = regions(&voc(5, 4, &[&person]));
    assert_eq!(rows(&regions[0]), ["#####"; 4]);
}

#[test]
fn what_may_be_left_out() {
    let objects = object("dog", 1, ["1", "1", "1", "1"]).replace("<difficult>1</difficult>", "")
        + "<note/>"
        + &object("cat", 0, ["1", "1", "1", "1"]);
    let root = voc(5, 4, &[&objects, ""]);
    let dataset = root.open_as(KIND).unwrap();
    let sample = dataset.load(0).unwrap();
    assert_eq!(sample.labels, [7, 11]);
    assert!(!sample.regions[1].all_difficult, "without the element an object is not difficult");
    let empty = dataset.load(1).unwrap();
    assert!(empty.labels.is_empty() && empty.regions.is_empty());
    assert_eq!(dataset.len(), 2);
}

#[test]
fn the_three_places() {
    for place in ["", "VOC2007/", "VOCdevkit/VOC2007/"] {
        let root = Root::new()
            .file(&format!("{place}JPEGImages/000007.jpg"), common::blank(5, 4))
            .file(&format!("{place}Annotations/000007.xml"), xml(5, 4, ""))
            .file(&format!("{place}ImageSets/Main/test.txt"), "000007\r\n");
        assert_eq!(root.open_as(KIND).unwrap().id(0), "JPEGImages/000007", "{place}");
    }
}

#[test]
fn order_is_that_of_the_list_and_other_photos_are_left_out() {
    let root = voc(5, 4, &["", "", ""]).file("ImageSets/Main/test.txt", "000003\n000001\n");
    let dataset = root.open_as(KIND).unwrap();
    assert_eq!(
        (0..dataset.len()).map(|index| dataset.id(index)).collect::<Vec<_>>(),
        ["JPEGImages/000003", "JPEGImages/000001"]
    );
}

#[test]
fn own_classes() {
    let root = voc(5, 4, &[&object("pear", 0, ["1", "1", "1", "1"])]).file("classes.txt", "zebra\npear\tA pear\n");
    let dataset = root.open_as(KIND).unwrap();
    assert_eq!(dataset.load(0).unwrap().labels, [1]);
    assert_eq!(dataset.classes(), ["zebra", "A pear"]);
}

/// 8 × 5 = 40 pixels: a class is small where its boxes sum up to fewer than 10.
#[test]
fn difficult_subset_by_definition() {
    let in_subset = |objects: &str| {
        regions(&voc(8, 5, &[objects])).iter().map(|region| region.in_difficult_subset).collect::<Vec<_>>()
    };
    let nine = object("cat", 0, ["1", "1", "3", "3"]);
    let ten = object("dog", 0, ["1", "1", "5", "2"]);
    assert_eq!(in_subset(&(nine.clone() + &ten)), [true, false]);
    assert_eq!(in_subset(&nine), [false], "no other class");
    // Two boxes of 5 pixels that overlap in 1 sum up to 10.
    let overlapping = object("cat", 0, ["1", "1", "5", "1"]) + &object("cat", 0, ["5", "1", "5", "5"]);
    assert_eq!(in_subset(&(overlapping + &ten)), [false, false]);
    let remarks = voc(8, 5, &[&nine]).open_as(KIND).unwrap().remarks();
    assert_eq!(remarks.len(), 1);
    assert!(remarks[0].starts_with("the difficult subset is computed from its definition"), "{remarks:?}");
}

fn flags(stem: &str, set: &[usize]) -> String {
    let flags: String = (0..20).map(|class| if set.contains(&class) { "\t1" } else { "\t0" }).collect();
    format!("{stem}{flags}\n")
}

#[test]
fn difficult_subset_by_list() {
    let both = object("cat", 0, ["1", "1", "3", "3"]) + &object("dog", 0, ["1", "1", "5", "2"]);
    let photos = voc(8, 5, &[&both, &both, &both]);
    let list = flags("000001", &[11]) + &flags("000003", &[]);
    let subset = |dataset: &dyn Dataset| {
        (0..3)
            .map(|index| dataset.load(index).unwrap().regions.iter().map(|r| r.in_difficult_subset).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    // Photo 2 is not in the list: it is evaluated in full.
    let expected = [[false, true], [true, true], [false, false]];

    let computed = photos.open_as(KIND).unwrap().fingerprint();
    let root = photos.file("elsewhere/list.txt", &list);
    let path = root.path().join("elsewhere/list.txt");
    let named = datasets::open(KIND, &Source { difficult: Some(&path), ..Source::at(root.path()) }).unwrap();
    assert_eq!(subset(&*named), expected);
    assert_eq!(named.remarks()[..1], [format!("the difficult subset is the list in {}", path.display())]);
    assert_ne!(named.fingerprint(), computed);

    let root = root.file("pointing_game_ebp_voc07_difficult.txt", &list);
    let found = root.open_as(KIND).unwrap();
    assert_eq!(subset(&*found), expected);
    assert!(found.remarks()[0].ends_with("pointing_game_ebp_voc07_difficult.txt"));
    assert_eq!(found.fingerprint(), named.fingerprint());
}

#[test]
fn fingerprint_is_of_what_is_read() {
    let fingerprint = |root: Root| root.open_as(KIND).unwrap().fingerprint();
    let of = |name: &str, difficult: u8, right: &str| {
        fingerprint(voc(8, 5, &[&object(name, difficult, ["1", "1", right, "3"])]))
    };
    let base = of("cat", 0, "3");
    assert_eq!(base, of("cat", 0, "3.5"));
    assert_eq!(base.len(), 64);
    for other in [of("dog", 0, "3"), of("cat", 1, "3"), of("cat", 0, "4")] {
        assert_ne!(base, other);
    }
    let cat = xml(8, 5, &object("cat", 0, ["1", "1", "3", "3"]));
    let larger = voc_of_xml(8, 5, &[&cat]).file("JPEGImages/000001.jpg", common::blank(16, 5));
    assert_ne!(base, fingerprint(larger), "the size of the photo's file counts");
}
