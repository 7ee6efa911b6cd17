//! Lists of the difficult subset that don't fit.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are not seen as tests

use std::path::{Path, PathBuf};

use crate::common::{self, blank};
use crate::voc::{object, voc, xml};
use datasets::Source;

const KIND: &str = "voc07-test";
const NAME: &str = "pointing_game_ebp_voc07_difficult.txt";

fn line(name: &str, flag: &str, count: usize) -> String {
    format!("{name}{}\n", format!("\t{flag}").repeat(count))
}

/// The message for a folder of four photos with this list.
fn error(list: &str) -> String {
    voc(5, 4, &["", "", "", ""]).file(NAME, list).error_as(KIND)
}

#[test]
fn number_of_flags() {
    let of = |count| error(&(line("000001", "0", 20) + &line("000002", "0", count)));
    assert_eq!(of(19), format!("ROOT/{NAME}:2: has 19 flags, but the data set has 20 classes"));
    assert_eq!(of(0), format!("ROOT/{NAME}:2: has 0 flags, but the data set has 20 classes"));
    assert_eq!(
        of(80),
        format!("ROOT/{NAME}:2: has 80 flags, but the data set has 20 classes; it seems to be the list for COCO")
    );
    let own = voc(5, 4, &[""]).file("classes.txt", "a\nb\n").file(NAME, line("000001", "0", 20)).error_as(KIND);
    assert_eq!(
        own,
        format!("ROOT/{NAME}:1: has 20 flags, but the data set has 2 classes; it seems to be the list for PASCAL VOC")
    );
}

#[test]
fn flags_are_0_or_1() {
    for flag in ["2", "-1", "", " 1", "x"] {
        let expected = format!("ROOT/{NAME}:1: expected flags of 0 or 1, found {flag:?}");
        assert_eq!(error(&line("000001", flag, 20)), expected);
    }
}

#[test]
fn lines() {
    assert_eq!(error(""), format!("ROOT/{NAME}: lists no images; expected a line an image"));
    let blank = line("000001", "0", 20) + "\n" + &line("000002", "0", 20);
    assert_eq!(error(&blank), format!("ROOT/{NAME}:2: expected an image's name and a flag a class, separated by tabs"));
    let spaces = line("000001", "0", 20).replace('\t', " ");
    assert_eq!(error(&spaces), format!("ROOT/{NAME}:1: has 0 flags, but the data set has 20 classes"));
    let twice = line("000001", "0", 20).repeat(2);
    assert_eq!(error(&twice), format!("ROOT/{NAME}:2: image `000001` is already on an earlier line"));
}

#[test]
fn list_of_another_data_set() {
    let names = |names: &[&str]| names.iter().map(|name| line(name, "1", 20)).collect::<String>();
    assert_eq!(
        error(&names(&["2008_000001", "2008_000002"])),
        format!(
            "ROOT/{NAME}: lists 2 images such as `2008_000001`, of which 0 are among the data set's 4 such as `000001`; is it \
             the list of another data set?"
        )
    );
    let message = error(&names(&["000001", "000002", "000008", "000009"]));
    assert!(message.contains("lists 4 images such as `000001`, of which 2 are among the data set's 4"), "{message}");
    let opens = |list: &str| voc(5, 4, &["", "", "", ""]).file(NAME, list).open_as(KIND).is_ok();
    assert!(opens(&names(&["000001", "000002", "000003", "000009"])));
    assert!(opens(&names(&["000003"])), "a list of a part of the data set");
    let longer: Vec<String> = (1..100).map(|number| format!("{number:06}")).collect();
    assert!(opens(&names(&longer.iter().map(String::as_str).collect::<Vec<_>>())), "a part of the list's data set");
}

#[test]
fn what_of_a_list_fits_nothing_is_said() {
    let remarks = |names: &[&str]| {
        let list: String = names.iter().map(|name| line(name, "1", 20)).collect();
        voc(5, 4, &["", "", "", ""]).file(NAME, list).open_as(KIND).unwrap().remarks()[1..].to_vec()
    };
    assert_eq!(remarks(&["000001", "000002", "000003", "000004"]), [""; 0]);
    assert_eq!(
        remarks(&["000001", "000002", "000003", "x", "000009"]),
        [
            "the list of the difficult subset: 1 of 4 images have no line in it, such as 000004, and all of their pairs count as \
          difficult; 2 of its 5 lines are of no image of the data set, such as \"000009\""
        ]
    );
    assert_eq!(
        remarks(&["000001", "000002", "000003", "000004", "9.jpg"]),
        ["the list of the difficult subset: 1 of its 5 lines are of no image of the data set, such as \"9.jpg\""]
    );
}

/// Its first image was looked up under a name with the mark, and so counted as difficult in all of
/// its classes.
#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name() {
    let objects = object("dog", 0, ["1", "1", "1", "1"]);
    let list = ["000001", "000002", "000003"].map(|name| line(name, "0", 20)).concat();
    let difficult = |list: String| {
        let root = voc(5, 4, &[&objects, &objects, &objects]).file(NAME, list);
        let dataset = root.open_as(KIND).unwrap();
        assert_eq!(dataset.remarks().len(), 1, "{:?}", dataset.remarks());
        [0, 1, 2].map(|index| dataset.load(index).unwrap().regions[0].in_difficult_subset)
    };
    assert_eq!(difficult(list.clone()), [false; 3]);
    assert_eq!(difficult(format!("\u{feff}{list}")), [false; 3]);
    assert_eq!(difficult(list.replace("000001", " 000001 ")), [false; 3], "blanks are no part of a name");
}

#[test]
fn list_that_is_not_there() {
    let root = voc(5, 4, &[""]);
    let path = root.path().join("nowhere.txt");
    let error = datasets::open(KIND, &Source { difficult: Some(&path), ..Source::at(root.path()) }).err().unwrap();
    assert!(root.in_root(&error).starts_with("ROOT/nowhere.txt: No such file"), "{error}");
}

/// The published list, over photos that stand in for the real ones: the counts are those of the
/// folder's README.
#[test]
fn published_list() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let list = std::env::var_os("UCAG_SHARED").map_or(beside, PathBuf::from).join("data").join(NAME);
    let Ok(text) = std::fs::read_to_string(&list) else {
        println!("skipped: no {} (set UCAG_SHARED)", list.display());
        return;
    };
    let classes = [
        "aeroplane",
        "bicycle",
        "bird",
        "boat",
        "bottle",
        "bus",
        "car",
        "cat",
        "chair",
        "cow",
        "diningtable",
        "dog",
        "horse",
        "motorbike",
        "person",
        "pottedplant",
        "sheep",
        "sofa",
        "train",
        "tvmonitor",
    ];
    let objects: String = classes.iter().map(|class| object(class, 0, ["1", "1", "1", "1"])).collect();
    let (photo, annotation) = (blank(2, 2), xml(2, 2, &objects));
    let mut root = common::Root::new();
    let mut stems = String::new();
    for line in text.lines() {
        let stem = line.split('\t').next().unwrap();
        root =
            root.file(&format!("JPEGImages/{stem}.jpg"), &photo).file(&format!("Annotations/{stem}.xml"), &annotation);
        stems += &format!("{stem}\n");
    }
    let root = root.file("ImageSets/Main/test.txt", stems);
    let dataset = datasets::open(KIND, &Source { difficult: Some(&list), ..Source::at(root.path()) }).unwrap();
    let (mut pairs, mut photos) = (0, 0);
    for index in 0..dataset.len() {
        let flagged = dataset.load(index).unwrap().regions.iter().filter(|region| region.in_difficult_subset).count();
        pairs += flagged;
        photos += usize::from(flagged > 0);
    }
    assert_eq!((dataset.len(), pairs, photos), (4952, 2230, 1467));
}
