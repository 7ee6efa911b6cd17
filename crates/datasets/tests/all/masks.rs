//! Masks of objects in image files: what isn't 0 is object at any depth, and what a mask doesn't
//! say is refused.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use crate::common::{Root, blank};
use datasets::{Object, Source, open};
use png::{BitDepth, ColorType};

const KIND: &str = "imagenet-seg";
/// Of 5 × 3 pixels, so that lines of less than 8 bits a pixel don't fill whole bytes.
const OBJECT: [u8; 15] = [0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1];

/// A PNG of 5 × 3 pixels; `samples` are all of each pixel's, as numbers of the depth.
fn png_of(colour: ColorType, depth: BitDepth, samples: &[u16], palette: Option<&[u8]>, trns: Option<&[u8]>) -> Vec<u8> {
    let bits = depth as usize;
    let mut data = Vec::new();
    for line in samples.chunks(samples.len() / 3) {
        if bits == 16 {
            data.extend(line.iter().flat_map(|sample| sample.to_be_bytes()));
            continue;
        }
        for byte in line.chunks(8 / bits) {
            let packed = byte.iter().enumerate().map(|(at, &sample)| (sample as u8) << (8 - bits * (at + 1)));
            data.push(packed.fold(0, |a, b| a | b));
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 5, 3);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    palette.into_iter().for_each(|palette| encoder.set_palette(palette.to_vec()));
    trns.into_iter().for_each(|trns| encoder.set_trns(trns.to_vec()));
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
    bytes
}

fn grey(depth: BitDepth, values: impl IntoIterator<Item = u16>) -> Vec<u8> {
    png_of(ColorType::Grayscale, depth, &values.into_iter().collect::<Vec<_>>(), None, None)
}

/// The object's pixels as this value, the others as 0.
fn drawn(value: u16) -> impl Iterator<Item = u16> + Clone {
    OBJECT.into_iter().map(move |object| u16::from(object) * value)
}

/// [`OBJECT`] with other values put in some places.
fn with(value: u16, others: &[(usize, u16)]) -> Vec<u16> {
    let mut values: Vec<u16> = drawn(value).collect();
    others.iter().for_each(|&(place, other)| values[place] = other);
    values
}

/// The object of a sample with this mask, or what is said of the mask.
fn object(mask: &[u8], void: Option<u16>, threshold: Option<u16>) -> Result<Object, String> {
    let root = Root::new().file("images/a.png", blank(5, 3)).file("masks/a.png", mask);
    let data = open(KIND, &Source { void, threshold, ..Source::at(root.path()) }).unwrap();
    let loaded = data.load(0).map(|sample| sample.object.unwrap());
    loaded.map_err(|error| root.in_root(&error).strip_prefix("ROOT/masks/a.png: ").unwrap().to_owned())
}

fn bits(pixels: &[bool]) -> Vec<u8> {
    pixels.iter().map(|&pixel| pixel.into()).collect()
}

#[track_caller]
fn assert_object(mask: &[u8], what: &str) {
    let object = object(mask, None, None).unwrap_or_else(|problem| panic!("{what}: {problem}"));
    assert_eq!((bits(&object.mask.pixels), object.void), (OBJECT.to_vec(), None), "{what}");
}

#[track_caller]
fn refused(mask: &[u8], parts: &[&str]) {
    let problem = object(mask, None, None).unwrap_err();
    assert!(parts.iter().all(|part| problem.contains(part)), "{problem}");
}

#[test]
fn what_is_not_0_is_object_at_any_depth() {
    use BitDepth::{Eight, Four, One, Sixteen, Two};
    for depth in [One, Two, Four, Eight, Sixteen] {
        let most = u16::MAX >> (16 - depth as u16);
        for value in [1, most, most / 2 + 1] {
            assert_object(&grey(depth, drawn(value)), &format!("grey of {depth:?} bits, {value}"));
        }
    }
    // Black, and the others in colours; only indices 0 and 1, or 0 and the last.
    for (depth, last) in [(One, 1), (Two, 3), (Four, 15), (Eight, 255)] {
        let palette: Vec<u8> = (0..=last).flat_map(|index| [index as u8, if index > 0 { 200 } else { 0 }, 0]).collect();
        for value in [1, last] {
            let samples: Vec<u16> = drawn(value).collect();
            assert_object(
                &png_of(ColorType::Indexed, depth, &samples, Some(&palette), None),
                &format!("palette of {depth:?} bits, index {value}"),
            );
        }
    }
    for depth in [Eight, Sixteen] {
        let most = u16::MAX >> (16 - depth as u16);
        for (what, colour, values) in [
            ("red", ColorType::Rgb, vec![1, 0, 0]),
            ("blue", ColorType::Rgb, vec![0, 0, most]),
            ("opaque grey", ColorType::GrayscaleAlpha, vec![1, most]),
            ("opaque green", ColorType::Rgba, vec![0, 1, 0, most]),
        ] {
            let alpha = match colour {
                ColorType::GrayscaleAlpha | ColorType::Rgba => values.len() - 1,
                _ => values.len(),
            };
            let pixel = |object: u8| {
                let value =
                    move |(at, &value): (usize, &u16)| if at == alpha { value } else { value * u16::from(object) };
                values.iter().enumerate().map(value).collect::<Vec<_>>()
            };
            let samples: Vec<u16> = OBJECT.iter().flat_map(|&object| pixel(object)).collect();
            assert_object(&png_of(colour, depth, &samples, None, None), &format!("{what} of {depth:?} bits"));
        }
    }
}

#[test]
fn transparency_that_says_the_same_is_no_harm() {
    let cut_out: Vec<u16> = drawn(255).flat_map(|value| [value, value]).collect();
    assert_object(&png_of(ColorType::GrayscaleAlpha, BitDepth::Eight, &cut_out, None, None), "grey with alpha");
    let index: Vec<u16> = drawn(1).collect();
    let palette = [0, 0, 0, 9, 9, 9];
    assert_object(&png_of(ColorType::Indexed, BitDepth::Eight, &index, Some(&palette), Some(&[0, 255])), "palette");
    assert_object(&png_of(ColorType::Indexed, BitDepth::Eight, &index, Some(&palette), Some(&[7, 7])), "all of it");
    let level: Vec<u16> = drawn(300).collect();
    assert_object(&png_of(ColorType::Grayscale, BitDepth::Sixteen, &level, None, Some(&[0, 0])), "transparent black");
}

#[test]
fn an_object_in_the_transparency_alone_is_refused() {
    let white: Vec<u16> = drawn(255).flat_map(|value| [255, 255, 255, value]).collect();
    let parts =
        ["has its object in the transparency alone", "save the transparency as a grey image, with 0 for background"];
    refused(&png_of(ColorType::Rgba, BitDepth::Eight, &white, None, None), &parts);
    let black: Vec<u16> = drawn(65535).flat_map(|value| [0, value]).collect();
    refused(&png_of(ColorType::GrayscaleAlpha, BitDepth::Sixteen, &black, None, None), &parts);
    let index = vec![1; 15];
    let opacity = [0, 255];
    let uniform = png_of(ColorType::Indexed, BitDepth::Eight, &index, Some(&[0, 0, 0, 1, 1, 1]), Some(&opacity));
    assert_eq!(bits(&object(&uniform, None, None).unwrap().mask.pixels), [1; 15], "opacity is the same throughout");
    // Where both vary, they must say the same.
    let turned: Vec<u16> = drawn(255).flat_map(|value| [value, 255 - value]).collect();
    let soft: Vec<u16> = drawn(255).flat_map(|value| [value, value / 2]).collect();
    for samples in [turned, soft] {
        refused(
            &png_of(ColorType::GrayscaleAlpha, BitDepth::Eight, &samples, None, None),
            &["its transparency and its colours say different things of what is object"],
        );
    }
}

#[test]
fn more_than_two_values_are_refused() {
    use BitDepth::{Eight, Sixteen};
    let said = object(&grey(Eight, with(1, &[(0, 255)])), None, None).unwrap_err();
    assert_eq!(
        said,
        "is to be a mask of two values, 0 for background and another for the object, and has 0, 1, 255; set `void = …` in [[dataset]] to \
         the value of pixels that don't count, or `threshold = …` to the least value of the object"
    );
    refused(&grey(Sixteen, 0..15), &["has 0, 1, 2, 3, 4, 5 and more; set `void"]);
    let colours: Vec<u16> = drawn(128).flat_map(|red| [red, 0, 0]).collect();
    let mut three = colours.clone();
    three[..3].copy_from_slice(&[224, 224, 192]);
    refused(&png_of(ColorType::Rgb, Eight, &three, None, None), &["has 0, (128, 0, 0), (224, 224, 192); set"]);
    // Neither is 0: which of them is background isn't said.
    refused(&grey(Eight, OBJECT.map(|object| u16::from(object) + 1)), &["and has 1, 2; set"]);
    // One value alone is what it is.
    for (value, expected) in [(0, 0), (1, 1), (255, 1)] {
        let object = object(&grey(Eight, [value; 15]), None, None).unwrap();
        assert_eq!(bits(&object.mask.pixels), [expected; 15]);
    }
}

#[test]
fn a_palette_must_have_black_at_0_and_nowhere_else() {
    let index: Vec<u16> = drawn(1).collect();
    let said = |palette: &[u8]| {
        object(&png_of(ColorType::Indexed, BitDepth::Eight, &index, Some(palette), None), None, None).unwrap_err()
    };
    assert_eq!(
        said(&[255, 255, 255, 0, 0, 0]),
        "has a palette in which index 0 is of the colour [255, 255, 255], so that it can't be told whether black or index 0 is the \
         background; save it as a grey image with 0 for background"
    );
    assert!(said(&[0, 0, 0, 0, 0, 0]).starts_with("has a palette in which index 1 is of the colour [0, 0, 0]"));
    assert!(said(&[0, 0, 0]).starts_with("is a damaged"), "{}", said(&[0, 0, 0]));
    // What isn't used doesn't matter.
    assert_object(
        &png_of(ColorType::Indexed, BitDepth::Eight, &index, Some(&[0, 0, 0, 1, 0, 0, 0, 0, 0]), None),
        "black that isn't used",
    );
}

#[test]
fn void_is_neither_object_nor_background() {
    use BitDepth::{Eight, Sixteen};
    let expected = |object: Object| {
        assert_eq!(bits(&object.mask.pixels), [0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0]);
        assert_eq!(bits(&object.void.unwrap().pixels), [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    };
    let ring = |value: u16, void: u16| with(value, &[(1, void), (14, void)]);
    expected(object(&grey(Eight, ring(1, 255)), Some(255), None).unwrap());
    expected(object(&grey(Sixteen, ring(255, 65535)), Some(65535), None).unwrap());
    expected(object(&grey(Sixteen, ring(65535, 255)), Some(255), None).unwrap());
    // VOC: objects in colours, and the ring by its index, 255, whatever its colour.
    let mut palette = vec![0; 3 * 256];
    palette[3..6].copy_from_slice(&[128, 0, 0]);
    for ring_colour in [[224, 224, 192], [0, 0, 0]] {
        palette[765..].copy_from_slice(&ring_colour);
        let voc = png_of(ColorType::Indexed, Eight, &ring(1, 255), Some(&palette), None);
        expected(object(&voc, Some(255), None).unwrap());
    }
    let grey_rgb: Vec<u16> = ring(7, 255).into_iter().flat_map(|value| [value; 3]).collect();
    expected(object(&png_of(ColorType::Rgb, Eight, &grey_rgb, None, None), Some(255), None).unwrap());
    // A mask without void has none; one of void alone says nothing; and what is left must still be
    // of two values.
    assert_eq!(object(&grey(Eight, drawn(1)), Some(255), None).unwrap().void, None);
    assert_eq!(
        object(&grey(Eight, [255; 15]), Some(255), None).unwrap_err(),
        "is void throughout: no pixel of it counts"
    );
    let said = object(&grey(Eight, ring(2, 255).into_iter().map(|v| if v == 0 { 1 } else { v })), Some(255), None);
    assert!(said.unwrap_err().contains("and has 1, 2; set"));
}

#[test]
fn a_threshold_is_the_least_value_of_the_object() {
    use BitDepth::{Eight, Sixteen};
    let noisy = [3, 127, 128, 255, 0, 1, 200, 129, 250, 90, 128, 0, 2, 127, 254];
    let object_of = |mask: &[u8], threshold: u16| object(mask, None, Some(threshold)).unwrap().mask.pixels;
    assert_eq!(bits(&object_of(&grey(Eight, noisy), 128)), OBJECT);
    let fine = noisy.map(|value| value * 250);
    assert_eq!(bits(&object_of(&grey(Sixteen, fine), 32_000)), OBJECT);
    // Void goes first.
    let both = object(&grey(Eight, noisy), Some(255), Some(128)).unwrap();
    let (mut rest, mut void) = (OBJECT, [0; 15]);
    (rest[3], void[3]) = (0, 1);
    assert_eq!((bits(&both.mask.pixels), bits(&both.void.unwrap().pixels)), (rest.to_vec(), void.to_vec()));
    // Colours and indices have no order.
    let red: Vec<u16> = drawn(9).flat_map(|red| [red, 0, 0]).collect();
    let said = object(&png_of(ColorType::Rgb, Eight, &red, None, None), None, Some(5)).unwrap_err();
    assert_eq!(said, "has colours (0, (9, 0, 0)), and a threshold is for grey masks");
    let index: Vec<u16> = drawn(1).collect();
    let palette = png_of(ColorType::Indexed, Eight, &index, Some(&[0, 0, 0, 1, 1, 1]), None);
    assert_eq!(object(&palette, None, Some(1)).unwrap_err(), "has a palette, and a threshold is for grey masks");
    let white: Vec<u16> = drawn(255).flat_map(|value| [255, value]).collect();
    let cut_out = png_of(ColorType::GrayscaleAlpha, Eight, &white, None, None);
    assert!(object(&cut_out, None, Some(5)).unwrap_err().starts_with("has its object in the transparency alone"));
}

#[test]
fn jpegs_are_masks_with_a_threshold() {
    let half = image::GrayImage::from_fn(32, 16, |x, _| image::Luma([if x < 11 { 255 } else { 0 }]));
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 60).encode_image(&half).unwrap();
    let root = Root::new().file("images/a.png", blank(32, 16)).file("masks/a.jpg", jpeg);
    let load = |threshold| open(KIND, &Source { threshold, ..Source::at(root.path()) }).unwrap().load(0);
    let said = root.in_root(&load(None).unwrap_err());
    assert!(said.starts_with("ROOT/masks/a.jpg: is to be a mask of two values"), "{said}");
    let object = load(Some(128)).unwrap().object.unwrap();
    let expected: Vec<bool> = half.pixels().map(|pixel| pixel.0 == [255]).collect();
    assert!(object.mask.pixels == expected);
}

#[test]
fn masks_are_looked_through_before_a_run() {
    let root = ["a", "b", "c", "d"]
        .iter()
        .fold(Root::new(), |root, name| root.file(&format!("images/{name}.png"), blank(5, 3)));
    let root = root
        .file("masks/a.png", grey(BitDepth::Eight, drawn(1)))
        .file("masks/b.png", grey(BitDepth::Eight, [0; 15]))
        .file("masks/c.png", grey(BitDepth::Eight, with(1, &[(0, 255)])))
        .file("masks/d.png", "");
    let data = root.open_as(KIND).unwrap();
    let said = data.look_through(&[0, 1, 2, 3]);
    assert_eq!(said[0], "1 of 4 masks has no object, and all of it counts as background; the first: b");
    assert!(
        said[1].starts_with(
            "2 of 4 masks have a fault, and their samples fail; the first: c is to be a mask of two values"
        )
    );
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(data.look_through(&[0]), [""; 0]);
    assert!(data.load(1).unwrap().object.is_some() && data.load(2).is_err());
}

#[test]
fn values_of_masks_are_refused_where_there_are_none() {
    for kind in ["imagenet", "voc07-test", "coco14-val"] {
        let source = Source { void: Some(255), ..Source::at("nowhere".as_ref()) };
        let message = open(kind, &source).err().unwrap().to_string();
        assert!(message.contains("`void` is about values of masks of objects, and "), "{message}");
        let source = Source { threshold: Some(1), ..Source::at("nowhere".as_ref()) };
        assert!(open(kind, &source).err().unwrap().to_string().contains("`threshold` is about values"));
    }
}
