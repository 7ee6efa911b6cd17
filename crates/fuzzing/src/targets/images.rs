//! JPEG and PNG.

use super::stage::{Stage, fixture, fixtures};
use crate::{Target, nothing};

/// Photos and masks.
pub(super) static IMAGE: Target = Target {
    name: "image",
    seeds,
    words: &["IHDR", "PLTE", "tRNS", "IDAT", "iCCP", "zTXt", "IEND", "Exif\0\0", "Adobe", "\u{0}\u{0}"],
    mend: checksums,
    // Deflate makes at most 1032 bytes of one, each may be eight grey pixels, and a pixel is three
    // bytes at last.
    growth: 1032 * 8 * 4,
    parse,
};

/// Masks of objects, read in each of the ways that a config may ask for.
pub(super) static MASK: Target = Target {
    name: "mask",
    seeds: || {
        let drawn = [0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0];
        let mut seeds = Vec::new();
        let mut add = |image: image::DynamicImage| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            image.write_to(&mut bytes, image::ImageFormat::Png).expect("a PNG in memory");
            seeds.push(bytes.into_inner());
        };
        let grey = |value: u16| drawn.iter().map(|pixel| pixel * value).collect::<Vec<u16>>();
        let small = |value: u16| grey(value).into_iter().map(|value| value as u8).collect::<Vec<u8>>();
        let whole = "a buffer of 4 × 3 pixels";
        add(image::GrayImage::from_raw(4, 3, small(255)).expect(whole).into());
        add(image::ImageBuffer::<image::Luma<u16>, _>::from_raw(4, 3, grey(300)).expect(whole).into());
        let alpha = small(1).into_iter().flat_map(|value| [value, 255 * value]).collect();
        add(image::GrayAlphaImage::from_raw(4, 3, alpha).expect(whole).into());
        seeds.push(PALETTE.to_vec());
        seeds
    },
    words: &["IHDR", "PLTE", "tRNS", "IDAT", "IEND", "\u{0}\u{0}", "\u{1}\u{3}", "\u{10}\u{0}", "\u{2}\u{4}"],
    mend: checksums,
    growth: 1032 * 8 * 4,
    parse: |bytes| {
        thread_local!(static STAGE: Stage = Stage::new().with("images/a.png", super::stage::blank(4, 3)));
        STAGE.with(|stage| {
            let name = "masks/a.png";
            stage.write(name, bytes);
            for values in [[Some(255), None], [None, Some(128)], [Some(1), Some(2)]] {
                let _ = stage.load_with("imagenet-seg", name, values);
            }
            stage.load("imagenet-seg", name)
        })
    },
};

/// A mask of 4 × 3 pixels with a palette of two bits, black and red.
const PALETTE: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x04\x00\x00\x00\x03\x02\x03\x00\x00\x00\xc9\x9aFU\x00\x00\x00\x06PLTE\x00\x00\x00\x80\x00\x00DR\xa2O\x00\x00\x00\x0eIDATx\x9cc`e\x10e`\x00\x00\x00^\x00\x1b\xb3%\x19m\x00\x00\x00\x00IEND\xaeB`\x82";

/// Headers of photos, from which only the orientation is read.
pub(super) static EXIF: Target = Target {
    name: "exif",
    seeds: || {
        let little =
            b"II*\0\x08\0\0\0\x02\0\x06\x01\x03\0\x01\0\0\0\x02\0\0\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let big = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0\0\0\0\0";
        let jpeg = |tiff: &[u8], before: &[u8]| {
            let length = (tiff.len() as u16 + 8).to_be_bytes();
            [&b"\xff\xd8"[..], before, b"\xff\xe1", &length, b"Exif\0\0", tiff, b"\xff\xd9"].concat()
        };
        vec![jpeg(little, b""), jpeg(big, b"\xff\xe0\0\x04JF\xff\xff\xfe\0\x03c")]
    },
    words: &["Exif\0\0", "II*\0", "MM\0*", "\u{12}\u{1}\u{3}\u{0}", "\u{1}\u{12}\u{0}\u{3}", "\u{0}\u{2}"],
    mend: nothing,
    growth: crate::GROWTH,
    parse: |bytes| {
        thread_local! {
            static STAGE: Stage = Stage::new()
                .with("Annotations/1.xml", "<annotation><size><width>5</width><height>4</height></size></annotation>")
                .with("ImageSets/Main/test.txt", "1\n");
        }
        STAGE.with(|stage| {
            stage.write("JPEGImages/1.jpg", bytes);
            let dataset =
                datasets::open("voc07-test", &datasets::Source::at(stage.path())).map_err(|e| e.to_string())?;
            // Whatever the header says, the photo can be loaded or can't.
            let _ = dataset.load(0);
            match &dataset.look_through(&[0])[..] {
                [] => Err("has no orientation, or that of its pixels".into()),
                [said] => {
                    assert!(said.contains("EXIF orientation other than 1"), "{said}");
                    Ok(())
                }
                more => panic!("one photo is counted once: {more:?}"),
            }
        })
    },
};

fn seeds() -> Vec<Vec<u8>> {
    let folder = fixtures("crates/datasets/tests/fixtures/decode");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // Pixels beside an image say that it is one that is read.
    names.retain(|name| folder.join(format!("{name}.rgb")).exists());
    names.sort();
    names.iter().map(|name| fixture(&format!("crates/datasets/tests/fixtures/decode/{name}"))).collect()
}

fn parse(bytes: &[u8]) -> Result<(), String> {
    thread_local!(static STAGE: Stage = Stage::new());
    STAGE.with(|stage| {
        stage.write("image", bytes);
        let image = datasets::image::decode::decode(&stage.path().join("image")).map_err(|error| error.to_string())?;
        let (width, height) = image.dimensions();
        assert!(width > 0 && height > 0 && image.as_raw().len() == width as usize * height as usize * 3);
        Ok(())
    })
}

/// Puts the checksums of a PNG's chunks right, as far as there are chunks.
fn checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while bytes.starts_with(b"\x89PNG") && at + 12 <= bytes.len() {
        let length = u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
        let end = at + 8 + length;
        if end + 4 > bytes.len() {
            return;
        }
        let sum = crc32fast::hash(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        at = end + 4;
    }
}
