//! The concatenation of inputs.

use tch::Tensor;

use super::import::{Built, Import, Operand, Term};
use super::shapes::{axis_of, refuse};
use super::{Change, Layouts, Op, OpKind, Operation};
use crate::Result;

/// Concatenation of the inputs along an axis.
#[derive(Debug)]
pub struct Concat {
    /// 1 for channels; negative numbers count from the last axis.
    pub axis: i64,
    /// Parts that don't depend on the image, such as a class token, each with its place among all
    /// parts: of the parts' shape, or with a first axis of 1 for every view.
    pub constants: Vec<(usize, Tensor)>,
}

impl Concat {
    /// Along channels.
    pub const CHANNELS: Self = Self { axis: 1, constants: Vec::new() };
}

impl Operation for Concat {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Concat
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        if self.constants.is_empty() {
            return Ok(Tensor::f_cat(inputs, self.axis)?);
        }
        let mut parts: Vec<Tensor> = inputs.iter().map(|input| input.shallow_clone()).collect();
        for (place, constant) in &self.constants {
            let mut size = constant.size();
            size[0] = inputs[0].size()[0];
            parts.insert(*place, constant.f_expand(size, false)?);
        }
        Ok(Tensor::f_cat(&parts, self.axis)?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let axis = axis_of(self.axis, inputs[0].dim())?;
        let mut widths: Vec<i64> = inputs.iter().map(|input| input.size()[axis]).collect();
        for (place, constant) in &self.constants {
            widths.insert(*place, constant.size()[axis]);
        }
        let mut parts = cotangent.f_split_with_sizes(&widths, axis as i64)?;
        for (place, _) in self.constants.iter().rev() {
            drop(parts.remove(*place));
        }
        Ok(parts)
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let mut shape = inputs[0].to_vec();
        let axis = axis_of(self.axis, shape.len())?;
        let constants: Vec<Vec<i64>> = self
            .constants
            .iter()
            .map(|(_, constant)| {
                let mut size = constant.size();
                if let Some(batch) = size.first_mut() {
                    *batch = shape[0];
                }
                size
            })
            .collect();
        for other in inputs[1..].iter().copied().chain(constants.iter().map(Vec::as_slice)) {
            if other.len() != shape.len() || (0..shape.len()).any(|at| at != axis && other[at] != shape[at]) {
                return refuse(format!("{other:?} and {:?} can't be concatenated along axis {axis}", inputs[0]));
            }
            shape[axis] += other[axis];
        }
        Ok(shape)
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        let constant = |(place, constant): &(usize, Tensor)| Ok((*place, change(constant)?));
        let constants = self.constants.iter().map(constant).collect::<Result<_>>()?;
        Ok(Concat { axis: self.axis, constants }.into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        self.constants.is_empty() && inputs.iter().all(|&positive| positive)
    }

    fn layouts(&self) -> Layouts {
        Layouts::ChannelsLast
    }
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Concat", |call| {
    let Some(first) = (0..call.operands.len()).find(|&index| !call.is_constant(index)) else {
        return refuse("none of its inputs depends on the image".into());
    };
    let axis = axis_of(call.int("axis", 1)?, call.shape(first)?.len())?;
    let (mut constants, mut inputs) = (Vec::new(), Vec::new());
    for (place, operand) in call.operands.iter().enumerate() {
        match operand {
            Some(Operand::Constant { value, sized }) => {
                // One for every view: it was repeated for a batch.
                let is_repeated = axis > 0 && value.dim() > 0 && value.size()[0] > 1 && value.stride()[0] == 0;
                let value = if is_repeated { value.f_narrow(0, 0, 1)?.f_contiguous()? } else { value.shallow_clone() };
                call.sized.set(call.sized.get() | (*sized && !is_repeated));
                constants.push((place, value));
            }
            _ => inputs.push(Term::Operand(place)),
        }
    }
    Ok(Built::from(Term::Apply(Concat { axis: axis as i64, constants }.into(), inputs)))
});
