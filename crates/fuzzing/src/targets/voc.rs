//! PASCAL VOC: annotations, the list of photos, the list of the difficult subset, the list of
//! classes.

use std::cell::RefCell;

use super::stage::{Stage, blank};
use crate::{GROWTH, Target, nothing};

const ANNOTATION_FILE: &str = "Annotations/000001.xml";
const PHOTOS_FILE: &str = "ImageSets/Main/test.txt";
const DIFFICULT_FILE: &str = "pointing_game_ebp_voc07_difficult.txt";

/// The annotation of one photo.
pub(super) static ANNOTATION: Target = Target {
    name: "voc-annotation",
    seeds: || vec![annotation(&[("dog", "1"), ("person", "0")]).into(), annotation(&[]).into()],
    words: &[
        "<object>",
        "</object>",
        "<name>cat</name>",
        "<difficult>1</difficult>",
        "<bndbox>",
        "<xmin>",
        "&amp;",
        "&#x41;",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE a [<!ENTITY b \"bb\">]>",
        "&b;",
        "<size>",
        "<width>",
        "<part>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
        " xsi:nil=\"true\"",
    ],
    mend: nothing,
    growth: 64, // an element is four bytes in a file at least, and a structure in memory
    parse: |bytes| parse(ANNOTATION_FILE, bytes),
};

/// The list of photos.
pub(super) static PHOTOS: Target = Target {
    name: "voc-photos",
    seeds: || vec![b"000001\n000002\n".to_vec(), b"\xef\xbb\xbf000002\r\n000001".to_vec()],
    words: &["000001\n", "000002\n", "../", "/", "\\"],
    mend: nothing,
    growth: GROWTH,
    parse: |bytes| parse(PHOTOS_FILE, bytes),
};

/// The list of difficult pairs.
pub(super) static DIFFICULT: Target = Target {
    name: "difficult",
    seeds: || {
        vec![
            difficult(&["000001", "000002"]).into(),
            format!("\u{feff}{}", difficult(&["000002", "000001", "000003"])).into(),
        ]
    },
    words: &["\t0", "\t1", "\t", "000003", "\n"],
    mend: nothing,
    growth: GROWTH,
    parse: |bytes| parse(DIFFICULT_FILE, bytes),
};

/// The list of classes.
pub(super) static CLASSES: Target = Target {
    name: "classes",
    seeds: || vec![b"dog\tDog\nperson\ncat\n".to_vec(), b"\xef\xbb\xbfperson\ndog\n".to_vec()],
    words: &["dog\n", "\t", "\n", "/"],
    mend: nothing,
    growth: 100, // of a class there are its folder, its name and a place in an index
    parse: |bytes| parse("classes.txt", bytes),
};

fn annotation(objects: &[(&str, &str)]) -> String {
    let object = |(name, difficult): &(&str, &str)| {
        format!(
            "<object><name>{name}</name><pose>Left</pose><difficult>{difficult}</difficult>\
             <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>4.00</ymax></bndbox></object>\n"
        )
    };
    let objects: String = objects.iter().map(object).collect();
    format!("<annotation>\n<size><width>5</width><height>4</height><depth>3</depth></size>\n{objects}</annotation>\n")
}

fn difficult(photos: &[&str]) -> String {
    photos.iter().map(|photo| format!("{photo}{}\n", "\t0\t1".repeat(10))).collect()
}

fn parse(name: &'static str, bytes: &[u8]) -> Result<(), String> {
    thread_local!(static STAGE: RefCell<Option<(&'static str, Stage)>> = const { RefCell::new(None) });
    STAGE.with_borrow_mut(|kept| {
        // What another target has damaged isn't whole any more.
        let (_, stage) = match kept.take_if(|(of, _)| *of == name) {
            Some(stage) => kept.insert(stage),
            None => kept.insert((name, whole())),
        };
        stage.write(name, bytes);
        stage.load("voc07-test", name)
    })
}

fn whole() -> Stage {
    Stage::new()
        .with("JPEGImages/000001.jpg", blank(5, 4))
        .with("JPEGImages/000002.jpg", blank(5, 4))
        .with(ANNOTATION_FILE, annotation(&[("dog", "0")]))
        .with("Annotations/000002.xml", annotation(&[("person", "1"), ("dog", "0")]))
        .with(PHOTOS_FILE, "000001\n000002\n")
}
