//! ImageNet-segmentation: files as h5py writes them (`fixtures/gtsegs/make_gtsegs.py`), and
//! folders.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::path::{Path, PathBuf};

use datasets::mini::imagenet_seg as scenes;
use datasets::{Dataset, Source, open};
use sha2::{Digest, Sha256};

const KIND: &str = "imagenet-seg";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gtsegs")
}

/// Every sample is what the arrays were that the file was written from.
fn assert_as_written(data: &dyn Dataset) {
    assert!(data.is_segmented() && !data.is_localised());
    let rows: Vec<_> = csv::Reader::from_path(fixtures().join("samples.csv")).unwrap().into_records().collect();
    assert_eq!((data.len(), rows.len()), (6, 6));
    for (index, row) in rows.into_iter().enumerate() {
        let row = row.unwrap();
        let (sample, mask) = (data.load(index).unwrap(), data.load(index).unwrap().object.unwrap().mask);
        assert_eq!((data.id(index), sample.id.as_str()), (&row[0], &row[0]));
        assert!(sample.labels.is_empty() && sample.regions.is_empty());
        let size = (row[2].parse().unwrap(), row[1].parse().unwrap());
        assert_eq!((sample.image.dimensions(), (mask.width, mask.height)), (size, size), "{}", &row[0]);
        let expected = |kind: &str| std::fs::read(fixtures().join(format!("{}.{kind}", &row[0]))).unwrap();
        assert!(sample.image.into_raw() == expected("rgb"), "{}: other pixels", &row[0]);
        let pixels: Vec<u8> = mask.pixels.into_iter().map(u8::from).collect();
        assert!(pixels == expected("mask"), "{}: another mask", &row[0]);
    }
}

#[test]
fn files_of_every_structure_are_read_to_the_bit() {
    for name in ["gtsegs_ijcv.mat", "column.mat", "newer.mat"] {
        println!("{name}");
        assert_as_written(&*open(KIND, &Source::at(&fixtures().join(name))).unwrap());
    }
}

#[test]
fn folders_of_images_are_read_to_the_bit() {
    assert_as_written(&*open(KIND, &Source::at(&fixtures().join("folder"))).unwrap());
}

#[test]
fn the_root_may_be_the_folder() {
    let data = open(KIND, &Source::at(&fixtures())).unwrap();
    assert_as_written(&*data);
    assert_eq!((data.classes().len(), data.classes()[0].as_str()), (1000, "tench"));
    let of = |name: &str| open(KIND, &Source::at(&fixtures().join(name))).unwrap().fingerprint();
    assert_eq!(data.fingerprint(), of("gtsegs_ijcv.mat"));
    assert_ne!(data.fingerprint(), of("column.mat"));
}

#[test]
fn the_embedded_file_holds_the_scenes() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mini");
    let data = open("mini-imagenet-seg", &Source::at(&root)).unwrap();
    assert!(data.is_segmented());
    assert_eq!((data.len(), data.classes().len(), data.classes()[9].as_str()), (60, 10, "striped triangle"));
    for turn in 0..scenes::SCENES {
        let (sample, scene) = (data.load(turn as usize).unwrap(), scenes::scene(turn));
        let [object] = scene.objects.as_slice() else { panic!("scene {turn} has {} objects", scene.objects.len()) };
        assert_eq!(sample.id, format!("{:05}", turn + 1));
        assert_eq!(object.class.index() as u64, turn % 10);
        assert!(sample.image == scene.image, "{turn}");
        assert!(sample.object.unwrap().mask.pixels == object.mask, "{turn}");
    }
    let digest = |data: &[u8]| Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let file = std::fs::read(root.join("gtsegs_ijcv.mat")).unwrap();
    assert_eq!(
        digest(&file),
        "659c5b7ecb13ed8e3b780dff51e0e6e8ea5f40ae3d7b18d95768a58139d9fff0",
        "a change of a byte raises mini::VERSION"
    );
    // The second time it is opened, not made.
    let again = open("mini-imagenet-seg", &Source::at(&root)).unwrap();
    assert_eq!(again.fingerprint(), data.fingerprint());
}
