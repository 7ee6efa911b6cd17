//! Other shapes for the same entries.

use tch::Tensor;

use super::import::{Built, Call, Import, Term};
use super::shapes::{axis_of, refuse};
use super::{Change, Flatten, Op, OpKind, Operation};
use crate::Result;

/// The same entries in another shape.
#[derive(Debug, Clone)]
pub enum Reshape {
    /// Sizes of the axes: 0 for that of the input's axis at the same place, −1 for all that is
    /// left.
    To(Vec<i64>),
    /// Without these axes, of size 1.
    Squeeze(Vec<i64>),
    /// With these axes, of size 1.
    Unsqueeze(Vec<i64>),
}

impl Reshape {
    /// The output's shape.
    fn target(&self, input: &[i64]) -> Result<Vec<i64>> {
        let shape = match self {
            Reshape::To(sizes) => {
                let copied = |(axis, &size): (usize, &i64)| match size {
                    0 => input.get(axis).copied().map_or_else(|| refuse(format!("{input:?} has no axis {axis}")), Ok),
                    _ => Ok(size),
                };
                let mut shape = sizes.iter().enumerate().map(copied).collect::<Result<Vec<i64>>>()?;
                let known = product(shape.iter().copied().filter(|&size| size >= 0))?;
                if let Some(open) = shape.iter().position(|&size| size < 0) {
                    shape[open] = input.iter().product::<i64>().checked_div(known).unwrap_or(0);
                }
                shape
            }
            Reshape::Squeeze(axes) => {
                let axes = axes.iter().map(|&axis| axis_of(axis, input.len())).collect::<Result<Vec<_>>>()?;
                (0..input.len()).filter(|axis| !axes.contains(axis)).map(|axis| input[axis]).collect()
            }
            Reshape::Unsqueeze(axes) => {
                let rank = input.len() + axes.len();
                let axes = axes.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<Vec<_>>>()?;
                let mut sizes = input.iter().copied();
                (0..rank).filter_map(|axis| if axes.contains(&axis) { Some(1) } else { sizes.next() }).collect()
            }
        };
        match product(shape.iter().copied())? == input.iter().product::<i64>() {
            true => Ok(shape),
            false => refuse(format!("{input:?} can't be reshaped to {shape:?}")),
        }
    }
}

/// The product of sizes.
fn product(mut sizes: impl Iterator<Item = i64>) -> Result<i64> {
    let product = sizes.try_fold(1i64, |product, size| product.checked_mul(size));
    product.map_or_else(|| refuse("its sizes are too large".into()), Ok)
}

impl Operation for Reshape {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Reshape
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_reshape(self.target(&inputs[0].size())?)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![cotangent.f_reshape(inputs[0].size())?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        self.target(inputs[0])
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok(self.clone().into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn is_view(&self) -> bool {
        true
    }
}

/// A reshape, or the flattening that it is.
fn build(call: &Call<'_>, reshape: Reshape) -> Result<Built> {
    let input = call.shape(0)?;
    let shape = reshape.target(input)?;
    if shape == input {
        return Ok(Term::Operand(0).into());
    }
    if shape.len() == 2 && input.len() > 2 && shape[0] == input[0] {
        // Right for views of any size.
        call.sized.set(false);
        return Ok(Built::one(Flatten));
    }
    Ok(Built::one(reshape))
}

/// ONNX entry.
pub(super) static RESHAPE: Import = Import::new("Reshape", |call| {
    let sizes = call.integers(1)?;
    if call.int("allowzero", 0)? != 0 && sizes.contains(&0) {
        return refuse("it makes a tensor without entries (allowzero)".into());
    }
    build(call, Reshape::To(sizes))
});

/// ONNX entry.
pub(super) static SQUEEZE: Import = Import::new("Squeeze", |call| match call.axes(1)? {
    Some(axes) => build(call, Reshape::Squeeze(axes)),
    None => refuse("it names no axes, and would drop that of a batch of one".into()),
});

/// ONNX entry.
pub(super) static UNSQUEEZE: Import =
    Import::new("Unsqueeze", |call| build(call, Reshape::Unsqueeze(call.axes(1)?.unwrap_or_default())));
