//! Saved maps: a gallery's pictures as files.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;

use bench::records::saved_maps::{Pictures, SavedMap, SavedMaps, clear, read, read_all, write};
use image::{Rgb, RgbImage};
use ucag_core::postprocess::MapState;

fn tile(method: &str, signed: bool, state: MapState) -> SavedMap {
    SavedMap {
        method: method.to_owned(),
        label: method.to_uppercase(),
        ucag: false,
        variant: String::new(),
        file: None,
        signed,
        largest: 0.0,
        state,
        point: None,
        scores: vec![("deletion".to_owned(), 0.25)],
    }
}

fn saved_maps(tiles: Vec<SavedMap>) -> SavedMaps {
    let (dataset, sample, class_name, model) = ("mini".into(), "s/0".into(), "ring".into(), "M".into());
    SavedMaps { dataset, sample, class: 3, class_name, model, size: [0; 2], mask: false, tiles }
}

fn image() -> RgbImage {
    RgbImage::from_fn(3, 2, |x, y| Rgb([10 * x as u8, 20 * y as u8, 7]))
}

/// Saved maps: one in [0, 1], a signed one and an all-zero one.
fn write_three(folder: &Path) {
    let tiles =
        vec![tile("cam", false, MapState::Ok), tile("lrp", true, MapState::Ok), tile("flat", false, MapState::AllZero)];
    let maps: [&[f32]; 3] = [&[0.0, 0.5, 1.0, 0.2, 2.0, -1.0], &[0.0, -4.0, 4.0, 2.0, -1.0, 0.01], &[0.0; 6]];
    let mask = [true, false, false, true, true, false];
    write(folder, saved_maps(tiles), &Pictures { image: &image(), mask: Some(&mask), maps: &maps }).unwrap();
}

fn grey(path: &Path) -> Vec<u8> {
    let picture = image::open(path).unwrap();
    assert_eq!(picture.color(), image::ColorType::L8);
    picture.to_luma8().into_raw()
}

#[test]
fn maps_become_the_grey_levels_that_are_documented() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("gallery/one");
    write_three(&folder);
    assert_eq!(grey(&folder.join("00.png")), [0, 128, 255, 51, 255, 0]);
    // 128 + round(127 v / 4): −4, 4, 2, −1 and 0.01.
    assert_eq!(grey(&folder.join("01.png")), [128, 1, 255, 192, 96, 128]);
    assert_eq!(grey(&folder.join("mask.png")), [255, 0, 0, 255, 255, 0]);
    assert!(!folder.join("02.png").exists());
}

#[test]
fn a_plate_is_read_as_it_was_written() {
    let gallery = tempfile::tempdir().unwrap();
    let folder = gallery.path().join("one");
    write_three(&folder);
    let back = read(&folder).unwrap();
    assert_eq!((back.size, back.mask, back.class, back.class_name.as_str()), ([3, 2], true, 3, "ring"));
    let files: Vec<Option<&str>> = back.tiles.iter().map(|tile| tile.file.as_deref()).collect();
    assert_eq!(files, [Some("00.png"), Some("01.png"), None]);
    assert_eq!(back.tiles.iter().map(|tile| tile.largest).collect::<Vec<_>>(), [2.0, 4.0, 0.0]);
    assert_eq!(back.tiles[1].scores, [("deletion".to_owned(), 0.25)]);
    assert_eq!(back.image(&folder).unwrap(), image());
    assert_eq!(back.mask(&folder).unwrap().unwrap(), [true, false, false, true, true, false]);
    let map = |place: usize| back.map(&folder, &back.tiles[place]).unwrap();
    let near =
        |map: &[f32], expected: &[f32]| map.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.5 / 127.0 + 1e-6);
    assert!(near(&map(0).unwrap(), &[0.0, 0.5, 1.0, 0.2, 1.0, 0.0]));
    assert!(near(&map(1).unwrap(), &[0.0, -1.0, 1.0, 0.5, -0.25, 0.0]));
    assert_eq!(map(2), None);
}

#[test]
fn the_same_plate_is_the_same_bytes_and_replaces_the_one_before() {
    let bytes = |folder: &Path| {
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
            .iter()
            .map(|file| (file.file_name().unwrap().to_owned(), std::fs::read(file).unwrap()))
            .collect::<Vec<_>>()
    };
    let gallery = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| gallery.path().join(name));
    write_three(&one);
    // An earlier one with more maps leaves nothing behind.
    let tiles: Vec<SavedMap> = (0..5).map(|_| tile("cam", false, MapState::Ok)).collect();
    write(&two, saved_maps(tiles), &Pictures { image: &image(), mask: None, maps: &[&[0.5_f32; 6][..]; 5] }).unwrap();
    assert!(two.join("04.png").exists());
    write_three(&two);
    assert_eq!(bytes(&one), bytes(&two));
}

#[test]
fn a_gallery_is_in_the_order_of_folders_without_what_is_half_written() {
    let gallery = tempfile::tempdir().unwrap();
    assert!(read_all(&gallery.path().join("absent")).unwrap().is_empty());
    for name in ["b", "a", "c"] {
        write_three(&gallery.path().join(name));
    }
    std::fs::remove_file(gallery.path().join("c/plate.json")).unwrap();
    std::fs::write(gallery.path().join("index.png"), "no saved maps").unwrap();
    let all_saved = read_all(gallery.path()).unwrap();
    let names: Vec<_> = all_saved.iter().map(|(folder, _)| folder.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn a_cleared_gallery_keeps_what_is_not_the_gallerys() {
    let gallery = tempfile::tempdir().unwrap();
    let at = |name: &str| gallery.path().join(name);
    clear(&at("absent")).unwrap();
    write_three(&at("00000_s.0_M"));
    for name in ["00000_s.0_M.png", "mine.png"] {
        std::fs::write(at(name), "a picture").unwrap();
    }
    std::fs::create_dir(at("mine")).unwrap();
    clear(gallery.path()).unwrap();
    let mut left: Vec<_> = std::fs::read_dir(gallery.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["mine", "mine.png"]);
}

#[test]
fn what_does_not_fit_is_refused_with_the_file() {
    let gallery = tempfile::tempdir().unwrap();
    let folder = gallery.path().join("one");
    let refused = |map: &[f32]| {
        let tiles = vec![tile("cam", false, MapState::Ok)];
        let error =
            write(&folder, saved_maps(tiles), &Pictures { image: &image(), mask: None, maps: &[map] }).unwrap_err();
        assert!(!folder.exists());
        format!("{error:#}")
    };
    assert!(refused(&[0.0; 5]).contains("CAM: a map of 5 values"), "{}", refused(&[0.0; 5]));
    assert!(refused(&[0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0]).contains("NaN"));

    write_three(&folder);
    let back = read(&folder).unwrap();
    RgbImage::new(4, 4).save(folder.join("image.png")).unwrap();
    let error = back.image(&folder).unwrap_err().to_string();
    assert!(error.contains("image.png") && error.contains("4 × 4"), "{error}");
    std::fs::write(folder.join("plate.json"), "{}").unwrap();
    let error = format!("{:#}", read_all(gallery.path()).unwrap_err());
    assert!(error.contains("plate.json") && error.contains("--fresh"), "{error}");
}
