//! The loader on real photos, where the checkout has them beside it; skipped elsewhere.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are not seen as tests

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use datasets::image::preprocess::{IMAGENET_MEAN, IMAGENET_STD, normalise, squash};

/// The folder with the real data: `UCAG_SHARED`, else `shared` beside the workspace.
fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("UCAG_SHARED").map_or(beside, PathBuf::from);
    if !folder.join("data/imagenet-sample").is_dir() {
        println!("skipped: no data/imagenet-sample in {} (set UCAG_SHARED)", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn sample_loads_with_the_true_labels() {
    let Some(shared) = shared() else { return };
    let root = shared.join("data/imagenet-sample");
    let listed: HashMap<String, serde_json::Value> =
        serde_json::from_slice(&std::fs::read(root.join("classes.json")).unwrap()).unwrap();

    let dataset = datasets::open("imagenet", &datasets::Source::at(&root)).unwrap();
    assert_eq!(dataset.len(), 200);
    for index in 0..dataset.len() {
        let sample = dataset.load(index).unwrap();
        let wnid = sample.id.split('/').nth(1).unwrap();
        let [label] = sample.labels[..] else { panic!("{} has labels {:?}", sample.id, sample.labels) };
        assert_eq!(label % 5, 0, "{}", sample.id);
        assert_eq!(listed[wnid]["index"], label, "{}", sample.id);
        assert_eq!(listed[wnid]["name"].as_str().unwrap().replace('_', " "), dataset.classes()[label]);
        assert!(sample.image.width() > 1 && sample.image.height() > 1);
    }
}

#[test]
fn inputs_equal_those_of_the_reference() {
    let Some(shared) = shared() else { return };
    let bytes = std::fs::read(shared.join("reference/oracle/squeezenet_maps.safetensors")).unwrap();
    let reference = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let dataset = datasets::open("imagenet", &datasets::Source::at(&shared.join("data/imagenet-sample"))).unwrap();

    let mut compared = 0;
    for index in 0..dataset.len() {
        let stem = dataset.id(index).rsplit('/').next().unwrap();
        let Ok(input) = reference.tensor(&format!("{stem}/input_u8")) else {
            continue;
        };
        assert_eq!(input.shape(), [224, 224, 3]);
        let got = squash(&dataset.load(index).unwrap().image, 224, 224);
        let far = got.as_raw().chunks(3).zip(input.data().chunks(3));
        let far = far.filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 1)).count();
        let different = got.as_raw().iter().zip(input.data()).filter(|(a, b)| a != b).count();
        println!("{stem}: {far} pixels more than 1 level off, {different} values off at all");
        assert!(far * 1000 <= 224 * 224, "{stem}: {far} pixels are more than one level off");
        compared += 1;
    }
    assert_eq!(compared, 5);
}

/// The first 5 photos' network inputs are plain arithmetic on those pixels; one is checked against
/// double precision.
#[test]
fn normalised_values_are_in_range() {
    let Some(shared) = shared() else { return };
    let dataset = datasets::open("imagenet", &datasets::Source::at(&shared.join("data/imagenet-sample"))).unwrap();
    let image = squash(&dataset.load(0).unwrap().image, 224, 224);
    let values = normalise(&image, IMAGENET_MEAN, IMAGENET_STD);
    for (position, pixel) in image.pixels().enumerate() {
        for channel in 0..3 {
            let expected = (f64::from(pixel.0[channel]) / 255.0 - f64::from(IMAGENET_MEAN[channel]))
                / f64::from(IMAGENET_STD[channel]);
            let got = f64::from(values[channel * 224 * 224 + position]);
            assert!((got - expected).abs() < 1e-6, "pixel {position} channel {channel}: {got} is not {expected}");
        }
    }
}
