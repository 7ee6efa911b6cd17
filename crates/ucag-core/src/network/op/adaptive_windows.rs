//! The windows of an adaptive pool as PyTorch's exporter writes them, where the sides of the input
//! are free: by index arithmetic.

use tch::Tensor;

use super::import::{Built, Draft, Import, integers};
use super::shapes::refuse;
use super::{Change, Op, OpKind, Operation, Permute};
use crate::Result;

/// The windows of an adaptive pool on maps `[h, w, B, C]`: `[rows, in a window, columns, in a
/// window, B, C]`.
#[derive(Debug, Clone)]
pub struct AdaptiveWindows {
    /// The rows that the windows of each output row have.
    rows: Vec<Vec<i64>>,
    /// The columns that the windows of each output column have.
    columns: Vec<Vec<i64>>,
}

impl AdaptiveWindows {
    /// Side of the pool's square output.
    fn side(&self) -> Option<i64> {
        (self.rows.len() == self.columns.len()).then_some(self.rows.len() as i64)
    }
}

impl Operation for AdaptiveWindows {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Reshape
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let take = |x: &Tensor, axis: i64, entries: &[Vec<i64>]| -> Result<Tensor> {
            let flat = Tensor::f_from_slice(&entries.concat())?.f_to_device(x.device())?;
            let sizes = [entries.len() as i64, entries[0].len() as i64];
            Ok(x.f_index_select(axis, &flat)?.f_unflatten(axis, sizes.as_slice())?)
        };
        take(&take(inputs[0], 1, &self.columns)?, 0, &self.rows)
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let sizes = |entries: &[Vec<i64>]| [entries.len() as i64, entries[0].len() as i64];
        let ([a, b], [c, d]) = (sizes(&self.rows), sizes(&self.columns));
        match inputs[0] {
            &[_, _, batch, channels] => Ok(vec![a, b, c, d, batch, channels]),
            other => refuse(format!("windows are of maps [h, w, B, C], not {other:?}")),
        }
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok(self.clone().into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }
}

/// ONNX entry. Index arithmetic that a file has for one size needn't be right for another, so it is
/// checked.
pub(super) static GATHER_ND: Import = Import::new("GatherND", |call| {
    let indices = call.constant(1)?;
    let (&[height, width, _, _], &[rows, in_rows, columns, in_columns, 2]) =
        (call.shape(0)?, indices.size().as_slice())
    else {
        return refuse("it is known only as PyTorch writes adaptive pools with it".into());
    };
    if indices.numel() == 0 {
        return refuse("its windows are empty".into());
    }
    let entries = |axis: i64, count: i64, size: i64, part: &Tensor| -> Result<Vec<Vec<i64>>> {
        let flat = integers(&part.f_select(-1, axis)?.f_contiguous()?)?;
        let own: Vec<Vec<i64>> = flat.chunks(size.max(1) as usize).map(<[i64]>::to_vec).collect();
        let side = [height, width][axis as usize];
        let window = |at: i64| (at * side / count..((at + 1) * side + count - 1) / count).collect::<Vec<i64>>();
        match (0..count).map(window).eq(own.iter().cloned()) {
            true => Ok(own),
            false => refuse(format!(
                "its index arithmetic isn't that of an adaptive pool to {count} on a map of {side}: the exporter wrote it for another size. Export the network at the size that it is run at"
            )),
        }
    };
    let first = |axis: i64| indices.f_select(axis, 0)?.f_select(axis, 0);
    let by_row = entries(0, rows, in_rows, &first(2)?)?;
    let by_column = entries(1, columns, in_columns, &first(0)?)?;
    // Each entry is the product of its row and its column.
    let grid = |values: &[Vec<i64>], shape: [i64; 4]| -> Result<Tensor> {
        let full = [rows, in_rows, columns, in_columns];
        Ok(Tensor::f_from_slice(&values.concat())?.f_reshape(shape)?.f_expand(full, false)?)
    };
    let expected =
        Tensor::f_stack(&[grid(&by_row, [rows, in_rows, 1, 1])?, grid(&by_column, [1, 1, columns, in_columns])?], -1)?;
    match expected.f_equal(&indices)? {
        true => Ok(Built::one(AdaptiveWindows { rows: by_row, columns: by_column })),
        false => refuse("it is known only as PyTorch writes adaptive pools with it".into()),
    }
});

/// Returns the side of the adaptive pool that a mean over some axes of a node is, and its input.
pub(super) fn as_mean(drafts: &[Draft], source: usize, axes: &[i64]) -> Option<(i64, usize)> {
    let permuted = |id: usize, order: &[i64]| match drafts[id].op.downcast_ref::<Permute>() {
        Some(Permute { axes }) if axes == order => Some(drafts[id].inputs[0]),
        _ => None,
    };
    let windows = permuted(source, &[4, 5, 0, 1, 2, 3])?;
    let side = drafts[windows].op.downcast_ref::<AdaptiveWindows>()?.side()?;
    let input = permuted(drafts[windows].inputs[0], &[2, 3, 0, 1])?;
    (axes == [3, 5]).then_some((side, input))
}
