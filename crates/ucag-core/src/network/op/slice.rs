//! Parts of an axis.

use tch::Tensor;

use super::import::{Built, Import, Term};
use super::shapes::{axis_of, refuse};
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// Every `step`th entry of an axis, from `start` on and before `end`.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// The axis.
    pub axis: usize,
    /// The first entry; negative numbers count from the end.
    pub start: i64,
    /// One behind the last; negative numbers count from the end.
    pub end: i64,
    /// One or more.
    pub step: i64,
}

impl Slice {
    /// First entry and one behind the last, on an axis of this size.
    fn bounds(&self, size: i64) -> (i64, i64) {
        let counted = |at: i64| if at < 0 { at.saturating_add(size) } else { at }.clamp(0, size);
        (counted(self.start), counted(self.end))
    }
}

impl Operation for Slice {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Reshape
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let (start, end) = self.bounds(inputs[0].size()[self.axis]);
        Ok(inputs[0].f_slice(self.axis as i64, start, end, self.step)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let (start, end) = self.bounds(inputs[0].size()[self.axis]);
        let back = Tensor::f_slice_backward;
        Ok(vec![back(cotangent, inputs[0].size(), self.axis as i64, start, end, self.step)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let mut shape = inputs[0].to_vec();
        let Some(size) = shape.get_mut(self.axis) else {
            return refuse(format!("{shape:?} has no axis {}", self.axis));
        };
        let (start, end) = self.bounds(*size);
        *size = (end - start + self.step - 1).div_euclid(self.step);
        match *size > 0 {
            true => Ok(shape),
            false => refuse(format!("nothing is left of {:?} along axis {}", inputs[0], self.axis)),
        }
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }

    fn is_view(&self) -> bool {
        true
    }
}

/// ONNX entry.
pub(super) static SLICE: Import = Import::new("Slice", |call| {
    let rank = call.shape(0)?.len();
    let (starts, ends) = (call.integers(1)?, call.integers(2)?);
    let axes = if call.has(3) { call.integers(3)? } else { (0..starts.len() as i64).collect() };
    let steps = if call.has(4) { call.integers(4)? } else { vec![1; starts.len()] };
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return refuse("starts, ends, axes and steps differ in number".into());
    }
    if let Some(step) = steps.iter().find(|&&step| step < 1) {
        return refuse(format!("a step is {step}, expected 1 or more"));
    }
    let mut term = Term::Operand(0);
    for (index, &axis) in axes.iter().enumerate() {
        let slice = Slice { axis: axis_of(axis, rank)?, start: starts[index], end: ends[index], step: steps[index] };
        let size = call.shape(0)?[slice.axis];
        if slice.bounds(size) != (0, size) || slice.step != 1 {
            term = term.then(slice);
        }
    }
    Ok(term.into())
});

/// Parts of an axis, one after the other.
fn parts(axis: usize, sizes: &[i64]) -> Built {
    let mut start = 0;
    let part = |&size: &i64| {
        start += size;
        Term::first(Slice { axis, start: start - size, end: start, step: 1 })
    };
    Built(sizes.iter().map(part).collect())
}

/// ONNX entry: parts as a list, of which `SequenceAt` takes one.
pub(super) static SPLIT_TO_SEQUENCE: Import = Import::new("SplitToSequence", |call| {
    let shape = call.shape(0)?;
    let axis = axis_of(call.int("axis", 0)?, shape.len())?;
    if !call.has(1) {
        return refuse("it names no sizes of parts".into());
    }
    let sizes = match (call.integers(1)?.as_slice(), call.constant(1)?.dim()) {
        (&[part], 0) if part > 0 => {
            (0..shape[axis]).step_by(part as usize).map(|at| part.min(shape[axis] - at)).collect()
        }
        (sizes, _) => sizes.to_vec(),
    };
    match sizes.iter().sum::<i64>() == shape[axis] {
        true => Ok(parts(axis, &sizes)),
        false => refuse(format!("parts of {sizes:?} aren't an axis of {}", shape[axis])),
    }
});

/// ONNX entry: a slice for each output.
pub(super) static SPLIT: Import = Import::new("Split", |call| {
    let shape = call.shape(0)?;
    let axis = axis_of(call.int("axis", 0)?, shape.len())?;
    let outputs = call.node.outputs.len().max(1) as i64;
    let sizes = match call.ints("split")? {
        Some(sizes) => sizes,
        None if call.has(1) => call.integers(1)?,
        None => {
            let part = (shape[axis] + outputs - 1) / outputs;
            (0..outputs).map(|index| part.min(shape[axis] - index * part)).collect()
        }
    };
    if sizes.len() as i64 != outputs || sizes.iter().sum::<i64>() != shape[axis] {
        return refuse(format!("parts of {sizes:?} aren't an axis of {}", shape[axis]));
    }
    Ok(parts(axis, &sizes))
});
