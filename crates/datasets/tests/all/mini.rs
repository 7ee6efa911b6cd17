//! The embedded data: the same bytes everywhere, exact masks and boxes, and nothing that gives a
//! class away.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;
use std::path::Path;

use datasets::mini::{Class, PixelBox, Scene, SceneSpec, Stream, imagenet, train_sample};
use datasets::open;
use sha2::{Digest, Sha256};

fn held_out() -> impl Iterator<Item = (Class, Scene)> {
    (0..100).map(|turn| {
        let class = Class::in_turn(turn);
        (class, Scene::generate(&SceneSpec::one_object(class), Stream::HeldOut, turn))
    })
}

#[test]
fn scenes_are_the_same_bytes_on_every_machine() {
    let mut hasher = Sha256::new();
    for (_, scene) in held_out() {
        hasher.update(scene.image.as_raw());
    }
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        digest, "223afdb1ffdad46cdac0790cfeec3cdf152f7ed0518629dbe105cf20b553275e",
        "a change of a byte raises mini::VERSION"
    );
}

#[test]
fn every_scene_holds_one_object_that_can_be_seen() {
    for (class, scene) in held_out() {
        let [object] = &scene.objects[..] else { panic!("{} objects", scene.objects.len()) };
        assert_eq!(object.class, class);
        let (width, height) = scene.image.dimensions();
        assert_eq!(object.mask.len(), (width * height) as usize);
        assert_eq!(PixelBox::around(&object.mask, width), Some(object.bounds));
        assert_eq!(object.area, object.mask.iter().filter(|seen| **seen).count());
        let share = object.area as f64 / f64::from(width * height);
        assert!((0.015..0.3).contains(&share), "{class:?} covers {share}");
    }
}

#[test]
fn no_training_scene_is_held_out() {
    let held_out: Vec<_> = held_out().map(|(_, scene)| scene.image.into_raw()).collect();
    for index in 0..200 {
        let (image, class) = train_sample(index);
        assert_eq!(class, (index % 10) as usize);
        assert!(!held_out.contains(&image.into_raw()));
    }
}

/// Nearest class centroid of the mean colour, trained on 1000 scenes: what colour alone can tell.
#[test]
fn mean_colour_does_not_tell_the_class() {
    let mean = |image: &image::RgbImage| -> [f64; 3] {
        std::array::from_fn(|c| {
            image.pixels().map(|p| f64::from(p.0[c])).sum::<f64>() / f64::from(image.width() * image.height())
        })
    };
    let mut centroids = vec![[0.0; 3]; 10];
    for index in 0..1000 {
        let (image, class) = train_sample(index);
        mean(&image).iter().zip(&mut centroids[class]).for_each(|(value, sum)| *sum += value / 100.0);
    }
    let distance = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let right = held_out().filter(|(class, scene)| {
        let mean = mean(&scene.image);
        let nearest =
            (0..10).min_by(|&a, &b| distance(&mean, &centroids[a]).total_cmp(&distance(&mean, &centroids[b])));
        nearest == Some(class.index())
    });
    let right = right.count();
    assert!(right <= 25, "{right} of 100 by colour alone, where chance is 10");
}

fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(
                    path.strip_prefix(root).unwrap().to_string_lossy().into_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

#[test]
fn the_real_loader_reads_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("imagefolder");
    let data = open("mini-imagefolder", &datasets::Source::at(&root)).unwrap();
    assert_eq!((data.len(), data.classes().len()), (100, 10));
    let by_id: BTreeMap<String, Scene> = held_out()
        .enumerate()
        .map(|(turn, (class, scene))| (format!("val/{0}/{0}_{1:04}", class.folder(), turn / 10 + 1), scene))
        .collect();
    for index in 0..data.len() {
        let sample = data.load(index).unwrap();
        let scene = &by_id[&sample.id];
        assert_eq!(sample.image, scene.image);
        assert_eq!(sample.labels, [scene.objects[0].class.index()]);
        let mask = image::open(root.join(sample.id.replacen("val", "masks", 1) + ".png")).unwrap().to_luma8();
        assert!(mask.as_raw().iter().zip(&scene.objects[0].mask).all(|(pixel, seen)| (*pixel == 255) == *seen));
    }
    // The same command finds it made.
    let before = files(&root);
    imagenet::ensure(&root).unwrap();
    assert_eq!(files(&root), before);
    assert_eq!(before.len(), 203);
}

#[test]
fn what_it_did_not_make_it_leaves_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("mine");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("thesis.tex"), "years of work").unwrap();
    let error = imagenet::ensure(&root).unwrap_err().to_string();
    assert!(error.contains("this program didn't make it"), "{error}");
    assert_eq!(files(&root).len(), 1);
    // What a killed run leaves lies beside, not in place; an older version's folder is replaced.
    let root = folder.path().join("mini");
    std::fs::create_dir_all(folder.path().join(".mini.1/val")).unwrap();
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("VERSION"), "embedded scenes, ImageFolder layout, version 0\n").unwrap();
    std::fs::write(root.join("classes.txt"), "old").unwrap();
    imagenet::ensure(&root).unwrap();
    assert_eq!(files(&root).len(), 203);
}
