//! Held-out scenes with one object in the layout of ImageNet-segmentation, made on first use and
//! read back by the loader of real data.
//!
//! ```text
//! ROOT/gtsegs_ijcv.mat   as MATLAB 7.3 writes it: images in /value/img, masks of the object's
//!                        visible pixels in cells in /value/gt
//! ROOT/classes.txt       class names in index order, with readable ones; as in the real data, the
//!                        class of a scene isn't told
//! ROOT/VERSION           the generator's version
//! ```

use std::path::Path;

use hdf5_pure::{AttrValue, DatasetBuilder, FileBuilder};
use image::RgbImage;

use super::{Class, Scene, SceneSpec, Stream, cached_folder};
use crate::kind::{DatasetKind, Source};
use crate::{Error, Result, imagenet_seg};

/// Name of the layout.
const LAYOUT: &str = "ImageNet-segmentation";

/// Registry entry.
pub const KIND: DatasetKind = DatasetKind {
    id: "mini-imagenet-seg",
    summary: "embedded: 60 synthetic scenes with an object and its mask in ImageNet-segmentation's layout, made on first use",
    layout: "  ROOT is made by this program; it must not exist yet, or be what an earlier run made",
    how_to_get: "  nothing to get: name a folder that can be written, such as data/mini/imagenet-seg",
    open: |source| {
        let root = cached_folder::place(source, LAYOUT, write)?;
        (imagenet_seg::KIND.open)(&Source { root: &root, ..*source })
    },
};

/// Number of images.
pub const SCENES: u64 = 60;
/// Index of the first scene in the held-out stream: none of them is in another of the embedded data
/// sets.
const FIRST: u64 = 3000;
/// Bytes before the HDF5 file, which MATLAB fills with its header.
const USER_BLOCK: u64 = 512;

/// The scene of image `turn`, below [`SCENES`].
#[must_use]
pub fn scene(turn: u64) -> Scene {
    Scene::generate(&SceneSpec::one_object(Class::in_turn(turn)), Stream::HeldOut, FIRST + turn)
}

/// Makes the folder `root`, where it isn't there yet.
///
/// # Errors
/// Where `root` holds something that this program didn't make, or can't be written.
pub fn ensure(root: &Path) -> Result<()> {
    cached_folder::ensure(root, LAYOUT, write)
}

fn write(root: &Path) -> Result<()> {
    let names: String = Class::all().map(|class| format!("{}\t{}\n", class.folder(), class.name())).collect();
    cached_folder::text(&root.join("classes.txt"), &names)?;
    let path = root.join(imagenet_seg::FILE_NAME);
    mat().write(&path).map_err(|error| Error::layout(&path, format!("can't be written: {error}")))
}

fn mat() -> FileBuilder {
    let mut file = FileBuilder::new();
    file.with_userblock(USER_BLOCK).with_userblock_content(&header());
    let (mut refs, mut value) = (file.create_group("#refs#"), file.create_group("value"));
    let (mut images, mut masks) = (Vec::new(), Vec::new());
    for turn in 0..SCENES {
        let scene = scene(turn);
        let (width, height) = scene.image.dimensions();
        let (image, mask, cell) = (format!("image{turn}"), format!("mask{turn}"), format!("cell{turn}"));
        let visible = scene.objects.iter().fold(vec![false; (width * height) as usize], |mut visible, object| {
            visible.iter_mut().zip(&object.mask).for_each(|(visible, pixel)| *visible |= pixel);
            visible
        });
        array(refs.create_dataset(&image), &planes(&scene.image), &[3, width, height]);
        array(refs.create_dataset(&mask), &columns(&visible, width), &[width, height]);
        class(
            refs.create_dataset(&cell).with_path_references(&[&format!("#refs#/{mask}")]).with_shape(&[1, 1]),
            "cell",
        );
        images.push(format!("#refs#/{image}"));
        masks.push(format!("#refs#/{cell}"));
    }
    for (name, paths) in [("gt", &masks), ("img", &images)] {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        class(value.create_dataset(name).with_path_references(&paths).with_shape(&[SCENES, 1]), "cell");
    }
    value.set_attr("MATLAB_class", AttrValue::AsciiString("struct".into()));
    file.add_group(refs.finish());
    file.add_group(value.finish());
    file
}

/// Returns the head of a MATLAB file: text to byte 116, and at byte 124 the version and the mark of
/// the byte order.
fn header() -> [u8; 128] {
    let mut header = [b' '; 128];
    let text = b"MATLAB 7.3 MAT-file, embedded scenes";
    header[..text.len()].copy_from_slice(text);
    header[116..].copy_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 2, b'I', b'M']);
    header
}

fn array(dataset: &mut DatasetBuilder, values: &[u8], sides: &[u32]) {
    let sides: Vec<u64> = sides.iter().copied().map(u64::from).collect();
    let mut chunk: Vec<u64> = sides.iter().map(|side| side.div_ceil(2)).collect();
    chunk[0] = 1;
    class(dataset.with_u8_data(values).with_shape(&sides).with_chunks(&chunk).with_deflate(3), "uint8");
}

fn class(dataset: &mut DatasetBuilder, class: &str) {
    dataset.set_attr("MATLAB_class", AttrValue::AsciiString(class.into()));
}

/// Red, green, blue; each column by column.
fn planes(image: &RgbImage) -> Vec<u8> {
    let plane = |channel: usize| {
        let column = move |x| (0..image.height()).map(move |y| image.get_pixel(x, y)[channel]);
        (0..image.width()).flat_map(column)
    };
    (0..3).flat_map(plane).collect()
}

/// 0 and 1, column by column, of a mask that is row by row.
fn columns(mask: &[bool], width: u32) -> Vec<u8> {
    let column = |x: usize| mask.iter().skip(x).step_by(width as usize).map(|pixel| u8::from(*pixel));
    (0..width as usize).flat_map(column).collect()
}
