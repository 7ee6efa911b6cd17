//! The held-out scenes in the layout of ImageFolder, made on first use and read back by the loader
//! of real data.
//!
//! ```text
//! ROOT/classes.txt                        class folders in index order, with readable names
//! ROOT/val/disc_checks/disc_checks_0001.png ...
//! ROOT/masks/disc_checks/disc_checks_0001.png ...   the object's visible pixels, 0 or 255
//! ROOT/boxes.csv                          image,class,left,top,right,bottom in pixels, right and
//!                                         bottom beyond the last
//! ROOT/VERSION                            which generator made it
//! ```

use std::path::Path;

use image::{GrayImage, RgbImage};

use super::{Class, Scene, SceneSpec, Stream, cached_folder};
use crate::kind::{DatasetKind, Source};
use crate::{Error, Result, imagenet};

/// Scenes of each class in the held-out split.
pub const PER_CLASS: u64 = 10;

/// Name of the layout.
const LAYOUT: &str = "ImageFolder";

/// Registry entry.
pub const KIND: DatasetKind = DatasetKind {
    id: "mini-imagefolder",
    summary: "embedded: 100 synthetic scenes of 10 classes (shape × texture) in ImageFolder's layout, made on first use",
    layout: "  ROOT is made by this program; it must not exist yet, or be what an earlier run made",
    how_to_get: "  nothing to get: name a folder that can be written, such as data/mini/imagefolder",
    open: |source| {
        let root = cached_folder::place(source, LAYOUT, write)?;
        (imagenet::KIND.open)(&Source { root: &root, ..*source })
    },
};

/// Makes the folder `root`, where it isn't there yet.
///
/// # Errors
/// Where `root` holds something that this program didn't make, or can't be written.
pub fn ensure(root: &Path) -> Result<()> {
    cached_folder::ensure(root, LAYOUT, write)
}

fn write(root: &Path) -> Result<()> {
    let classes: Vec<Class> = Class::all().collect();
    let names: String = classes.iter().map(|class| format!("{}\t{}\n", class.folder(), class.name())).collect();
    let mut boxes = String::from("image,class,left,top,right,bottom\n");
    for class in &classes {
        for part in ["val", "masks"] {
            cached_folder::folder(&root.join(part).join(class.folder()))?;
        }
    }
    for turn in 0..PER_CLASS * Class::COUNT as u64 {
        let class = Class::in_turn(turn);
        let scene = Scene::generate(&SceneSpec::one_object(class), Stream::HeldOut, turn);
        let file = format!("{0}/{0}_{1:04}.png", class.folder(), turn / Class::COUNT as u64 + 1);
        save(&root.join("val").join(&file), |path| scene.image.save(path))?;
        for object in &scene.objects {
            save(&root.join("masks").join(&file), |path| mask(&scene.image, &object.mask).save(path))?;
            let b = object.bounds;
            boxes += &format!("val/{file},{},{},{},{},{}\n", class.index(), b.left, b.top, b.right, b.bottom);
        }
    }
    cached_folder::text(&root.join("classes.txt"), &names)?;
    cached_folder::text(&root.join("boxes.csv"), &boxes)
}

fn mask(image: &RgbImage, mask: &[bool]) -> GrayImage {
    let at = |x: u32, y: u32| mask[(y * image.width() + x) as usize];
    GrayImage::from_fn(image.width(), image.height(), |x, y| image::Luma([if at(x, y) { 255 } else { 0 }]))
}

fn save(path: &Path, save: impl FnOnce(&Path) -> image::ImageResult<()>) -> Result<()> {
    save(path).map_err(|error| Error::image(path, format!("can't be written: {error}")))
}
