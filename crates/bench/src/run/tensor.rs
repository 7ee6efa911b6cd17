//! Tensors as numbers.

use anyhow::Result;
use tch::Tensor;

/// The values of a map, row by row.
pub(crate) fn floats(map: &Tensor) -> Result<Vec<f32>> {
    Ok(Vec::<f32>::try_from(&map.f_contiguous()?.f_view([-1])?)?)
}
