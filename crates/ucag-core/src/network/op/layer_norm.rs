//! Layer normalization.

use tch::Tensor;

use super::activation::{self, Activation};
use super::affine::{Scaled, scaled_root};
use super::import::{Built, Draft, Import};
use super::shapes::refuse;
use super::{Add, Change, Op, OpKind, Operation, Product, Reduce, Reduction};
use crate::Result;

/// `(x − mean) / sqrt(var + eps) · weight + bias` over the last axes, with biased variance (Ba et
/// al., 2016).
#[derive(Debug)]
pub struct LayerNorm {
    /// Number of axes, counted from the last.
    pub axes: usize,
    /// Scale γ, of the shape of the axes.
    pub weight: Option<Tensor>,
    /// Shift β, of the same shape.
    pub bias: Option<Tensor>,
    /// Added to the variance.
    pub eps: f64,
}

impl Operation for LayerNorm {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Normalization
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let size = inputs[0].size();
        let shape = &size[size.len() - self.axes..];
        Ok(inputs[0].f_layer_norm(shape, self.weight.as_ref(), self.bias.as_ref(), self.eps, false)?)
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let last = inputs[0].len().checked_sub(self.axes).map(|first| &inputs[0][first..]);
        match (last, self.weight.as_ref().map(Tensor::size)) {
            (None, _) => refuse(format!("{:?} hasn't {} axes", inputs[0], self.axes)),
            (Some(last), Some(size)) if last != size => refuse(format!("it normalizes {size:?}, not {last:?}")),
            _ => Ok(inputs[0].to_vec()),
        }
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        let optional = |weight: &Option<Tensor>| weight.as_ref().map(change).transpose();
        Ok(LayerNorm { axes: self.axes, weight: optional(&self.weight)?, bias: optional(&self.bias)?, eps: self.eps }
            .into())
    }

    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(self.bias.as_ref().map(Tensor::shallow_clone))
    }
}

/// Returns the layer normalization without weights that a quotient of two nodes is, and its input:
/// `(x − mean x) / sqrt(mean (x − mean x)² + eps)`.
pub(super) fn as_quotient(drafts: &[Draft], above: usize, below: usize) -> Result<Option<(LayerNorm, usize)>> {
    let mean = |id: usize| match drafts[id].op.downcast_ref::<Reduce>() {
        Some(Reduce { to: Reduction::Mean, axes, keeps: true }) => Some((drafts[id].inputs[0], axes)),
        _ => None,
    };
    // x − mean x
    let [input, negated] = match (drafts[above].op.is::<Add>(), drafts[above].inputs.as_slice()) {
        (true, &[input, negated]) => [input, negated],
        _ => return Ok(None),
    };
    let Scaled { root, scale, shift } = scaled_root(drafts, negated)?;
    let Some((of, axes)) = mean(root).filter(|_| scale == -1.0 && shift == 0.0) else { return Ok(None) };
    // sqrt(mean (x − mean x)² + eps)
    let is_root = |op: &Op| op.downcast_ref().is_some_and(|op: &Activation| op.is(&activation::SQUARE_ROOT));
    if of != input || !is_root(&drafts[below].op) {
        return Ok(None);
    }
    let Scaled { root, scale, shift: eps } = scaled_root(drafts, drafts[below].inputs[0])?;
    let Some((squared, other_axes)) = mean(root).filter(|_| scale == 1.0) else { return Ok(None) };
    let square = &drafts[squared];
    let is_square = square.op.is::<Product>()
        || square.op.downcast_ref().is_some_and(|op: &Activation| op.is(&activation::POWER) && op.parameters == [2.0]);
    let rank = drafts[input].shape.len();
    let last: Vec<i64> = (rank - axes.len().min(rank)..rank).map(|axis| axis as i64).collect();
    let is_norm = is_square && square.inputs.iter().all(|&id| id == above) && axes == other_axes && *axes == last;
    Ok(is_norm.then(|| (LayerNorm { axes: axes.len(), weight: None, bias: None, eps }, input)))
}

/// ONNX entry.
pub(super) static ONNX: Import = Import::new("LayerNormalization", |call| {
    let rank = call.shape(0)?.len();
    let axis = super::shapes::axis_of(call.int("axis", -1)?, rank)?;
    if call.node.outputs.len() > 1 {
        return refuse("more than its first output is read".into());
    }
    let eps = f64::from(call.float("epsilon", 1e-5)?);
    Ok(Built::one(LayerNorm { axes: rank - axis, weight: Some(call.constant(1)?), bias: call.optional(2)?, eps }))
});
