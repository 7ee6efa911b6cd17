//! Files with bytes changed at random: whatever comes of it is a sample or a message, never a
//! panic.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

#[path = "common/coco.rs"]
mod coco;
mod common;
#[path = "common/voc.rs"]
mod voc;

use common::{Root, peak};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use voc::{object, voc};

const ROUNDS: usize = 1500;

/// Rounds in which the folder opened, and in which sample 0 loaded as well.
fn outcomes(kind: &str, root: Root, name: &str, alphabet: &[u8]) -> (usize, usize) {
    let path = root.path().join(name);
    let whole = std::fs::read(&path).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut opened, mut loaded) = (0, 0);
    for _ in 0..ROUNDS {
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..4) {
            let place = random.random_range(0..bytes.len());
            match random.random_range(0..3) {
                0 => bytes[place] = alphabet[random.random_range(0..alphabet.len())],
                1 => drop(bytes.remove(place)),
                _ => bytes.insert(place, alphabet[random.random_range(0..alphabet.len())]),
            }
        }
        std::fs::write(&path, bytes).unwrap();
        match root.open_as(kind) {
            Ok(dataset) => {
                opened += 1;
                match dataset.load(0) {
                    Ok(sample) => {
                        loaded += 1;
                        assert_eq!(sample.labels.len(), sample.regions.len());
                        let size = sample.image.width() as usize * sample.image.height() as usize;
                        assert!(sample.regions.iter().all(|region| region.mask.pixels.len() == size));
                    }
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
            Err(error) => assert!(error.to_string().contains(&root.path().display().to_string()), "{error}"),
        }
    }
    (opened, loaded)
}

#[test]
fn of_voc() {
    let objects = object("dog", 0, ["1", "1", "2", "2"]) + &object("person", 1, ["1", "2", "5.00", "4"]);
    let (opened, loaded) =
        outcomes("voc07-test", voc(5, 4, &[&objects]), "Annotations/000001.xml", b"<>/&;-.0159ea \xff");
    assert_eq!(opened, ROUNDS, "one annotation is no reason not to open");
    assert!(loaded > 0 && loaded < ROUNDS, "{loaded}");
}

#[test]
fn of_coco() {
    let annotations = [
        coco::annotation(1, 7, 3, json!([[0, 0, 2.5, 0, 2, 2, 0, 2]])),
        coco::annotation(2, 7, 90, json!({"size": [6, 8], "counts": [36, 2, 9, 1]})),
        coco::annotation(3, 7, 11, json!({"size": [6, 8], "counts": "T129O"})),
    ];
    let (opened, loaded) = outcomes("coco14-val", coco::coco(&annotations), coco::FILE, b"[]{}\",:-.0159eaPO\xff");
    assert!(loaded > 0 && loaded < opened && opened < ROUNDS, "{opened}, {loaded}");
}

/// Not only sample 0: each has other structures in the file.
#[test]
fn of_matlab() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gtsegs");
    for name in ["gtsegs_ijcv.mat", "column.mat", "newer.mat"] {
        let whole = std::fs::read(fixtures.join(name)).unwrap();
        // Most of the file is empty space and pixels; what is neither says more.
        let structure: Vec<usize> = (0..whole.len()).filter(|place| whole[*place] != 0).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.mat");
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let (mut opened, mut loaded, mut failed) = (0, 0, 0);
        for _ in 0..ROUNDS {
            let mut bytes = whole.clone();
            for _ in 0..random.random_range(1..40) {
                let near = structure[random.random_range(0..structure.len())] + random.random_range(0..8);
                let place = near.min(bytes.len() - 1);
                bytes[place] = match random.random_range(0..4) {
                    0 => 0xff,
                    1 => bytes[place] ^ (1 << random.random_range(0..8)),
                    2 => 0,
                    _ => random.random(),
                };
            }
            if random.random_range(0..4) == 0 {
                let (from, to) = (random.random_range(0..bytes.len()), random.random_range(0..bytes.len()));
                bytes.copy_within(from..(from + 64).min(whole.len()), to.min(whole.len() - 64));
            }
            std::fs::write(&path, bytes).unwrap();
            let named = |error: datasets::Error| assert!(error.to_string().contains("some.mat"), "{error}");
            match datasets::open("imagenet-seg", &datasets::Source::at(&path)) {
                Ok(dataset) => {
                    opened += 1;
                    for index in 0..dataset.len().min(10) {
                        match dataset.load(index) {
                            Ok(sample) => {
                                loaded += 1;
                                let mask = sample.object.unwrap().mask;
                                assert_eq!(sample.image.dimensions(), (mask.width, mask.height));
                                assert_eq!(mask.pixels.len() * 3, sample.image.len());
                            }
                            Err(error) => {
                                failed += 1;
                                named(error);
                            }
                        }
                    }
                }
                Err(error) => named(error),
            }
        }
        assert!(opened > ROUNDS / 10 && opened < ROUNDS, "{name}: {opened}");
        assert!(loaded > 1000 && failed > 1000, "{name}: {loaded} {failed}");
        // Sizes in the file are not taken at their word.
        assert!(peak().is_none_or(|peak| peak < 256), "{name}: {:?} MiB", peak());
    }
}
