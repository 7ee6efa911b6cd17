//! Files that are not decoded: each names itself and what was found, none panics.

use std::path::Path;

use crate::common::{Root, fixture, fixture_path};
use datasets::image::decode::decode;

fn error_of(path: &Path) -> String {
    match decode(path) {
        Ok(image) => panic!("{} decoded to {} × {}", path.display(), image.width(), image.height()),
        Err(error) => error.to_string(),
    }
}

/// The message for a file with this content, without its path, which it must start with.
fn error(content: impl AsRef<[u8]>) -> String {
    let root = Root::new().file("photo.JPEG", content);
    let path = root.path().join("photo.JPEG");
    let message = error_of(&path);
    message.strip_prefix(&format!("{}: ", path.display())).unwrap_or_else(|| panic!("no path in {message}")).to_owned()
}

#[test]
fn other_formats_are_named() {
    for (file, format) in [("small.gif", "Gif"), ("small.webp", "WebP"), ("small.bmp", "Bmp"), ("small.tiff", "Tiff")] {
        let message = error_of(&fixture_path(file));
        assert!(
            message.ends_with(&format!("{file}: is a {format} image; only JPEG and PNG are read, convert it first")),
            "{message}"
        );
    }
}

#[test]
fn what_is_no_image() {
    assert_eq!(error(""), "is empty (0 bytes); copy it again");
    let html = error("<html><body>404 Not Found</body></html>");
    assert_eq!(
        html,
        "is not an image of a known format, but text that starts with \"<html><body>404 Not Found</body>\"; a JPEG or PNG is expected"
    );
    let bytes = error([0x00, 0xff, 0x10, 0x80, 0x81, 1, 2, 3, 4, 5]);
    assert!(bytes.contains("bytes that start with [00, ff, 10, 80, 81, 01, 02, 03]"), "{bytes}");
}

#[test]
fn folders_and_missing_files() {
    let root = Root::with(&["folder.JPEG/x"]);
    assert!(error_of(&root.path().join("folder.JPEG")).ends_with("folder.JPEG: is a folder, not an image file"));
    assert!(error_of(&root.path().join("gone.JPEG")).contains("gone.JPEG: No such file"));
}

/// Cut anywhere, a JPEG gives an error: libjpeg alone would paint the rest grey.
#[test]
fn truncated_jpegs() {
    for file in ["rgb_420.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "restarts.jpg"] {
        let whole = fixture(file);
        for length in (3..whole.len() - 2).step_by(7) {
            let message = error(&whole[..length]);
            assert!(message.contains("JPEG"), "{file} cut to {length}: {message}");
        }
        let message = error(&whole[..whole.len() / 2 + whole.len() / 4]);
        assert!(message.starts_with("is a truncated JPEG ("), "{file}: {message}");
    }
}

#[test]
fn truncated_and_damaged_pngs() {
    let whole = fixture("rgb_8.png");
    for length in 8..whole.len() - 12 {
        let message = error(&whole[..length]);
        assert!(message.starts_with("is a damaged or truncated PNG ("), "cut to {length}: {message}");
    }
    let mut flipped = whole.clone();
    let pixels = flipped.windows(4).position(|bytes| bytes == b"IDAT").unwrap() + 20;
    flipped[pixels] ^= 0x10;
    assert!(error(flipped).starts_with("is a damaged or truncated PNG ("));
}

#[test]
fn damaged_jpegs() {
    let whole = fixture("rgb_420.jpg");
    let frame = whole.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
    let with = |offset: usize, values: &[u8]| {
        let mut bytes = whole.clone();
        bytes[frame + offset..frame + offset + values.len()].copy_from_slice(values);
        error(bytes)
    };
    assert_eq!(with(4, &[12]), "is a damaged JPEG (Unsupported JPEG data precision 12)");
    assert!(with(5, &[0, 0]).starts_with("is a damaged JPEG (Empty JPEG image"));
    assert!(with(11, &[0]).starts_with("is a damaged JPEG (Bogus sampling factors"));
    assert_eq!(error([0xff, 0xd8, 0xff, 0xd9]), "is a damaged JPEG (no image in the JPEG file)");
}

#[test]
fn bombs_are_refused_by_their_header() {
    let mut jpeg = fixture("rgb_420.jpg");
    let frame = jpeg.windows(2).position(|bytes| bytes == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xfd, 0xe8, 0xfd, 0xe8]);
    assert_eq!(error(jpeg), "is 65000 × 65000 pixels; at most 89478485 pixels and 65535 a side are decoded");
    // A header with the size 70000 × 2 and its checksum.
    let png = [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\x11\x70\0\0\0\x02\x08\x02\0\0\0".as_slice(),
        &crc(b"IHDR\0\x01\x11\x70\0\0\0\x02\x08\x02\0\0\0"),
        &fixture("rgb_8.png")[33..],
    ]
    .concat();
    assert_eq!(error(png), "is 70000 × 2 pixels; at most 89478485 pixels and 65535 a side are decoded");
}

/// PNG's checksum (CRC-32), bit by bit.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let step = |crc: u32| {
        if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
    };
    let add = |crc, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc));
    (!bytes.iter().fold(!0, add)).to_be_bytes()
}
