//! Files made to hurt: they say that they hold more than they do, or go deeper than anybody writes.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::path::PathBuf;

use fuzzing::heap::measure;
use fuzzing::{run, targets};

/// Returns what comes of a file, within the same bounds of time and memory as any other.
#[track_caller]
fn outcome(target: &str, bytes: impl AsRef<[u8]>) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    run::one(targets::target(target).unwrap(), bytes.as_ref(), folder.path())
}

#[track_caller]
fn refused(target: &str, bytes: impl AsRef<[u8]>, part: &str) {
    let message = outcome(target, bytes).unwrap_err();
    assert!(message.contains(part), "no {part:?} in:\n{}", message.chars().take(2000).collect::<String>());
}

fn picture(name: &str) -> Vec<u8> {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../datasets/tests/fixtures/decode");
    std::fs::read(fixtures.join(name)).unwrap()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name[..], data].concat();
    [&(data.len() as u32).to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

/// A PNG whose header is right but for its size.
fn png(name: &str, side: u32) -> Vec<u8> {
    let mut bytes = picture(name);
    let sides = [side.to_be_bytes(), side.to_be_bytes()].concat();
    let header = [&sides, &bytes[24..29]].concat();
    bytes.splice(8..33, chunk(b"IHDR", &header));
    bytes
}

/// A JPEG whose frame says that it is of another size.
fn jpeg(name: &str, side: u16) -> Vec<u8> {
    let mut bytes = picture(name);
    let frame = bytes.windows(2).position(|pair| matches!(pair, [0xff, 0xc0 | 0xc2])).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
    bytes[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
    bytes
}

#[test]
fn images_larger_than_their_files() {
    for name in ["rgb_8.png", "rgb_16.png", "grey_1.png", "palette_2.png", "grey_alpha.png"] {
        let bytes = png(name, 9000);
        refused("image", &bytes, &format!("is a truncated PNG: {} bytes can't hold 9000 × 9000 pixels", bytes.len()));
    }
    for name in ["rgb_420.jpg", "rgb_444.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg"] {
        let bytes = jpeg(name, 9000);
        refused("image", &bytes, &format!("is a truncated JPEG: {} bytes can't hold 9000 × 9000 pixels", bytes.len()));
    }
}

/// A colour profile of 300 MB of zeros, packed a thousandfold; pixels don't depend on it.
#[test]
fn a_colour_profile_that_bursts() {
    let packed = deflated_zeros(300 << 20);
    let mut bytes = picture("rgb_8.png");
    bytes.splice(33..33, chunk(b"iCCP", &[b"x\0\0", &packed[..]].concat()));
    let (outcome, peak) = measure(|| (targets::target("image").unwrap().parse)(&bytes));
    outcome.unwrap();
    assert!(peak < 64 << 20, "{peak} bytes for {}", bytes.len());
}

/// A zlib stream of zeros without the checksum at its end: a block of Deflate's fixed code with one
/// literal, then copies of 258 bytes from one byte before.
fn deflated_zeros(count: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: u32, length: u32| bits.extend((0..length).rev().map(|bit| value >> bit & 1 == 1));
    put(0b1, 1); // the last block
    put(0b10, 2); // fixed code, lowest bit first
    put(0b0011_0000, 8); // the literal 0
    for _ in 0..count / 258 {
        put(0b1100_0101, 8); // length 258
        put(0, 5); // distance 1
    }
    put(0, 7); // end
    let bytes = bits.chunks(8).map(|byte| byte.iter().enumerate().map(|(at, bit)| u8::from(*bit) << at).sum());
    [0x78, 0x01].into_iter().chain(bytes).collect()
}

fn npy(header: &str, data: usize) -> Vec<u8> {
    let header = format!("{header}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn arrays_larger_than_their_files() {
    let of = |shape: &str| npy(&format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"), 4);
    refused("npy", of("(1000000000000,)"), "is cut short: 1 of 1000000000000 values");
    // 2³² × 2³² is 0 in 64 bits.
    for shape in [
        "(4294967296, 4294967296)",
        "(4294967296, 4294967296), 'other shape': (1,)",
        "(1,), 'shape': [4294967296, 4294967296]",
    ] {
        refused("npy", of(shape), "no shape that fits into memory");
    }
    refused("npy", npy(&"[".repeat(900), 4), "has 900 brackets in its header");
}

fn checkpoint(header: &str) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat()
}

#[test]
fn tensors_larger_than_their_files() {
    let of = |shape: &str, end: u32| {
        checkpoint(&format!(r#"{{"a":{{"dtype":"F32","shape":[{shape}],"data_offsets":[0,{end}]}}}}"#))
    };
    refused("checkpoint", of("1000000000000", 4), "not a complete safetensors file");
    refused("checkpoint", of("0, 9223372036854775808", 0), "not a complete safetensors file");
    let nothing = r#"{"a":{"dtype":"F32","shape":[9223372036854775808,0],"data_offsets":[0,0]}}"#;
    refused(
        "checkpoint",
        &checkpoint(nothing)[..8 + nothing.len()],
        "tensor a of shape [9223372036854775808, 0] is empty",
    );
    refused("checkpoint", of(&("1,".repeat(100_000) + "1"), 4), "tensor a has 100001 axes");
    refused("checkpoint", [u64::MAX.to_le_bytes().as_slice(), b"{}"].concat(), "header too large");
    refused("checkpoint", [90_000_001_u64.to_le_bytes().as_slice(), b"{}"].concat(), "invalid header length");
    for block in
        ["layer1.9999999999.conv1", "features.18446744073709551615", "features.denseblock1.denselayer99999999999.conv1"]
    {
        let header = format!(r#"{{"{block}.weight":{{"dtype":"F32","shape":[1,1,1,1],"data_offsets":[0,4]}}}}"#);
        refused("checkpoint", checkpoint(&header), "is missing");
    }
}

#[test]
fn depth() {
    for depth in [1000, 100_000] {
        let nested = |open: &str, close: &str| open.repeat(depth) + &close.repeat(depth);
        for value in [nested("[", "]"), nested("{a=", "}")] {
            refused("config", format!("a = {value}"), "cannot recurse further");
        }
        for keys in [format!("{}b = 1", "a.".repeat(depth)), format!("[{}b]", "a.".repeat(depth))] {
            refused("config", keys, "recursion limit");
        }
        refused("config-set", format!("{}b=1", "a.".repeat(depth)), &format!("the path has {} keys", depth + 1));
        refused("config-set", format!("title={}", "[".repeat(depth)), "cannot recurse further");
        refused("journal", format!("{{\"format\":2,\"identity\":{}}}\n", nested("[", "]")), "recursion limit exceeded");
        refused("coco", format!("{{\"a\":{}}}", nested("[", "]")), "has no `categories`");
        for inner in [nested("<object>", "</object>"), nested("<x>", "</x>"), "<object/><x/>".repeat(depth)] {
            refused("voc-annotation", format!("<annotation>{inner}</annotation>"), "has no <size>");
        }
    }
}

#[test]
fn length() {
    refused("config", format!("x = [{}]", "1,".repeat(300_000)), "there is no [dataset]");
    refused("config", "[[method]]\nid = \"gradcam\"\n".repeat(20_000), "there is no [dataset]");
    let letters = "9".repeat(500_000);
    refused(
        "voc-annotation",
        format!("<annotation><size><width>{letters}</width></size></annotation>"),
        "has <width> \"999",
    );
    refused("difficult", &letters, "has 0 flags");
    refused("imagenet-synsets", &letters, ".txt:1: `999");
}

#[test]
fn masks_far_outside() {
    let of = |mask: &str| {
        let image = r#"{"file_name":"COCO_val2014_000000000007.jpg","height":6,"width":8,"id":7}"#;
        let annotation = format!(r#"{{"id":1,"image_id":7,"category_id":1,"bbox":[0,0,1,1],"segmentation":{mask}}}"#);
        format!(r#"{{"images":[{image}],"categories":[{{"id":1,"name":"a"}}],"annotations":[{annotation}]}}"#)
    };
    // All that is drawn of an edge is what is near the image.
    outcome("coco", of("[[-4194304,-4194304,4194304,4194304,4194304,-4194304]]")).unwrap();
    outcome("coco", of(&format!("[[{}0,0,1,1,2,2]]", "-4194304,-4194304,4194304,4194304,".repeat(5000)))).unwrap();
    refused("coco", of("[[-4194305,0,1,1,2,2]]"), "with the coordinate -4194305, which is far outside");
    refused(
        "coco",
        of(r#"{"size":[6,8],"counts":[4294967295,4294967295,50]}"#),
        "run lengths that add up to 8589934640",
    );
    refused("coco", of(r#"{"size":[6,8],"counts":[-1,49]}"#), "has a run length of -1");
    refused("coco", of(r#"{"size":[6,8],"counts":"ooooooooooooooooooooooooooooo0"}"#), "malformed run lengths");
}

#[test]
fn more_classes_than_there_are() {
    let seeds = (targets::target("compared").unwrap().seeds)();
    let whole = String::from_utf8(seeds[0].clone()).unwrap();
    let many = whole.replace("\"classes\":4", "\"classes\":1000000000000");
    assert_ne!(whole, many);
    refused("compared", many, "says that data set 'mini' has 1000000000000 classes; at most 131072 are counted");
}
