//! Damaged files for every parser, the same ones every time.
//!
//! `UCAG_FUZZ_CASES` is the number of damaged files for each parser, `UCAG_FUZZ_SEED` which ones,
//! and `UCAG_FUZZ_INPUT` a file to parse in place of all of them. Totals are shown with
//! `-- --nocapture`.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are not seen as tests

use std::path::PathBuf;

use fuzzing::run::{self, Effort};
use fuzzing::targets::{TARGETS, target};

/// Damaged files for each parser, where nobody says how many.
const CASES: u32 = 150;

fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, not a number")),
        Err(_) => otherwise,
    }
}

fn check(name: &str) {
    let target = target(name).unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    if let Some(input) = std::env::var_os("UCAG_FUZZ_INPUT") {
        let bytes = std::fs::read(&input).unwrap_or_else(|error| panic!("UCAG_FUZZ_INPUT={input:?}: {error}"));
        println!("{name}: {:?}", run::one(target, &bytes, &folder));
        return;
    }
    let effort = Effort { cases: number("UCAG_FUZZ_CASES", CASES), seed: number("UCAG_FUZZ_SEED", 0), folder };
    println!("{}", run::check(target, &effort));
}

macro_rules! tests {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                check($name);
            }
        )*

        #[test]
        fn every_target_has_a_test() {
            let tested = [$($name),*];
            assert_eq!(TARGETS.iter().map(|target| target.name).collect::<Vec<_>>(), tested);
        }
    };
}

tests! {
    image: "image",
    mask: "mask",
    exif: "exif",
    voc_annotation: "voc-annotation",
    voc_photos: "voc-photos",
    difficult: "difficult",
    classes: "classes",
    coco: "coco",
    coco_runs: "coco-runs",
    matlab: "matlab",
    imagenet_synsets: "imagenet-synsets",
    imagenet_kaggle: "imagenet-kaggle",
    imagenet_ids: "imagenet-ids",
    imagenet_id_table: "imagenet-id-table",
    checkpoint: "checkpoint",
    onnx: "onnx",
    npy: "npy",
    config: "config",
    config_set: "config-set",
    journal: "journal",
    compared: "compared",
    published: "published",
    maps: "maps",
    plate: "plate",
}
