//! Indexes agree, without decoding, with the decoded samples.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use datasets::image::decode;
use datasets::{LabeledPair, Source, open};

/// Opens an embedded data set and compares every sample. Returns how many files and pairs there
/// are.
fn compare(kind: &str) -> (usize, Option<usize>) {
    let folder = tempfile::tempdir().unwrap();
    let data = open(kind, &Source::at(&folder.path().join("data"))).unwrap();
    let (mut files, mut pairs) = (0, None);
    for index in 0..data.len() {
        let sample = data.load(index).unwrap();
        if let Some(file) = data.file(index) {
            assert!(decode::decode(&file).unwrap() == sample.image, "{}", file.display());
            files += 1;
        }
        let Some(known) = data.pairs(index) else { continue };
        *pairs.get_or_insert(0) += known.len();
        assert_eq!(known.iter().map(|pair| pair.class).collect::<Vec<_>>(), sample.labels, "{}", sample.id);
        if data.is_localised() {
            let of = |r: &datasets::Region| LabeledPair {
                class: r.class,
                all_difficult: r.all_difficult,
                in_difficult_subset: r.in_difficult_subset,
            };
            assert_eq!(known, sample.regions.iter().map(of).collect::<Vec<_>>(), "{}", sample.id);
        }
    }
    (files, pairs)
}

#[test]
fn pairs_and_files_are_those_of_the_samples() {
    assert_eq!(compare("mini-imagefolder"), (100, Some(100)));
    let (files, pairs) = compare("mini-voc07");
    assert!(files == 60 && pairs > Some(60), "{pairs:?}");
    let (files, pairs) = compare("mini-coco14");
    assert!(files == 60 && pairs > Some(60), "{pairs:?}");
    // All images are in one file, and the network chooses the class.
    assert_eq!(compare("mini-imagenet-seg"), (0, None));
}
