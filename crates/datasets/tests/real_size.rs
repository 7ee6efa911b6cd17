//! Opening data sets of the real ones' sizes: `cargo test -p datasets --test real_size -- --ignored
//! --nocapture --test-threads 1`.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are not seen as tests

mod common;
#[path = "common/voc.rs"]
mod voc;

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use common::{Root, peak};
use hdf5_pure::FileBuilder;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use voc::{object, xml};

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

/// 1,000 photos of 500 × 375 pixels with masks.
#[test]
#[ignore = "writes 600 MB"]
fn imagenet_seg() {
    reads_in_little_memory(1000);
}

#[test]
fn a_tenth_of_imagenet_seg() {
    reads_in_little_memory(100);
}

/// A file of so many photos is far larger than what its samples may take, however many are read.
fn reads_in_little_memory(photos: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gtsegs_ijcv.mat");
    // By another process, since writing takes memory.
    let write = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "write_imagenet_seg"])
        .env(WRITE, format!("{photos} {}", path.display()))
        .output()
        .unwrap();
    assert!(write.status.success(), "{}", String::from_utf8_lossy(&write.stdout));
    let before = peak();
    let start = Instant::now();
    let dataset = datasets::open("imagenet-seg", &datasets::Source::at(folder.path())).unwrap();
    let opened = start.elapsed().as_secs_f64();
    assert_eq!(dataset.len(), photos);
    for index in 0..dataset.len() {
        let sample = dataset.load(index).unwrap();
        assert_eq!(sample.image.dimensions(), (500, 375));
        assert_eq!(
            sample.image.get_pixel(499, 374).0,
            [2, 1, 0].map(|plane| noise(index as u64 + 1, LENGTH - 1 - plane * PLANE))
        );
        assert_eq!(sample.object.unwrap().mask.pixels.iter().filter(|pixel| **pixel).count(), 375 * (index % 500));
    }
    println!(
        "{} MB: opened in {opened:.3} s, all read after {:.1} s; peak memory {before:?} MiB before, {:?} MiB after",
        std::fs::metadata(&path).unwrap().len() / 1_000_000,
        start.elapsed().as_secs_f64(),
        peak()
    );
    assert!(peak().is_none_or(|peak| peak < before.unwrap_or(0) + 32), "{:?} MiB", peak());
}

/// Variable with the number of photos to write, and their folder.
const WRITE: &str = "WRITE_IMAGENET_SEG";
const PLANE: usize = 500 * 375;
const LENGTH: usize = 3 * PLANE;

/// Values that deflate makes nothing of.
fn noise(image: u64, at: usize) -> u8 {
    let mixed = (image << 32 | at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56) as u8
}

#[test]
#[ignore = "writes what `imagenet_seg` reads"]
fn write_imagenet_seg() {
    let Ok(write) = std::env::var(WRITE) else { return };
    let (photos, path) = write.split_once(' ').unwrap();
    let photos: u64 = photos.parse().unwrap();
    let mut file = FileBuilder::new();
    file.with_userblock(512);
    let (mut refs, mut value) = (file.create_group("#refs#"), file.create_group("value"));
    let names = |kind: &str| (1..=photos).map(|number| format!("#refs#/{kind}{number}")).collect::<Vec<_>>();
    for number in 1..=photos {
        let pixels: Vec<u8> = (0..LENGTH).map(|at| noise(number, at)).collect();
        refs.create_dataset(&format!("image{number}"))
            .with_u8_data(&pixels)
            .with_shape(&[3, 500, 375])
            .with_chunks(&[1, 250, 375])
            .with_deflate(1);
        // As many columns as the number says.
        let mask: Vec<u8> = (0..PLANE).map(|at| u8::from(((at / 375) as u64) < (number - 1) % 500)).collect();
        refs.create_dataset(&format!("mask{number}"))
            .with_u8_data(&mask)
            .with_shape(&[500, 375])
            .with_chunks(&[250, 375])
            .with_deflate(1);
        refs.create_dataset(&format!("cell{number}"))
            .with_path_references(&[&format!("#refs#/mask{number}")])
            .with_shape(&[1, 1]);
    }
    for (name, names) in [("img", names("image")), ("gt", names("cell"))] {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        value.create_dataset(name).with_path_references(&names).with_shape(&[photos, 1]);
    }
    file.add_group(refs.finish());
    file.add_group(value.finish());
    file.write(path).unwrap();
}
