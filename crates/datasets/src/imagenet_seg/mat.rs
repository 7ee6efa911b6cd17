//! `gtsegs_ijcv.mat`: a MATLAB 7.3 file, which is HDF5.
//!
//! `/value/img` and `/value/gt` are cell arrays with an element an image. An image is `uint8`, in
//! the file `3 × width × height`: MATLAB counts down the columns first, so sides are in reverse. A
//! mask is in a cell of its own, `width × height` of 0 and 1.

use std::path::{Path, PathBuf};

use hdf5_pure::DType;
use image::RgbImage;

use super::FILE_NAME;
use super::hdf5::{Array, Hdf5, Result, sides};
use crate::checksum::Reading;
use crate::image::limits::check_size;
use crate::image::object;
use crate::image::object::Rule;
use crate::{Error, Object};

/// An opened file: where its images and masks are.
#[derive(Debug)]
pub(super) struct Mat {
    path: PathBuf,
    hdf5: Hdf5,
    /// Addresses of image and mask of each sample.
    pub(super) samples: Vec<[u64; 2]>,
}

impl Mat {
    /// Reads the two lists of references.
    pub(super) fn open(path: &Path) -> crate::Result<Self> {
        let refused = |problem: String| Error::layout(path, problem);
        let hdf5 = Hdf5::open(path).map_err(refused)?;
        let list = |name: &str| {
            let references = hdf5.named(name).and_then(|array| array.references());
            references.map_err(|problem| refused(format!("/{name} {problem}; is this {FILE_NAME}?")))
        };
        let (images, masks) = (list("value/img")?, list("value/gt")?);
        if images.len() != masks.len() || images.is_empty() {
            let problem = format!(
                "has {} images in /value/img and {} masks in /value/gt; is it damaged?",
                images.len(),
                masks.len()
            );
            return Err(refused(problem));
        }
        let samples = images.into_iter().zip(masks).map(|(image, mask)| [image, mask]).collect();
        Ok(Self { path: path.into(), hdf5, samples })
    }

    /// Image and object of sample `index`, whose arrays are added to `reading`.
    pub(super) fn load(&self, index: usize, rule: Rule, reading: &mut Reading) -> crate::Result<(RgbImage, Object)> {
        let [image, mask] = self.samples[index];
        let of = |what: &str, problem: String| Error::image(&self.path, format!("{what} {} {problem}", index + 1));
        let image = self.image(image, reading).map_err(|problem| of("image", problem))?;
        let size = Some(image.dimensions());
        let object = self.object(mask, size, rule, reading).map_err(|problem| of("mask", problem))?;
        Ok((image, object))
    }

    /// The object of sample `index` by itself, or what is wrong with its mask.
    pub(super) fn mask(&self, index: usize, rule: Rule) -> Result<Object> {
        let [_, mask] = self.samples[index];
        let object = self.object(mask, None, rule, &mut Reading::default());
        object.map_err(|problem| format!("has a mask that {problem}"))
    }

    fn image(&self, address: u64, reading: &mut Reading) -> Result<RgbImage> {
        let array = self.hdf5.at(address).map_err(unread)?;
        let &[3, width, height] = array.shape.as_slice() else {
            return Err(format!("is stored as {}, not as 3 × width × height", sides(&array.shape)));
        };
        if array.kind != DType::U8 {
            return Err(format!("is of {}, not of 8-bit numbers", array.kind));
        }
        let (width, height) = size(width, height)?;
        let planes = values(&array, 3 * width as usize * height as usize, Array::bytes)?;
        reading.array(&array, &planes);
        let area = width as usize * height as usize;
        Ok(RgbImage::from_fn(width, height, |x, y| {
            let at = x as usize * height as usize + y as usize;
            image::Rgb([planes[at], planes[area + at], planes[2 * area + at]])
        }))
    }

    /// `of_image` is the size that it must be of, where that is known.
    fn object(&self, address: u64, of_image: Option<(u32, u32)>, rule: Rule, reading: &mut Reading) -> Result<Object> {
        let mut array = self.hdf5.at(address).map_err(unread)?;
        // The published masks lie in cells of one element; of several, the first counts. One that
        // is not in a cell will do.
        if array.kind == DType::ObjectReference {
            let cell = array.references()?;
            let first = cell.first().ok_or("is an empty cell")?;
            array = self.hdf5.at(*first).map_err(unread)?;
        }
        if !is_number(&array.kind) {
            return Err(format!("is of {}, not of numbers", array.kind));
        }
        let &[width, height] = array.shape.as_slice() else {
            return Err(format!("is stored as {}, not as the image's width × height", sides(&array.shape)));
        };
        if let Some((w, h)) = of_image
            && (width, height) != (u64::from(w), u64::from(h))
        {
            return Err(format!("is {width} × {height} pixels, its image {w} × {h}"));
        }
        let (width, height) = size(width, height)?;
        let pixels = labels(&array, width as usize * height as usize, rule)?;
        reading.array(&array, &array.bytes().map_err(unread)?);
        let at = |x: u32, y: u32| pixels[x as usize * height as usize + y as usize];
        object::of_labels(width, height, (0..height).flat_map(|y| (0..width).map(move |x| at(x, y))).collect())
    }
}

impl Reading {
    /// Adds an array's values as they are stored, and before them a line of what they are.
    fn array(&mut self, array: &Array, values: &[u8]) {
        self.add(format!("{} {}\n", sides(&array.shape), array.kind).as_bytes());
        self.add(values);
    }
}

/// Labels of values 0 and 1, in any type that they are stored as (MATLAB has logical, integer and
/// double). Others mean what the config says of them, or nothing that is known here.
fn labels(array: &Array, length: usize, rule: Rule) -> Result<Vec<Option<bool>>> {
    if array.kind == DType::U8 {
        return values(array, length, Array::bytes)?.into_iter().map(|value| rule.number(value.into())).collect();
    }
    values(array, length, Array::numbers)?.into_iter().map(|value| rule.number(value)).collect()
}

fn is_number(kind: &DType) -> bool {
    use DType::{Enum, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    matches!(kind, I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64 | F32 | F64 | Enum(_))
}

fn values<T>(array: &Array, length: usize, read: fn(&Array) -> Result<Vec<T>>) -> Result<Vec<T>> {
    let values = read(array).map_err(unread)?;
    if values.len() == length { Ok(values) } else { Err(format!("has {} values, not {length}", values.len())) }
}

fn size(width: u64, height: u64) -> Result<(u32, u32)> {
    let side = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
    let (width, height) = (side(width), side(height));
    if width == 0 || height == 0 {
        return Err(format!("is {width} × {height} pixels, so there is nothing in it"));
    }
    check_size(width, height)?;
    Ok((width, height))
}

fn unread(problem: String) -> String {
    format!("can't be read: {problem}; is the file damaged? Download it again")
}
