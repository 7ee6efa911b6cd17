//! The layouts ImageNet comes in, and what an opened index says.

#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use crate::common::{Root, fixture, reversed_ids};
use datasets::Dataset;

fn ids(dataset: &dyn Dataset) -> Vec<&str> {
    (0..dataset.len()).map(|index| dataset.id(index)).collect()
}

/// Labels need an image to be loaded; these roots hold one small PNG again and again.
fn labels(dataset: &dyn Dataset) -> Vec<Vec<usize>> {
    (0..dataset.len()).map(|index| dataset.load(index).unwrap().labels).collect()
}

fn with_images(names: &[&str]) -> Root {
    names.iter().fold(Root::new(), |root, name| root.file(name, fixture("rgb_8.png")))
}

const FLAT: [&str; 3] =
    ["val/ILSVRC2012_val_00000001.JPEG", "val/ILSVRC2012_val_00000002.JPEG", "val/ILSVRC2012_val_00000003.JPEG"];

#[test]
fn class_folders_keep_the_index_of_the_full_list() {
    let root =
        with_images(&["val/n15075141/b.JPEG", "val/n01440764/z.jpeg", "val/n01440764/a.PNG", "val/n02123045/x/y.jpg"])
            .file("val/n01440764/notes.txt", "not an image");
    let dataset = root.open().unwrap();
    assert_eq!(ids(&*dataset), ["val/n01440764/a", "val/n01440764/z", "val/n02123045/x/y", "val/n15075141/b"]);
    assert_eq!(labels(&*dataset), [[0], [0], [281], [999]]);
    assert_eq!(dataset.classes().len(), 1000);
    assert_eq!(dataset.classes()[281], "tabby");
    assert!(!dataset.is_empty());
}

#[test]
fn what_systems_leave_in_folders_is_passed_over() {
    let names = ["val/n01440764/a.jpg", "val/n01440764/._a.jpg", "val/._n01440764.jpg", "val/__MACOSX/n01440764/a.jpg"];
    let root = with_images(&names)
        .file("val/.DS_Store", "")
        .file("val/n01440764/Thumbs.db", "")
        .file("val/n01440764/desktop.ini", "")
        .file("val/.ipynb_checkpoints/a.jpg", "");
    assert_eq!(ids(&*root.open().unwrap()), ["val/n01440764/a"]);
    let root = with_images(&["images/a.png", "images/._a.png", "masks/a.png", "masks/._a.png", "masks/._b.png"]);
    assert_eq!(ids(&*root.open_as("imagenet-seg").unwrap()), ["a"]);
    let flat = with_images(&FLAT).file("val/._ILSVRC2012_val_00000001.JPEG", "");
    let flat = flat.file("imagenet_2012_validation_synset_labels.txt", "n02123045\nn01440764\nn15075141\n");
    assert_eq!(flat.open().unwrap().len(), 3);
}

#[test]
fn a_part_of_imagenets_classes_says_how_to_be_all() {
    let root = with_images(&["val/n02123045/a.png", "val/n01440764/a.png", "val/n01440764/b.png"]);
    let remedy = |count| root.open().unwrap().remedy_for_classes(count);
    assert_eq!(
        remedy(2).unwrap().replace(&root.path().display().to_string(), "ROOT"),
        "its images are of 2 of ImageNet's 1000 classes: list these 2 in ROOT/classes.txt, one folder's name a line, in the order of the \
         network's outputs (torchvision's is by name)"
    );
    assert_eq!((remedy(3), remedy(10)), (None, None));
    let root = root.file("classes.txt", "n01440764\nn02123045\n");
    let dataset = root.open().unwrap();
    assert_eq!((dataset.classes().len(), labels(&*dataset)), (2, vec![vec![0], vec![0], vec![1]]));
    assert_eq!(dataset.remedy_for_classes(2), None);
}

#[test]
fn byte_order_marks_are_passed_over_in_every_list() {
    let opened = |files: &[(&str, String)]| {
        let marked = |mark: &str| {
            let file = |root: Root, (name, text): &(&str, String)| root.file(name, format!("{mark}{text}"));
            labels(&*files.iter().fold(with_images(&FLAT), file).open().unwrap())
        };
        assert_eq!(marked("\u{feff}"), marked(""), "{files:?}");
        marked("\u{feff}")
    };
    let synsets = ("imagenet_2012_validation_synset_labels.txt", "n02123045\r\nn01440764\nn15075141\n".to_owned());
    assert_eq!(opened(&[synsets]), [[281], [0], [999]]);
    let truth = ("ILSVRC2012_validation_ground_truth.txt", "1\n2\n1000\n".to_owned());
    assert_eq!(opened(&[truth, ("map_clsloc.txt", reversed_ids())]), [[999], [998], [0]]);
    let row = |(number, wnid): (usize, &str)| format!("ILSVRC2012_val_{number:08},{wnid} 1 2 3 4 \n");
    let rows: String = [(1, "n02123045"), (2, "n01440764"), (3, "n15075141")].map(row).concat();
    assert_eq!(opened(&[("LOC_val_solution.csv", format!("ImageId,PredictionString\n{rows}"))]), [[281], [0], [999]]);
    let root = with_images(&["val/zebra/a.png", "val/apple/b.png"]).file("classes.txt", "\u{feff}zebra\napple\n");
    assert_eq!(labels(&*root.open().unwrap()), [[1], [0]]);
}

#[test]
fn class_folders_may_lie_in_the_root() {
    let root = with_images(&["n01443537/a.JPEG"]);
    let dataset = root.open().unwrap();
    assert_eq!(ids(&*dataset), ["n01443537/a"]);
    assert_eq!(labels(&*dataset), [[1]]);
}

#[test]
fn own_classes_replace_imagenets() {
    let root =
        with_images(&["val/zebra/a.png", "val/apple/b.png"]).file("classes.txt", "zebra\tStriped horse\npear\napple\n");
    let dataset = root.open().unwrap();
    assert_eq!(ids(&*dataset), ["val/apple/b", "val/zebra/a"]);
    assert_eq!(labels(&*dataset), [[2], [0]]);
    assert_eq!(dataset.classes(), ["Striped horse", "pear", "apple"]);
}

#[test]
fn flat_with_synset_labels() {
    let root =
        with_images(&FLAT).file("imagenet_2012_validation_synset_labels.txt", "n02123045\nn01440764\nn15075141\n");
    let dataset = root.open().unwrap();
    assert_eq!(ids(&*dataset)[1], "val/ILSVRC2012_val_00000002");
    assert_eq!(labels(&*dataset), [[281], [0], [999]]);
}

#[test]
fn flat_with_ground_truth_goes_through_the_table_of_ids() {
    let root = with_images(&FLAT)
        .file("ILSVRC2012_validation_ground_truth.txt", "1\n1000\n3\n")
        .file("map_clsloc.txt", reversed_ids());
    assert_eq!(labels(&*root.open().unwrap()), [[999], [0], [997]]);
}

#[test]
fn flat_with_kaggles_csv_in_any_row_order() {
    let csv = "ImageId,PredictionString\n\
        ILSVRC2012_val_00000003,n15075141 1 2 3 4 \n\
        ILSVRC2012_val_00000001,n01751748 111 108 230 366 n01751748 0 0 9 9\n\
        ILSVRC2012_val_00000002,n01440764 1 2 3 4 \n";
    let root = with_images(&FLAT).file("LOC_val_solution.csv", csv);
    // n01751748 is the sea snake, 65.
    assert_eq!(labels(&*root.open().unwrap()), [[65], [0], [999]]);
}

#[test]
fn kaggles_own_folders_and_a_flat_root() {
    let csv = "ImageId,PredictionString\nILSVRC2012_val_00000001,n01440764 1 2 3 4\n";
    let image = "ILSVRC2012_val_00000001.JPEG";
    let kaggle = with_images(&[&format!("ILSVRC/Data/CLS-LOC/val/{image}")]).file("LOC_val_solution.csv", csv);
    assert_eq!(ids(&*kaggle.open().unwrap()), ["ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001"]);
    let flat = with_images(&[image]).file("LOC_val_solution.csv", csv).file("devkit/readme.txt", "");
    assert_eq!(ids(&*flat.open().unwrap()), ["ILSVRC2012_val_00000001"]);
}

#[test]
fn a_png_named_jpeg_is_read() {
    let root = Root::new().file("n01440764/a.JPEG", fixture("png_named.JPEG"));
    let image = root.open().unwrap().load(0).unwrap().image;
    assert_eq!(image.as_raw(), &fixture("png_named.JPEG.rgb"));
}

/// Opening an index touches no image: the files here can't be decoded, and a broken one spoils only
/// its own sample.
#[test]
fn opening_reads_no_image() {
    let root = Root::new()
        .file("n01440764/broken.JPEG", "not an image")
        .file("n01440764/good.JPEG", fixture("rgb_420.jpg"))
        .file("n01440764/zero.JPEG", "");
    let dataset = root.open().unwrap();
    assert_eq!(dataset.len(), 3);
    assert!(dataset.load(0).is_err());
    assert_eq!(dataset.load(1).unwrap().image.dimensions(), (45, 37));
    assert!(dataset.load(2).is_err());

    // An image that goes away after opening is missed only when it is loaded, so nothing was kept
    // of it.
    std::fs::remove_file(root.path().join("n01440764/good.JPEG")).unwrap();
    assert!(dataset.load(1).unwrap_err().to_string().contains("good.JPEG"));
}

#[test]
fn fingerprint_tells_what_differs() {
    let of = |files: &[(&str, &str)]| {
        let root = files.iter().fold(Root::new(), |root, (name, content)| root.file(name, content));
        root.open().unwrap().fingerprint()
    };
    let base = of(&[("n01440764/a.JPEG", "1234")]);
    assert_eq!(base.len(), 64);
    assert_eq!(base, of(&[("n01440764/a.JPEG", "4321")]), "sizes count, not content");
    for other in [
        &[("n01440764/a.JPEG", "12345")][..],
        &[("n01440764/b.JPEG", "1234")],
        &[("n01443537/a.JPEG", "1234")],
        &[("n01440764/a.JPEG", "1234"), ("n01440764/b.JPEG", "")],
        &[("n01440764/a.JPEG", "1234"), ("classes.txt", "n01440764")],
    ] {
        assert_ne!(base, of(other), "{other:?}");
    }
    let swapped = |list: &str| of(&[("x/a.png", ""), ("y/a.png", ""), ("classes.txt", list)]);
    assert_ne!(swapped("x\ny\n"), swapped("y\nx\n"));
}
