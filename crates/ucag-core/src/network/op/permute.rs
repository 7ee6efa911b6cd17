//! Axes in another order.

use tch::Tensor;

use super::import::{Built, Import};
use super::shapes::refuse;
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// The input's axes in another order.
#[derive(Debug, Clone)]
pub struct Permute {
    /// The input's axis for each of the output's.
    pub axes: Vec<i64>,
}

impl Operation for Permute {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Reshape
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_permute(self.axes.as_slice())?)
    }

    fn vjp(&self, _: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let mut back = vec![0; self.axes.len()];
        for (to, &from) in self.axes.iter().enumerate() {
            back[from as usize] = to as i64;
        }
        Ok(vec![cotangent.f_permute(back.as_slice())?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        match inputs[0].len() == self.axes.len() {
            true => Ok(self.axes.iter().map(|&axis| inputs[0][axis as usize]).collect()),
            false => refuse(format!("{:?} hasn't {} axes", inputs[0], self.axes.len())),
        }
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

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("Transpose", |call| {
    let rank = call.shape(0)?.len() as i64;
    let axes = call.ints("perm")?.unwrap_or_else(|| (0..rank).rev().collect());
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    match sorted == (0..rank).collect::<Vec<i64>>() {
        true => Ok(Built::one(Permute { axes })),
        false => refuse(format!("perm is {axes:?}, for {rank} axes")),
    }
});
