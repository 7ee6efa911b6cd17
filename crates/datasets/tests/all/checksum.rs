//! A sample's checksum is of the bytes that were read: the one that `sha256sum` prints of the
//! files, whatever their paths.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use crate::coco::{annotation, coco};
use crate::common::{Root, blank, fixture};
use crate::gtsegs::{self, Object::Bytes};
use crate::voc::{object, voc};
use datasets::{Checksum, Dataset, Source, open};
use serde_json::json;

/// The checksum of sample 0, loaded or not.
fn checksum(data: &dyn Dataset) -> String {
    let loaded = data.load(0).unwrap().checksum;
    assert_eq!(loaded, data.checksum(0).unwrap());
    loaded.to_string()
}

/// A PNG of one pixel in this grey; all of them are of the same length.
fn grey(value: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(1, 1, image::Rgb([value; 3])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn of_a_photo_it_is_the_file_s() {
    // sha256sum tests/fixtures/decode/exif_rotated.jpg
    let expected = "984fe079418716b9c818e510c1d60f4859c564112fca99f4a1fa72aabaaa2029";
    for folder in ["val/n01440764", "n01440764"] {
        let photo = fixture("exif_rotated.jpg");
        let root = Root::new().file("classes.txt", "n01440764\n").file(&format!("{folder}/a.jpg"), photo);
        assert_eq!(checksum(&*root.open().unwrap()), expected, "{folder}");
    }
}

#[test]
fn of_localised_photos_it_is_the_file_s_and_the_index_has_the_rest() {
    let photo = Checksum::of(&blank(8, 6)).to_string();
    let of = |root: Root, kind: &str| {
        let data = root.open_as(kind).unwrap();
        assert_eq!(checksum(&*data), photo);
        data.fingerprint()
    };
    let boxed = |right: &str| of(voc(8, 6, &[&object("dog", 0, ["1", "1", right, "3"])]), "voc07-test");
    assert_ne!(boxed("4"), boxed("5"), "a box in the same number of bytes");
    let drawn = |segmentation| of(coco(&[annotation(1, 7, 3, segmentation)]), "coco14-val");
    let polygon = |right: u32| drawn(json!([[0, 0, right, 0, 2, 2, 0, 2]]));
    assert_ne!(polygon(2), polygon(3));
    let runs = |first: u32| drawn(json!({"size": [6, 8], "counts": [first, 2, 46 - first]}));
    assert_ne!(runs(36), runs(35));
}

#[test]
fn of_an_image_with_a_mask_it_is_that_of_both() {
    let of = |image: u8, mask: u8| {
        let root = Root::new().file("images/a.png", grey(image)).file("masks/a.png", grey(mask));
        let data = root.open_as("imagenet-seg").unwrap();
        (checksum(&*data), data.fingerprint())
    };
    // As `cat images/a.png masks/a.png | sha256sum` has it.
    let base = of(0, 255);
    assert_eq!(base.0, Checksum::of(&[grey(0), grey(255)].concat()).to_string());
    for other in [of(1, 255), of(0, 254)] {
        assert_eq!(other.1, base.1, "the index doesn't see it");
        assert_ne!(other.0, base.0);
    }
}

#[test]
fn of_what_lies_in_one_file_it_is_that_of_its_own_values() {
    let of = |other| {
        let root = Root::new().file("gtsegs_ijcv.mat", gtsegs::mat(gtsegs::with(other), gtsegs::value()));
        let data = root.open_as("imagenet-seg").unwrap();
        [checksum(&*data), data.checksum(1).unwrap().to_string()]
    };
    let base = of(Vec::new());
    // Python: sha256('3 × 4 × 5 u8\n'.encode() + bytes(range(60)) + '4 × 5 u8\n'.encode() + bytes(i
    // // 7 % 2 for i in range(20)))
    assert_eq!(base[0], "6e7a015eaeef7b377bc34c5efbf699bc3dd5cda64be3cfd3f2ac590785c11372");
    let mask = (0..20).map(|i| u8::from(i == 19)).collect();
    let other_mask = of(vec![("m1", Bytes(&[4, 5], mask))]);
    let other_image = of(vec![("i1", Bytes(&[3, 4, 5], (1..61).collect()))]);
    assert!(other_mask[0] != base[0] && other_image[0] != base[0] && other_mask[0] != other_image[0]);
    assert_eq!([&other_mask[1], &other_image[1]], [&base[1]; 2], "the other sample is what it was");
}

#[test]
fn what_can_t_be_read_has_none() {
    let root = Root::new().file("images/a.png", grey(1)).file("masks/a.png", grey(2));
    let data = open("imagenet-seg", &Source::at(root.path())).unwrap();
    std::fs::remove_file(root.path().join("masks/a.png")).unwrap();
    let message = root.in_root(&data.checksum(0).unwrap_err());
    assert!(message.starts_with("ROOT/masks/a.png: "), "{message}");
}
