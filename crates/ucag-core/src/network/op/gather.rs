//! Entries of an axis by number.

use tch::Tensor;

use super::import::{Built, Import, Term};
use super::shapes::{axis_of, refuse};
use super::{Change, Op, OpKind, Operation, Reshape};
use crate::Result;

/// The entries of an axis that constant numbers name.
#[derive(Debug, Clone)]
pub struct Gather {
    /// The axis.
    pub axis: usize,
    /// Numbers of entries.
    pub indices: Vec<i64>,
    /// True if the axis goes: there is one number.
    pub drops: bool,
}

impl Operation for Gather {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Reshape
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let axis = self.axis as i64;
        match (self.drops, self.indices.as_slice()) {
            (true, &[index]) => Ok(inputs[0].f_select(axis, index)?),
            _ => {
                let indices = Tensor::f_from_slice(&self.indices)?.f_to_device(inputs[0].device())?;
                Ok(inputs[0].f_index_select(axis, &indices)?)
            }
        }
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let mut shape = inputs[0].to_vec();
        let Some(size) = shape.get_mut(self.axis) else {
            return refuse(format!("{shape:?} has no axis {}", self.axis));
        };
        if let Some(index) = self.indices.iter().find(|&&index| index < 0 || index >= *size) {
            return refuse(format!("there is no entry {index} on an axis of {size}"));
        }
        *size = self.indices.len() as i64;
        if self.drops {
            shape.remove(self.axis);
        }
        Ok(shape)
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok(self.clone().into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn is_view(&self) -> bool {
        self.drops
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Gather", |call| {
    let shape = call.shape(0)?;
    let axis = axis_of(call.int("axis", 0)?, shape.len())?;
    let numbers = call.constant(1)?;
    // As PyTorch's exporter writes `as_strided`: all entries in their order, in another shape.
    if let Some(Reshape::To(sizes)) = call.drafts[call.source(0)?].op.downcast_ref()
        && *sizes == [-1]
        && super::import::integers(&numbers)? == (0..shape[0]).collect::<Vec<i64>>()
    {
        let original = call.drafts[call.source(0)?].inputs[0];
        return match call.drafts[original].shape == numbers.size() {
            true => Ok(Term::Draft(original).into()),
            false => Ok(Term::Draft(original).then(Reshape::To(numbers.size())).into()),
        };
    }
    if numbers.dim() > 1 {
        return refuse(format!("its numbers have the shape {:?}, expected one axis or none", numbers.size()));
    }
    let counted = |index: i64| if index < 0 { index + shape[axis] } else { index };
    let indices = super::import::integers(&numbers)?.into_iter().map(counted).collect();
    Ok(Built::one(Gather { axis, indices, drops: numbers.dim() == 0 }))
});
