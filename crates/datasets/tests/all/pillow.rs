//! Decoding and resizing against what Pillow makes of the same files (`fixtures/make_fixtures.py`).

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::path::{Path, PathBuf};

use datasets::Mask;
use datasets::image::decode::decode;
use datasets::image::preprocess::{squash, squash_mask};
use image::RgbImage;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn rows(name: &str) -> Vec<csv::StringRecord> {
    let rows: Vec<_> = csv::Reader::from_path(fixtures().join(name)).unwrap().records().map(Result::unwrap).collect();
    assert!(rows.len() > 10, "{name} has {} rows", rows.len());
    rows
}

/// Fails with the count and size of the differences from the bytes Pillow gave.
fn assert_same(name: &str, got: &RgbImage, height: &str, width: &str, expected: &Path) {
    assert_eq!((got.height().to_string().as_str(), got.width().to_string().as_str()), (height, width), "{name}");
    let expected = std::fs::read(expected).unwrap();
    assert_eq!(got.as_raw().len(), expected.len(), "{name}");
    let differences: Vec<u8> =
        got.as_raw().iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).filter(|d| *d > 0).collect();
    assert!(
        differences.is_empty(),
        "{name}: {} of {} values differ, by up to {:?}",
        differences.len(),
        expected.len(),
        differences.iter().max()
    );
}

#[test]
fn decodes_every_kind_of_file_as_pillow_does() {
    for row in rows("decode.csv") {
        let path = fixtures().join("decode").join(&row[0]);
        let expected = fixtures().join("decode").join(format!("{}.rgb", &row[0]));
        assert_same(&row[0], &decode(&path).unwrap(), &row[1], &row[2], &expected);
    }
}

#[test]
fn resizes_as_pillow_does() {
    for row in rows("resize.csv") {
        let source = decode(&fixtures().join("resize").join(&row[0])).unwrap();
        let got = squash(&source, row[1].parse().unwrap(), row[2].parse().unwrap());
        assert_same(&row[0], &got, &row[1], &row[2], &fixtures().join("resize").join(&row[3]));
    }
}

#[test]
fn resizes_masks_as_pillow_does() {
    let mask = |name: &str| {
        let image = decode(&fixtures().join("nearest").join(name)).unwrap();
        Mask {
            width: image.width(),
            height: image.height(),
            pixels: image.pixels().map(|pixel| pixel[0] > 0).collect(),
        }
    };
    for row in rows("nearest.csv") {
        let (height, width) = (row[1].parse().unwrap(), row[2].parse().unwrap());
        let (got, expected) = (squash_mask(&mask(&row[0]), width, height), mask(&row[3]));
        assert_eq!((got.width, got.height), (expected.width, expected.height), "{}", &row[0]);
        let off = got.pixels.iter().zip(&expected.pixels).filter(|(got, expected)| got != expected).count();
        assert_eq!(off, 0, "{}: pixels that differ", &row[0]);
    }
}
