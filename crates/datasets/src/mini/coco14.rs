//! Held-out scenes with several objects in the layout of COCO 2014, made on first use and read back
//! by the loader of real data.
//!
//! ```text
//! ROOT/val2014/COCO_val2014_000000000042.jpg ...
//! ROOT/annotations/instances_val2014.json       masks of the objects' visible pixels
//! ROOT/VERSION                                  which generator made it
//! ```
//!
//! Category ids have gaps, as the real ones. Masks are written in each of the ways that COCO's
//! tools read: polygons, runs (for crowds: in every second scene, the objects of a class that has
//! several), and now and then runs in a string.

use std::path::Path;

use serde::Serialize;

use super::{Class, PixelBox, Scene, SceneSpec, Stream, cached_folder, segmentation};
use crate::kind::{DatasetKind, Source};
use crate::{Error, Result, coco14};

/// Name of the layout.
const LAYOUT: &str = "COCO 2014";

/// Registry entry.
pub const KIND: DatasetKind = DatasetKind {
    id: "mini-coco14",
    summary: "embedded: 60 synthetic scenes with up to 4 objects of 10 classes in COCO's layout, made on first use",
    layout: "  ROOT is made by this program; it must not exist yet, or be what an earlier run made",
    how_to_get: "  nothing to get: name a folder that can be written, such as data/mini/coco14",
    open: |source| {
        let root = cached_folder::place(source, LAYOUT, write)?;
        (coco14::KIND.open)(&Source { root: &root, ..*source })
    },
};

/// Number of images.
pub const SCENES: u64 = 60;
/// Index of the first scene in the held-out stream.
const FIRST: u64 = 2000;
/// Category ids by class index.
const CATEGORIES: [u32; Class::COUNT] = [1, 2, 4, 7, 8, 11, 13, 17, 18, 25];
/// One object in so many that is no crowd has its runs in a string.
const IN_A_STRING: usize = 5;

/// The scene of image `turn`, below [`SCENES`]; the file holds a JPEG of it.
#[must_use]
pub fn scene(turn: u64) -> Scene {
    Scene::generate(&SceneSpec::several_objects(turn), Stream::HeldOut, FIRST + turn)
}

/// COCO's id of image `turn`.
#[must_use]
pub fn image_id(turn: u64) -> u64 {
    42 + 391 * turn
}

/// Makes the folder `root`, where it isn't there yet.
///
/// # Errors
/// Where `root` holds something that this program didn't make, or can't be written.
pub fn ensure(root: &Path) -> Result<()> {
    cached_folder::ensure(root, LAYOUT, write)
}

#[derive(Serialize)]
struct Instances {
    info: Info,
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Serialize)]
struct Info {
    description: &'static str,
}

#[derive(Serialize)]
struct Image {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Serialize)]
struct Annotation {
    id: usize,
    image_id: u64,
    category_id: u32,
    segmentation: Segmentation,
    area: usize,
    /// Left, top, width, height.
    bbox: [u32; 4],
    iscrowd: u8,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<u32>>),
    /// `size` is height and width.
    Runs {
        counts: Vec<u32>,
        size: [u32; 2],
    },
    Text {
        counts: String,
        size: [u32; 2],
    },
}

#[derive(Serialize)]
struct Category {
    id: u32,
    name: String,
    supercategory: &'static str,
}

fn write(root: &Path) -> Result<()> {
    let photos = root.join("val2014");
    cached_folder::folder(&photos)?;
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for turn in 0..SCENES {
        let (scene, id) = (scene(turn), image_id(turn));
        let file_name = format!("COCO_val2014_{id:012}.jpg");
        cached_folder::jpeg(&photos.join(&file_name), &scene.image)?;
        let (width, height) = scene.image.dimensions();
        annotate(turn, &scene, &mut annotations);
        images.push(Image { id, file_name, width, height });
    }
    let category = |class: Class| Category {
        id: CATEGORIES[class.index()],
        name: class.name(),
        supercategory: class.shape.name(),
    };
    let info = Info { description: "embedded scenes" };
    let instances = Instances { info, images, annotations, categories: Class::all().map(category).collect() };
    let path = root.join("annotations").join("instances_val2014.json");
    cached_folder::folder(&root.join("annotations"))?;
    let json = serde_json::to_string(&instances).map_err(|error| Error::layout(&path, error.to_string()))?;
    cached_folder::text(&path, &json)
}

fn annotate(turn: u64, scene: &Scene, annotations: &mut Vec<Annotation>) {
    let (width, height) = scene.image.dimensions();
    for class in Class::all() {
        let masks = scene.objects.iter().filter(|object| object.class == class).map(|object| &object.mask);
        let is_crowd = turn % 2 == 1 && masks.clone().count() > 1;
        let masks: Vec<Vec<bool>> = if is_crowd { vec![union(masks)] } else { masks.cloned().collect() };
        for mask in masks {
            let Some(bounds) = PixelBox::around(&mask, width) else { continue };
            let (id, size) = (annotations.len() + 1, [height, width]);
            let segmentation = if is_crowd {
                Segmentation::Runs { counts: segmentation::runs(&mask, width), size }
            } else if id % IN_A_STRING == 0 {
                Segmentation::Text { counts: segmentation::text(&segmentation::runs(&mask, width)), size }
            } else {
                Segmentation::Polygons(segmentation::polygons(&mask, width))
            };
            annotations.push(Annotation {
                id,
                image_id: image_id(turn),
                category_id: CATEGORIES[class.index()],
                segmentation,
                area: mask.iter().filter(|seen| **seen).count(),
                bbox: [bounds.left, bounds.top, bounds.right - bounds.left, bounds.bottom - bounds.top],
                iscrowd: u8::from(is_crowd),
            });
        }
    }
}

/// The pixels of any of the masks.
fn union<'a>(masks: impl Iterator<Item = &'a Vec<bool>>) -> Vec<bool> {
    let either = |a: Vec<bool>, b: Vec<bool>| a.into_iter().zip(b).map(|(a, b)| a || b).collect();
    masks.cloned().reduce(either).unwrap_or_default()
}
