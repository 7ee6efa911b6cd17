//! Held-out scenes with several objects in the layout of PASCAL VOC 2007, made on first use and
//! read back by the loader of real data.
//!
//! ```text
//! ROOT/classes.txt                       class names in index order, with readable ones
//! ROOT/VERSION                           the generator's version
//! ROOT/VOCdevkit/VOC2007/
//!   JPEGImages/000001.jpg ...
//!   Annotations/000001.xml ...           boxes of the objects' visible pixels
//!   ImageSets/Main/test.txt              list of images
//!   ImageSets/Main/disc_checks_test.txt ...   1 there, 0 only difficult ones, -1 not there
//! ```

use std::fmt::Write as _;
use std::path::Path;

use super::{Class, Object, Scene, SceneSpec, Stream, cached_folder};
use crate::kind::{DatasetKind, Source};
use crate::{Result, voc07};

/// Name of the layout.
const LAYOUT: &str = "VOC 2007";

/// Registry entry.
pub const KIND: DatasetKind = DatasetKind {
    id: "mini-voc07",
    summary: "embedded: 60 synthetic scenes with up to 4 objects of 10 classes in VOC's layout, made on first use",
    layout: "  ROOT is made by this program; it must not exist yet, or be what an earlier run made",
    how_to_get: "  nothing to get: name a folder that can be written, such as data/mini/voc07",
    open: |source| {
        let root = cached_folder::place(source, LAYOUT, write)?;
        (voc07::KIND.open)(&Source { root: &root, ..*source })
    },
};

/// Number of images.
pub const SCENES: u64 = 60;
/// Index of the first scene in the held-out stream.
const FIRST: u64 = 1000;

/// The scene of image `turn`, below [`SCENES`]; the file holds a JPEG of it.
#[must_use]
pub fn scene(turn: u64) -> Scene {
    Scene::generate(&SceneSpec::several_objects(turn), Stream::HeldOut, FIRST + turn)
}

/// Name of image `turn`; every fourth number is left out, as the real test set has gaps.
#[must_use]
pub fn name(turn: u64) -> String {
    format!("{:06}", turn + turn / 3 + 1)
}

/// Makes the folder `root`, where it isn't there yet.
///
/// # Errors
/// Where `root` holds something that this program didn't make, or can't be written.
pub fn ensure(root: &Path) -> Result<()> {
    cached_folder::ensure(root, LAYOUT, write)
}

fn write(root: &Path) -> Result<()> {
    let year = root.join("VOCdevkit").join("VOC2007");
    let (images, annotations, sets) =
        (year.join("JPEGImages"), year.join("Annotations"), year.join("ImageSets").join("Main"));
    for folder in [&images, &annotations, &sets] {
        cached_folder::folder(folder)?;
    }
    let mut test = String::new();
    let mut by_class = vec![String::new(); Class::COUNT];
    for turn in 0..SCENES {
        let (scene, name) = (scene(turn), name(turn));
        cached_folder::jpeg(&images.join(format!("{name}.jpg")), &scene.image)?;
        cached_folder::text(&annotations.join(format!("{name}.xml")), &annotation(&name, &scene))?;
        test += &format!("{name}\n");
        for (class, lines) in Class::all().zip(&mut by_class) {
            *lines += &format!("{name} {:>2}\n", presence(class, &scene));
        }
    }
    cached_folder::text(&sets.join("test.txt"), &test)?;
    for (class, lines) in Class::all().zip(&by_class) {
        cached_folder::text(&sets.join(format!("{}_test.txt", class.folder())), lines)?;
    }
    let names: String = Class::all().map(|class| format!("{}\t{}\n", class.folder(), class.name())).collect();
    cached_folder::text(&root.join("classes.txt"), &names)
}

/// 1 where the class is in the scene, 0 where only difficult objects of it are, −1 where none is.
fn presence(class: Class, scene: &Scene) -> i32 {
    let objects = scene.objects.iter().filter(|object| object.class == class);
    objects.map(|object| i32::from(!object.difficult)).max().unwrap_or(-1)
}

fn annotation(name: &str, scene: &Scene) -> String {
    let objects: String = scene.objects.iter().map(object).collect();
    let (width, height) = scene.image.dimensions();
    format!(
        "<annotation>\n\t<folder>VOC2007</folder>\n\t<filename>{name}.jpg</filename>\n\t<size>\n\t\t<width>{width}</width>\n\
         \t\t<height>{height}</height>\n\t\t<depth>3</depth>\n\t</size>\n\t<segmented>0</segmented>\n{objects}</annotation>\n"
    )
}

/// Pixels are counted from 1, and those on the box's border are in it. Objects lie within the
/// image, so none is truncated.
fn object(object: &Object) -> String {
    let bounds = object.bounds;
    let sides = [("xmin", bounds.left + 1), ("ymin", bounds.top + 1), ("xmax", bounds.right), ("ymax", bounds.bottom)];
    let mut text = format!(
        "\t<object>\n\t\t<name>{}</name>\n\t\t<pose>Unspecified</pose>\n\t\t<truncated>0</truncated>\n\t\t<difficult>{}</difficult>\n\t\t<bndbox>\n",
        object.class.folder(),
        u8::from(object.difficult)
    );
    for (side, at) in sides {
        let _ = writeln!(text, "\t\t\t<{side}>{at}</{side}>");
    }
    text + "\t\t</bndbox>\n\t</object>\n"
}
