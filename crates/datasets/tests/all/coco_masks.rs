//! Masks of the COCO loader against those that pycocotools rasterises
//! (`fixtures/masks/make_masks.py`).

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are not seen as tests

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::common::{Root, blank};
use datasets::{Dataset, Mask, Source};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// On x86-64 every pixel must agree. Elsewhere pycocotools' compiler may fuse a product and a sum,
/// and so does the loader's crate; the fixtures are from x86-64, so a pixel or two of a border may
/// differ there.
fn tolerance() -> usize {
    if cfg!(target_arch = "x86_64") { 0 } else { 2 }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/masks").join(name)
}

fn open(root: &Path) -> Box<dyn Dataset> {
    datasets::open("coco14-val", &Source::at(root)).unwrap()
}

/// Runs down the columns, the first of pixels that are not set.
fn painted(width: usize, height: usize, runs: &[Value]) -> Vec<bool> {
    let mut pixels = vec![false; width * height];
    let (mut column, mut row) = (0, 0);
    for (number, run) in runs.iter().enumerate() {
        for _ in 0..run.as_u64().unwrap() {
            pixels[row * width + column] = number % 2 == 1;
            row += 1;
            if row == height {
                (column, row) = (column + 1, 0);
            }
        }
    }
    assert_eq!((column, row), (width, 0));
    pixels
}

/// Every annotation has a category of its own there, so every region is one annotation's mask.
#[test]
fn synthetic_shapes() {
    let text = std::fs::read_to_string(fixture("synthetic.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let mut root = Root::new().file("annotations/instances_val2014.json", &text);
    let mut sizes = HashMap::new();
    for image in json["images"].as_array().unwrap() {
        let (width, height) = (image["width"].as_u64().unwrap() as u32, image["height"].as_u64().unwrap() as u32);
        root = root.file(&format!("val2014/{}", image["file_name"].as_str().unwrap()), blank(width, height));
        sizes.insert(image["id"].as_u64().unwrap(), (width, height));
    }
    let dataset = open(root.path());
    let masks: HashMap<usize, Mask> = (0..dataset.len())
        .flat_map(|index| dataset.load(index).unwrap().regions)
        .map(|region| (region.class, region.mask))
        .collect();

    let annotations = json["annotations"].as_array().unwrap();
    assert_eq!(annotations.len(), 169);
    for (class, annotation) in annotations.iter().enumerate() {
        let (width, height) = sizes[&annotation["image_id"].as_u64().unwrap()];
        let expected = painted(width as usize, height as usize, annotation["expected"].as_array().unwrap());
        let mask = &masks[&class];
        assert_eq!((mask.width, mask.height), (width, height));
        let different = mask.pixels.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert!(different <= tolerance(), "{different} pixels of {} differ", annotation["name"]);
    }
}

/// The real annotations, each given a category of its own.
#[test]
fn every_annotation_of_coco_mini() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("UCAG_SHARED").map_or(beside, PathBuf::from).join("data/coco-mini");
    let Ok(text) = std::fs::read_to_string(shared.join("annotations/instances_val2017.json")) else {
        println!("skipped: no {} (set UCAG_SHARED)", shared.display());
        return;
    };
    let mut json: Value = serde_json::from_str(&text).unwrap();
    let mut ids = Vec::new();
    for (number, annotation) in json["annotations"].as_array_mut().unwrap().iter_mut().enumerate() {
        ids.push(annotation["id"].to_string());
        annotation["category_id"] = number.into();
    }
    json["categories"] = ids.iter().enumerate().map(|(id, name)| serde_json::json!({"id": id, "name": name})).collect();
    let mut root = Root::new().file("annotations/instances_val2017.json", json.to_string());
    for image in json["images"].as_array().unwrap() {
        let name = format!("val2017/{}", image["file_name"].as_str().unwrap());
        root = root.file(&name, std::fs::read(shared.join(&name)).unwrap());
    }

    let mut golden: HashMap<String, (usize, String)> = csv::Reader::from_path(fixture("coco_mini.csv"))
        .unwrap()
        .deserialize::<(String, usize, String)>()
        .map(|row| row.unwrap())
        .map(|(id, pixels, digest)| (id, (pixels, digest)))
        .collect();
    let dataset = open(root.path());
    for index in 0..dataset.len() {
        for region in dataset.load(index).unwrap().regions {
            let (pixels, digest) = golden.remove(&ids[region.class]).unwrap();
            let set = region.mask.pixels.iter().filter(|&&set| set).count();
            assert!(
                set.abs_diff(pixels) <= tolerance(),
                "annotation {}: {set} pixels, not {pixels}",
                ids[region.class]
            );
            if tolerance() == 0 {
                let bytes: Vec<u8> = region.mask.pixels.iter().map(|&set| set.into()).collect();
                let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(found, digest, "annotation {}", ids[region.class]);
            }
        }
    }
    assert!(golden.is_empty(), "{} annotations were not compared", golden.len());
}
