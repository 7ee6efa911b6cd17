//! The embedded data with several objects an image: what the loaders of VOC's and COCO's layouts
//! read is what was drawn.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use datasets::mini::{Class, Object, Scene, coco14, voc07};
use datasets::{Dataset, Mask, Region, Sample, Source, open};
use sha2::{Digest, Sha256};

fn opened(kind: &str, root: &Path) -> Box<dyn Dataset> {
    open(kind, &Source::at(root)).unwrap()
}

/// The classes in the scene with their objects.
fn by_class(scene: &Scene) -> BTreeMap<usize, Vec<&Object>> {
    let mut objects: BTreeMap<usize, Vec<&Object>> = BTreeMap::new();
    for object in &scene.objects {
        objects.entry(object.class.index()).or_default().push(object);
    }
    objects
}

/// Compares all but the masks, and returns the pairs of a class's region and its objects.
fn compare<'a>(sample: &'a Sample, scene: &'a Scene) -> Vec<(&'a Region, Vec<&'a Object>)> {
    let objects = by_class(scene);
    assert_eq!(sample.labels, objects.keys().copied().collect::<Vec<_>>());
    assert_eq!(sample.regions.len(), sample.labels.len());
    assert!(sample.regions.iter().map(|region| region.class).eq(objects.keys().copied()));
    assert_eq!(sample.image.dimensions(), scene.image.dimensions());
    let off = sample.image.iter().zip(scene.image.iter()).map(|(a, b)| f64::from(a.abs_diff(*b)));
    let off = off.sum::<f64>() / sample.image.len() as f64;
    assert!(off < 4.0, "a JPEG of quality 95 is {off} levels off on average");
    sample.regions.iter().zip(objects.into_values()).collect()
}

fn union(scene: &Scene, objects: &[&Object], covers: impl Fn(&Object, u32, u32) -> bool) -> Mask {
    let (width, height) = scene.image.dimensions();
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels = pixels.map(|(x, y)| objects.iter().any(|object| covers(object, x, y))).collect();
    Mask { width, height, pixels }
}

#[test]
fn voc_has_the_boxes_of_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let data = opened("mini-voc07", &folder.path().join("voc07"));
    assert_eq!((data.len(), data.classes().len()), (60, 10));
    assert_eq!(data.classes()[9], "striped triangle");
    let (mut empty, mut all_difficult, mut in_subset, mut pairs) = (0, 0, 0, 0);
    for turn in 0..voc07::SCENES {
        let (sample, scene) = (data.load(turn as usize).unwrap(), voc07::scene(turn));
        assert!(sample.id.ends_with(&voc07::name(turn)), "{}", sample.id);
        let found = compare(&sample, &scene);
        empty += usize::from(found.is_empty());
        for (region, objects) in found {
            let in_box = |object: &Object, x: u32, y: u32| {
                let b = object.bounds;
                (b.left..b.right).contains(&x) && (b.top..b.bottom).contains(&y)
            };
            assert_eq!(region.mask, union(&scene, &objects, in_box), "{}", sample.id);
            assert_eq!(region.all_difficult, objects.iter().all(|object| object.difficult));
            all_difficult += usize::from(region.all_difficult);
            in_subset += usize::from(region.in_difficult_subset);
            pairs += 1;
        }
    }
    // What a benchmark of pointing games has to cope with is there.
    assert_eq!(empty, 2);
    assert!(all_difficult > 0, "no pair that isn't counted");
    assert!(in_subset > 20 && in_subset + 20 < pairs, "{in_subset} of {pairs} in the difficult subset");
}

#[test]
fn coco_has_the_masks_of_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let data = opened("mini-coco14", &folder.path().join("coco14"));
    assert_eq!((data.len(), data.classes().len()), (60, 10));
    assert_eq!(data.classes()[0], "checked disc");
    let (mut empty, mut classes) = (0, BTreeSet::new());
    for turn in 0..coco14::SCENES {
        let (sample, scene) = (data.load(turn as usize).unwrap(), coco14::scene(turn));
        assert!(sample.id.ends_with(&format!("{:012}", coco14::image_id(turn))), "{}", sample.id);
        let found = compare(&sample, &scene);
        empty += usize::from(found.is_empty());
        for (region, objects) in found {
            let seen = |object: &Object, x: u32, y: u32| object.mask[(y * scene.image.width() + x) as usize];
            assert_eq!(region.mask, union(&scene, &objects, seen), "{}, class {}", sample.id, region.class);
            classes.insert(region.class);
        }
    }
    assert_eq!((empty, classes.len()), (2, Class::COUNT));
    // Every way to write a mask is among them.
    let json = std::fs::read_to_string(folder.path().join("coco14/annotations/instances_val2014.json")).unwrap();
    for form in ["\"segmentation\":[[", "\"segmentation\":{\"counts\":[", "\"segmentation\":{\"counts\":\""] {
        assert!(json.matches(form).count() > 10, "{form}");
    }
}

#[test]
fn files_are_the_same_bytes_on_every_machine() {
    let folder = tempfile::tempdir().unwrap();
    voc07::ensure(&folder.path().join("voc07")).unwrap();
    coco14::ensure(&folder.path().join("coco14")).unwrap();
    let mut files = Vec::new();
    let mut folders = vec![folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    // VOC: photos, annotations, 11 lists, classes, version; COCO: photos, annotations, version.
    assert_eq!(files.len(), 60 + 60 + 11 + 2 + 60 + 2);
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(std::fs::read(file).unwrap());
    }
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        digest, "bbb3c16d9ccb461ef2e03faaea43c901145c24cc71eaa7cd5e56681d74abb694",
        "a change of a byte raises mini::VERSION"
    );
}

#[test]
fn one_layouts_folder_is_not_anothers() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mini");
    voc07::ensure(&root).unwrap();
    let error = coco14::ensure(&root).unwrap_err().to_string();
    assert!(error.contains("didn't make it in COCO 2014's layout"), "{error}");
    assert!(opened("mini-voc07", &root).len() == 60);
}
