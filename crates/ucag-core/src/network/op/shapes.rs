//! Shapes that broadcast.

use tch::Tensor;

use crate::{Error, Result};

/// An error about shapes.
pub(super) fn refuse<T>(problem: String) -> Result<T> {
    Err(Error::Invalid(problem))
}

/// Returns the shape that two shapes broadcast to.
pub(in crate::network) fn broadcast(a: &[i64], b: &[i64]) -> Result<Vec<i64>> {
    let rank = a.len().max(b.len());
    let side = |shape: &[i64], at: usize| (at + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    let joint = |at: usize| match (side(a, at), side(b, at)) {
        (one, other) if one == other || other == 1 => Ok(one),
        (1, other) => Ok(other),
        _ => refuse(format!("shapes {a:?} and {b:?} don't fit each other")),
    };
    (0..rank).map(joint).collect()
}

/// Returns the sum of a cotangent over all that an input of this shape was broadcast to.
pub(super) fn summed_to(cotangent: &Tensor, shape: &[i64]) -> Result<Tensor> {
    let size = cotangent.size();
    if size == shape {
        return Ok(cotangent.shallow_clone());
    }
    let more = size.len() - shape.len();
    let repeated = |&at: &usize| at < more || (shape[at - more] == 1 && size[at] != 1);
    let axes: Vec<i64> = (0..size.len()).filter(repeated).map(|at| at as i64).collect();
    Ok(cotangent.f_sum_dim_intlist(axes.as_slice(), true, cotangent.kind())?.f_reshape(shape)?)
}

/// Returns an axis counted from the first, of a tensor of this rank.
pub(in crate::network) fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    let counted = if axis < 0 { axis + rank as i64 } else { axis };
    match usize::try_from(counted) {
        Ok(axis) if axis < rank => Ok(axis),
        _ => refuse(format!("there is no axis {axis} in a tensor of {rank}")),
    }
}
