//! Precomputed maps: files that another program wrote, scored like those that are computed here.
//!
//! A folder has a file for each data set, model, sample and class ([`file_name`]). [`MapInventory`]
//! says before a run which of the wanted ones are there; [`checksums`] keeps a run from going on
//! with others than it began with.

pub mod checksums;
pub mod file_name;
mod inventory;

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use tch::Tensor;

use crate::io::npy::{Array, Values};

pub use inventory::{MapInventory, RowMaps};

/// Reads a map's file, `[1, 1, h, w]` in the file's own precision. Values that aren't finite are
/// left for scoring to find.
///
/// # Errors
/// Where it can't be read, isn't what `known` has of it, or isn't a map; the message names the
/// file.
pub(crate) fn read(path: &Path, known: &checksums::Digests) -> Result<Tensor> {
    let about = || path.display().to_string();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{}: there is no such map; `bench export-plan` lists those that are wanted", path.display())
        }
        Err(error) => return Err(error).with_context(about),
    };
    known.check(path, &bytes)?;
    tensor(&bytes).with_context(about)
}

/// The map in a file's bytes.
fn tensor(bytes: &[u8]) -> Result<Tensor> {
    let Array { shape, values } = Array::parse(bytes)?;
    let [height, width] = match shape[..] {
        [height, width] | [1, height, width] | [1, 1, height, width] => [height as i64, width as i64],
        _ => bail!("has shape {shape:?}; expected one map, [H, W], [1, H, W] or [1, 1, H, W]"),
    };
    if height == 0 || width == 0 {
        bail!("has shape {shape:?}: it has no pixels");
    }
    let flat = match values {
        Values::Single(values) => Tensor::f_from_slice(&values)?,
        Values::Double(values) => Tensor::f_from_slice(&values)?,
    };
    Ok(flat.f_view([1, 1, height, width])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(shape: &[u64]) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map.npy");
        let count = shape.iter().product::<u64>();
        crate::io::npy::write(&path, &(0..count).map(|value| value as f32).collect::<Vec<_>>(), shape).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn a_map_has_two_sides_and_axes_of_one_before_them() {
        for shape in [&[2, 3][..], &[1, 2, 3], &[1, 1, 2, 3]] {
            let map = tensor(&written(shape)).unwrap();
            assert_eq!(map.size(), [1, 1, 2, 3]);
            assert_eq!(map.double_value(&[0, 0, 1, 0]), 3.0);
        }
        let expected = "expected one map, [H, W], [1, H, W] or [1, 1, H, W]";
        for shape in [&[][..], &[6], &[2, 2, 3], &[1, 2, 2, 3], &[1, 1, 1, 2, 3]] {
            assert_eq!(tensor(&written(shape)).unwrap_err().to_string(), format!("has shape {shape:?}; {expected}"));
        }
        assert_eq!(tensor(&written(&[0, 3])).unwrap_err().to_string(), "has shape [0, 3]: it has no pixels");
    }
}
