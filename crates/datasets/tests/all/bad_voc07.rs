//! Messages to the user of a VOC folder where files are missing or don't fit.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are not seen as tests

use crate::common::{Root, blank};
use crate::voc::{object, voc, voc_of_xml, xml};

const KIND: &str = "voc07-test";
const BOX: [&str; 4] = ["1", "1", "2", "2"];

/// The message that photo 1 of two gives, its annotation being `annotation`; the other must load.
#[track_caller]
fn bad(annotation: &str) -> String {
    let root = voc_of_xml(5, 4, &[annotation, &xml(5, 4, &object("dog", 0, BOX))]);
    let dataset = root.open_as(KIND).unwrap();
    assert_eq!(dataset.load(1).unwrap().labels, [11]);
    let message = root.in_root(&dataset.load(0).unwrap_err());
    let problem = message.strip_prefix("ROOT/Annotations/000001.xml: ").unwrap_or_else(|| panic!("{message}"));
    let remark =
        format!("1 of 2 annotations can't be used, and their photos fail; the first: Annotations/000001.xml {problem}");
    assert_eq!(dataset.remarks()[1..], [remark]);
    problem.to_owned()
}

/// The same for an annotation with this object.
#[track_caller]
fn bad_object(object: &str) -> String {
    bad(&xml(5, 4, object))
}

#[test]
fn missing_root_says_layout_and_source() {
    let error = Root::new().error_as(KIND);
    for part in [
        "not found:\n  ROOT/VOCdevkit/VOC2007/JPEGImages\n  ROOT/VOCdevkit/VOC2007/Annotations\n",
        "  ROOT/VOCdevkit/VOC2007/ImageSets/Main/test.txt\n",
        "expected layout:\n",
        "VOCtest_06-Nov-2007.tar",
    ] {
        assert!(error.contains(part), "no {part:?} in:\n{error}");
    }
}

#[test]
fn only_the_missing_part_is_named() {
    let error = Root::with(&["VOC2007/JPEGImages/1.jpg", "VOC2007/Annotations/1.xml"]).error_as(KIND);
    assert!(error.starts_with("not found:\n  ROOT/VOC2007/ImageSets/Main/test.txt\nexpected"), "{error}");
}

#[test]
fn empty_list() {
    let error = voc(5, 4, &[""]).file("ImageSets/Main/test.txt", "").error_as(KIND);
    assert_eq!(error, "ROOT/ImageSets/Main/test.txt: lists no photos; expected one name a line");
}

#[test]
fn bad_lines_of_the_list() {
    for line in ["../000001", "", "000001  1", ".hidden", "a\\b"] {
        let error =
            voc(5, 4, &[""]).file("ImageSets/Main/test.txt", format!("000001\n{line}\n000001\n")).error_as(KIND);
        let expected = format!(
            "ROOT/ImageSets/Main/test.txt:2: expected a photo's name without folder and extension, such as 000001, found {line:?}"
        );
        assert_eq!(error, expected);
    }
}

#[test]
fn a_photo_twice() {
    let error = voc(5, 4, &["", ""]).file("ImageSets/Main/test.txt", "000001\n000002\n000001\n").error_as(KIND);
    assert_eq!(error, "ROOT/ImageSets/Main/test.txt:3: photo `000001` is already on an earlier line");
}

#[test]
fn missing_photos_and_annotations() {
    let root = voc(5, 4, &[""]).file("ImageSets/Main/test.txt", "000001\n000002\n").file("JPEGImages/000002.jpg", "");
    assert_eq!(
        root.error_as(KIND),
        "ROOT/ImageSets/Main/test.txt: lists 2 photos, but 1 of their files are not in ROOT: Annotations/000002.xml"
    );
    let root = voc(5, 4, &[""]).file("ImageSets/Main/test.txt", "000001\n7\n8\n9\n").file("Annotations/7.xml", "");
    assert_eq!(
        root.error_as(KIND),
        "ROOT/ImageSets/Main/test.txt: lists 4 photos, but 5 of their files are not in ROOT: \
         JPEGImages/7.jpg, Annotations/8.xml, JPEGImages/8.jpg, Annotations/9.xml, JPEGImages/9.jpg"
    );
}

#[test]
fn xml_that_is_cut_short() {
    let whole = xml(5, 4, &object("dog", 0, BOX));
    for length in [whole.len() - 15, whole.len() / 2, 20] {
        let message = bad(&whole[..length]);
        assert!(message.starts_with("is not well-formed XML (line "), "{message}");
    }
    let lines = whole.lines().take(9).map(|line| format!("{line}\n")).collect::<String>();
    assert_eq!(
        bad(&lines),
        "is not well-formed XML (line 10: it ends before the last element is closed; is it cut short?)"
    );
}

#[test]
fn xml_that_is_broken() {
    let message = bad(&xml(5, 4, "<object>\n<name>dog</nome>\n</object>"));
    assert!(
        message.starts_with("is not well-formed XML (line 10: ill-formed document: expected `</name>`"),
        "{message}"
    );
    let message = bad(&xml(5, 4, &object("&dog;", 0, BOX)));
    assert!(message.starts_with("is not an annotation of PASCAL VOC ("), "{message}");
}

#[test]
fn other_files() {
    assert_eq!(
        bad("<html><body>404</body></html>"),
        "is not an annotation of PASCAL VOC (expected <annotation>, found <html>)"
    );
    assert_eq!(bad(""), "is not an annotation of PASCAL VOC (expected <annotation>, found no element)");
    assert_eq!(bad("\n  \n"), "is not an annotation of PASCAL VOC (expected <annotation>, found no element)");
    assert_eq!(bad("<annotation/>"), "has no <size>");
}

#[test]
fn annotation_that_is_not_text() {
    let root = voc(5, 4, &[""]).file("Annotations/000001.xml", [b'<', 0xff, 0xfe]);
    let message = root.in_root(&root.open_as(KIND).unwrap().load(0).unwrap_err());
    assert_eq!(message, "ROOT/Annotations/000001.xml: can't be read (stream did not contain valid UTF-8)");
}

#[test]
fn annotation_that_is_too_large() {
    let root = voc(5, 4, &[""]).file("Annotations/000001.xml", vec![b' '; (4 << 20) + 1]);
    let message = root.in_root(&root.open_as(KIND).unwrap().load(0).unwrap_err());
    assert_eq!(message, "ROOT/Annotations/000001.xml: is larger than the 4 MiB that are read of an annotation");
}

#[test]
fn sizes() {
    let whole = xml(5, 4, "");
    assert_eq!(bad(&whole.replace("<width>5</width>", "")), "has no <width>");
    assert_eq!(bad(&whole.replace("<height>4", "<height>tall")), "has <height> \"tall\"; expected a number of pixels");
    assert_eq!(bad(&whole.replace("<height>4", "<height>0")), "<height> is 0, not a size in pixels");
    assert_eq!(bad(&whole.replace("<height>4", "<height>-4")), "<height> is -4, not a size in pixels");
    assert_eq!(bad(&whole.replace("<width>5", "<width>1e99")), "has <width> \"1e99\"; expected a number of pixels");
}

#[test]
fn photo_of_another_size() {
    let root = voc(5, 4, &[""]).file("JPEGImages/000001.jpg", blank(4, 5));
    let message = root.in_root(&root.open_as(KIND).unwrap().load(0).unwrap_err());
    assert_eq!(
        message,
        "ROOT/Annotations/000001.xml: says that the photo is 5 × 4 pixels, but ROOT/JPEGImages/000001.jpg is 4 × 5; width and \
         height are swapped, as by an EXIF orientation that was followed once and dropped once"
    );
}

#[test]
fn photo_that_is_damaged() {
    let root = voc(5, 4, &[""]).file("JPEGImages/000001.jpg", "");
    let message = root.in_root(&root.open_as(KIND).unwrap().load(0).unwrap_err());
    assert_eq!(message, "ROOT/JPEGImages/000001.jpg: is empty (0 bytes); copy it again");
}

#[test]
fn unknown_classes() {
    assert_eq!(
        bad_object(&object("dinningtable", 0, BOX)),
        "object 1 `dinningtable` is not one of the 20 classes; is it `diningtable`?"
    );
    assert_eq!(bad_object(&object("xyzzy", 0, BOX)), "object 1 `xyzzy` is not one of the 20 classes");
}

#[test]
fn parts_that_are_missing() {
    let dog = object("dog", 0, BOX);
    assert_eq!(bad_object(&dog.replace("<name>dog</name>", "")), "object 1 `` has no <name>");
    let second = dog.clone() + &dog.replace("bndbox", "box");
    assert_eq!(bad_object(&second), "object 2 `dog` has no <bndbox>");
    assert_eq!(bad_object(&dog.replace("<ymax>2</ymax>", "")), "object 1 `dog` has no <ymax>");
    let twice = dog.replace("<ymax>", "<ymax>1</ymax><ymax>");
    assert!(bad_object(&twice).starts_with("is not an annotation of PASCAL VOC (duplicate field `ymax`"));
}

#[test]
fn boxes() {
    let message = |corners| bad_object(&object("dog", 0, corners));
    assert_eq!(
        message(["1", "1", "6", "4"]),
        "object 1 `dog` has the box (1, 1) to (6, 4), which is not within the photo's (1, 1) to (5, 4)"
    );
    for corners in [["1", "1", "5", "5"], ["-3", "1", "5", "4"]] {
        assert!(message(corners).ends_with("which is not within the photo's (1, 1) to (5, 4)"));
    }
    assert_eq!(
        message(["4", "1", "2", "3"]),
        "object 1 `dog` has the box (4, 1) to (2, 3), whose corners are the wrong way round"
    );
    assert_eq!(message(["1", "1", "2", "NaN"]), "object 1 `dog` has <ymax> \"NaN\"; expected a number of pixels");
    assert_eq!(message(["1", "1", "inf", "2"]), "object 1 `dog` has <xmax> \"inf\"; expected a number of pixels");
    assert_eq!(message(["1", "", "2", "2"]), "object 1 `dog` has <ymin> \"\"; expected a number of pixels");
}

#[test]
fn boxes_at_0_hint_that_a_data_set_counts_from_0() {
    for corners in [["0", "1", "5", "4"], ["1", "0", "5", "4"], ["0", "0", "4", "3"]] {
        let message = bad_object(&object("dog", 0, corners));
        assert!(
            message.ends_with(
                "which is not within the photo's (1, 1) to (5, 4); VOC counts pixels from 1, and this data set may count from 0"
            ),
            "{message}"
        );
    }
    let [from_0, from_1] = [["0", "1", "3", "3"], BOX].map(|corners| object("dog", 0, corners));
    let dataset =
        voc(5, 4, &[&from_1, &from_0, &from_0, &object("dog", 0, ["1", "1", "9", "2"])]).open_as(KIND).unwrap();
    assert_eq!(
        dataset.look_through(&[0, 1, 2, 3]),
        [
            "2 of 4 photos have a box at 0 (the first: JPEGImages/000002), and VOC counts pixels from 1: if this data set counts from 0, \
          all its boxes lie a pixel too far left and up, and 1 is to be added to their corners"
        ]
    );
    assert_eq!(dataset.look_through(&[0, 3]), [""; 0]);
}

#[test]
fn difficult_is_a_flag() {
    assert_eq!(bad_object(&object("dog", 2, BOX)), "object 1 `dog` has <difficult> \"2\"; expected 0 or 1");
}

#[test]
fn own_class_list() {
    assert_eq!(
        voc(5, 4, &[""]).file("classes.txt", "a\na\n").error_as(KIND),
        "ROOT/classes.txt:2: class `a` is already on line 1"
    );
}

#[test]
fn byte_order_marks_are_passed_over() {
    let marked = |text: &str| format!("\u{feff}{text}");
    let whole = xml(5, 4, &object("cat", 0, BOX));
    let root = voc_of_xml(5, 4, &[&marked(&whole), &whole])
        .file("ImageSets/Main/test.txt", marked("000001\n000002\n"))
        .file("ImageSets/Main/cat_test.txt", marked("000001 1\n000002 1\n"))
        .file("classes.txt", marked("cat\ndog\n"));
    let dataset = root.open_as(KIND).unwrap();
    assert_eq!((dataset.len(), dataset.remarks().len()), (2, 1));
    assert_eq!((dataset.load(0).unwrap().labels, dataset.load(1).unwrap().labels), (vec![0], vec![0]));
}

#[test]
fn lists_of_single_classes_that_disagree() {
    let photos = || voc(5, 4, &[&object("dog", 0, BOX), &object("dog", 1, BOX), &object("cat", 0, BOX), "<object/>"]);
    let remarks = |dog: &str| {
        let root = photos().file("ImageSets/Main/dog_test.txt", dog).file("ImageSets/Main/cow_test.txt", "000001 -1\n");
        root.open_as(KIND).unwrap().remarks()[2..].to_vec()
    };
    // Photo 4 can't be used, and photo 9 is not among the samples: neither is compared.
    assert!(remarks("000001  1\n000002  0\n000003 -1\n000004  1\n000009  1\n").is_empty());
    assert_eq!(
        remarks("000001  1\n000002  1\n000003  0\n"),
        ["the lists of single classes disagree with the annotations on 2 pairs, the first on line 2 of \
             ImageSets/Main/dog_test.txt, which should be 0; what counts is the annotations"]
    );
    assert!(
        remarks("000001\n")[0]
            .contains("on 1 pairs, the first on line 1 of ImageSets/Main/dog_test.txt, which should be 1")
    );
}
