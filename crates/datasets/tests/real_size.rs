//! Opening data sets of the real ones' sizes: `cargo test -p datasets --test real_size -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are not seen as tests

mod common;
#[path = "common/voc.rs"]
mod voc;

use std::fmt::Write as _;
use std::time::Instant;

use common::Root;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use voc::{object, xml};

/// The most memory that this process has had, in MiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

fn report(what: &str, root: &Root, kind: &str, samples: usize) {
    let before = peak();
    let start = Instant::now();
    let dataset = root.open_as(kind).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: opened in {seconds:.1} s; peak memory {before:?} MiB before, {:?} MiB after", peak());
    assert_eq!(dataset.len(), samples);
    assert!(seconds < 60.0);
    assert!(peak().is_none_or(|peak| peak < 1536), "{:?} MiB", peak());
}

/// 40,504 photos and 291,875 annotations, in a file of about 200 MB.
#[test]
#[ignore = "writes 200 MB and 40,504 files"]
fn coco14() {
    let mut random = ChaCha8Rng::seed_from_u64(14);
    let mut text = String::from("{\"info\":{},\"images\":[");
    let mut root = Root::new();
    for id in 1..=40_504 {
        let name = format!("COCO_val2014_{id:012}.jpg");
        root = root.file(&format!("val2014/{name}"), "");
        let comma = if id == 1 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"license\": 3,\"file_name\": \"{name}\",\"coco_url\": \"http://images.cocodataset.org/val2014/{name}\",\
             \"height\": 480,\"width\": 640,\"date_captured\": \"2013-11-14 11:18:45\",\"id\": {id}}}"
        )
        .unwrap();
    }
    text += "],\"annotations\":[";
    for id in 1..=291_875 {
        let comma = if id == 1 { "" } else { ", " };
        let corners = random.random_range(8..64) * 2;
        let corners: Vec<String> = (0..corners).map(|_| format!("{:.2}", random.random_range(0.0..480.0))).collect();
        write!(
            text,
            "{comma}{{\"segmentation\": [[{}]],\"area\": 702.1057499999998,\"iscrowd\": 0,\"image_id\": {},\
             \"bbox\": [473.07,395.93,38.65,28.67],\"category_id\": {},\"id\": {id}}}",
            corners.join(","),
            random.random_range(1..=40_504),
            random.random_range(1..=80)
        )
        .unwrap();
    }
    text += "],\"categories\":[";
    for id in 1..=80 {
        let comma = if id == 1 { "" } else { "," };
        write!(text, "{comma}{{\"supercategory\":\"thing\",\"id\":{id},\"name\":\"thing {id}\"}}").unwrap();
    }
    text += "]}";
    let size = text.len();
    let root = root.file("annotations/instances_val2014.json", text);
    report(&format!("COCO of {} MB", size / 1_000_000), &root, "coco14-val", 40_504);
}

/// 4,952 photos of three objects each.
#[test]
#[ignore = "writes 9,905 files"]
fn voc07() {
    let objects = object("dog", 0, ["48", "240", "195", "371"])
        + &object("person", 0, ["8", "12", "352", "375"])
        + &object("sofa", 1, ["1", "1", "500", "375"]);
    let annotation = xml(500, 375, &objects);
    let mut root = Root::new();
    let mut list = String::new();
    for id in 1..=4952 {
        root = root.file(&format!("JPEGImages/{id:06}.jpg"), "").file(&format!("Annotations/{id:06}.xml"), &annotation);
        writeln!(list, "{id:06}").unwrap();
    }
    report("VOC", &root.file("ImageSets/Main/test.txt", list), "voc07-test", 4952);
}
