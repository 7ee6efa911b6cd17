//! The embedded benchmark: synthetic scenes with exact labels, boxes and masks, in the layouts of
//! real data sets.
//!
//! A class is a shape with a texture ([`Class`]): 5 shapes × 2 textures, in random colours, sizes
//! and rotations. Around the labelled object lie shapes without a texture and textured patches
//! without a shape, so neither alone names the class. A [`Scene`] depends on its [`SceneSpec`],
//! [`Stream`] and index only, and is the same to the byte on every machine: drawing uses integers
//! and the operations that IEEE 754 rounds exactly (`+ − × ÷ √`), none of a maths library.
//!
//! [`imagenet`] writes the held-out scenes to disk, for the loader of that layout to read back,
//! [`imagenet_seg`] others with their masks, and [`voc07`] and [`coco14`] others with several
//! objects each; [`train_sample`] draws the training scenes, which are never stored.

mod background;
mod cached_folder;
mod canvas;
mod class;
pub mod coco14;
mod draw;
mod figure;
pub mod imagenet;
pub mod imagenet_seg;
mod scene;
mod segmentation;
pub mod voc07;

use image::RgbImage;

pub use class::{Class, Shape, Texture};
pub use scene::{Object, PixelBox, Scene, SceneSpec, Stream};

/// Version of the generator: whatever changes a byte of a scene or of a file written raises it.
pub const VERSION: u32 = 1;

/// Training scene `index` and the index of its class; classes take turns, so every 10 scenes in a
/// row hold each class once.
///
/// There are as many as there are numbers; none is a scene of the held-out split (tested on the
/// pixels of the first).
#[must_use]
pub fn train_sample(index: u64) -> (RgbImage, usize) {
    let class = Class::in_turn(index);
    let scene = Scene::generate(&SceneSpec::one_object(class), Stream::Train, index);
    (scene.image, class.index())
}
