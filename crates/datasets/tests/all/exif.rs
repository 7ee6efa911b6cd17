//! EXIF orientations are counted and followed by nobody.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use crate::coco;
use crate::common::{self, Root, fixture};
use crate::voc::{object, xml};
use datasets::image::decode::decode;

/// A TIFF header with an entry of another tag and then the orientation.
fn tiff(orientation: u16, big: bool) -> Vec<u8> {
    let (two, four) = if big {
        (u16::to_be_bytes as fn(u16) -> [u8; 2], u32::to_be_bytes as fn(u32) -> [u8; 4])
    } else {
        (u16::to_le_bytes as fn(u16) -> [u8; 2], u32::to_le_bytes as fn(u32) -> [u8; 4])
    };
    let mut bytes = if big { b"MM".to_vec() } else { b"II".to_vec() };
    bytes.extend([&two(42)[..], &four(8), &two(2)].concat());
    for (tag, value) in [(0x0106, 2), (0x0112, orientation)] {
        bytes.extend([&two(tag)[..], &two(3), &four(1), &two(value), &two(0)].concat());
    }
    bytes.extend(four(0));
    bytes
}

/// A JPEG with these segments behind its start.
fn with(jpeg: &[u8], segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = jpeg[..2].to_vec();
    for (marker, content) in segments {
        bytes.extend([0xff, 0xff, *marker]); // a fill byte may be in front
        bytes.extend((content.len() as u16 + 2).to_be_bytes());
        bytes.extend(content);
    }
    bytes.extend(&jpeg[2..]);
    bytes
}

fn exif(orientation: u16, big: bool) -> (u8, Vec<u8>) {
    (0xe1, [b"Exif\0\0".to_vec(), tiff(orientation, big)].concat())
}

fn png_with(orientation: u16, width: u32, height: u32) -> Vec<u8> {
    let mut info = png::Info::with_size(width, height);
    info.exif_metadata = Some(tiff(orientation, true).into());
    let mut bytes = Vec::new();
    let encoder = png::Encoder::with_info(&mut bytes, info).unwrap();
    encoder.write_header().unwrap().write_image_data(&vec![0; (width * height) as usize]).unwrap();
    bytes
}

/// Photos in VOC's layout, each with a box.
fn voc_with(photos: &[Vec<u8>], width: u32, height: u32) -> Root {
    let annotation = xml(width, height, &object("dog", 0, ["1", "1", "2", "2"]));
    let mut root = Root::new();
    let mut list = String::new();
    for (photo, number) in photos.iter().zip(1..) {
        root = root
            .file(&format!("JPEGImages/{number:06}.jpg"), photo)
            .file(&format!("Annotations/{number:06}.xml"), &annotation);
        list += &format!("{number:06}\n");
    }
    root.file("ImageSets/Main/test.txt", list)
}

fn size(jpeg: &[u8]) -> (u32, u32) {
    let root = Root::new().file("a.jpg", jpeg);
    decode(&root.path().join("a.jpg")).unwrap().dimensions()
}

#[test]
fn turned_photos_are_counted_and_not_turned() {
    let jpeg = fixture("rgb_420.jpg");
    let (width, height) = size(&jpeg);
    let thumbnail = (0xe2, vec![0xff; 60_000]);
    let xmp = (0xe1, b"http://ns.adobe.com/xap/1.0/\0<x/>".to_vec());
    let photos = [
        jpeg.clone(),
        with(&jpeg, &[exif(1, true)]),
        with(&jpeg, &[exif(6, true)]),
        with(&jpeg, &[exif(3, false)]),
        with(&jpeg, &[thumbnail.clone(), thumbnail, xmp, exif(8, false)]),
        png_with(5, width, height),
        // Orientations that there aren't, and an entry that is cut off.
        with(&jpeg, &[exif(0, true)]),
        with(&jpeg, &[exif(9, true)]),
        with(&jpeg, &[(0xe1, b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12".to_vec())]),
    ];
    let root = voc_with(&photos, width, height);
    let data = root.open_as("voc07-test").unwrap();
    let remark = |count, all, first, orientation| {
        let have = if count == 1 { "has" } else { "have" };
        format!(
            "{count} of {all} photos {have} an EXIF orientation other than 1 (the first: JPEGImages/{first}, of {orientation}); photos are read \
             unrotated, and boxes are taken for their pixels as they are stored, as torchvision and pycocotools take them"
        )
    };
    assert_eq!(data.look_through(&(0..9).collect::<Vec<_>>()), [remark(4, 9, "000003", 6)]);
    assert_eq!(data.look_through(&[4, 2]), [remark(2, 2, "000005", 8)]);
    assert_eq!(data.look_through(&[5]), [remark(1, 1, "000006", 5)]);
    assert_eq!(data.look_through(&[0, 1, 6, 7, 8]), [""; 0]);
    let plain = data.load(0).unwrap().image;
    for turned in [2, 3, 4] {
        assert!(data.load(turned).unwrap().image == plain, "pixels as they are stored");
    }
}

#[test]
fn sizes_that_are_swapped_name_exif() {
    let jpeg = fixture("rgb_420.jpg");
    let (width, height) = size(&jpeg);
    assert_ne!(width, height);
    let photos = [with(&jpeg, &[exif(6, true)]), with(&jpeg, &[exif(3, true)]), jpeg.clone()];
    let root = voc_with(&photos, height, width);
    let data = root.open_as("voc07-test").unwrap();
    let said = |index: usize| data.load(index).unwrap_err().to_string();
    let why = "; the photo's EXIF orientation is 6, so viewers turn it by a quarter, and it seems to have been annotated turned: write it turned, \
               without EXIF orientation, or annotate it as it is stored";
    assert!(said(0).ends_with(&format!("is {width} × {height}{why}")), "{}", said(0));
    for index in [1, 2] {
        assert!(said(index).ends_with("swapped, as by an EXIF orientation that was followed once and dropped once"));
    }
    let other = voc_with(&photos, height, width + 1);
    let other = other.open_as("voc07-test").unwrap().load(0).unwrap_err().to_string();
    assert!(!other.contains("EXIF"), "{other}");

    let turned = png_with(7, 6, 8);
    let root = coco::coco(&[]).file("val2014/COCO_val2014_000000000007.jpg", turned);
    let data = root.open_as("coco14-val").unwrap();
    let said = data.load(0).unwrap_err().to_string();
    assert!(said.contains("is 6 × 8; the photo's EXIF orientation is 7"), "{said}");
    assert!(data.look_through(&[0, 1])[0].contains("and boxes and masks are taken for"));

    let root = Root::new()
        .file("images/a.jpg", with(&jpeg, &[exif(6, true)]))
        .file("masks/a.png", common::blank(height, width));
    let data = root.open_as("imagenet-seg").unwrap();
    let said = data.load(0).unwrap_err().to_string();
    assert!(
        said.contains(&format!(
            "is {height} × {width} pixels, its image {width} × {height}; the photo's EXIF orientation is 6"
        )),
        "{said}"
    );
    assert!(
        data.look_through(&[0])
            .iter()
            .any(|remark| remark.contains("1 of 1 photos has an EXIF orientation other than 1"))
    );
}
