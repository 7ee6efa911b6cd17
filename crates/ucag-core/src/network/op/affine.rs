//! Scales and shifts that don't depend on the image.

use tch::{Kind, Tensor};

use super::import::{Built, Call, Draft, Import, Term};
use super::shapes::{broadcast, refuse, summed_to};
use super::{Change, Conv, Layouts, Linear, Op, OpKind, Operation};
use crate::Result;

/// `x · scale + shift`, with tensors that broadcast: Inception's `transform_input`, a layer scale,
/// position embeddings.
#[derive(Debug)]
pub struct Affine {
    /// Factor.
    pub scale: Option<Tensor>,
    /// Summand.
    pub shift: Option<Tensor>,
}

impl Operation for Affine {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Affine
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let scaled = match &self.scale {
            Some(scale) => inputs[0].f_mul(scale)?,
            None => inputs[0].shallow_clone(),
        };
        Ok(match &self.shift {
            Some(shift) => scaled.f_add(shift)?,
            None => scaled,
        })
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let scaled = match &self.scale {
            Some(scale) => cotangent.f_mul(scale)?,
            None => cotangent.shallow_clone(),
        };
        Ok(vec![summed_to(&scaled, &inputs[0].size())?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let weights = [&self.scale, &self.shift].into_iter().flatten();
        weights.map(Tensor::size).try_fold(inputs[0].to_vec(), |shape, weight| broadcast(&shape, &weight))
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        let optional = |weight: &Option<Tensor>| weight.as_ref().map(change).transpose();
        Ok(Affine { scale: optional(&self.scale)?, shift: optional(&self.shift)? }.into())
    }

    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(self.shift.as_ref().map(Tensor::shallow_clone))
    }

    fn layouts(&self) -> Layouts {
        Layouts::ChannelsLast
    }
}

impl Affine {
    /// A factor.
    pub(super) fn scaling(scale: Tensor) -> Self {
        Self { scale: Some(scale), shift: None }
    }

    /// The factor and the summand where both are one number.
    fn numbers(&self) -> Result<Option<[f64; 2]>> {
        let number = |value: &Option<Tensor>, none: f64| match value {
            None => Ok(Some(none)),
            Some(value) if value.numel() == 1 => Ok(Some(value.f_flatten(0, -1)?.f_double_value(&[0])?)),
            Some(_) => Ok::<_, crate::Error>(None),
        };
        Ok(number(&self.scale, 1.0)?.zip(number(&self.shift, 0.0)?).map(<[f64; 2]>::from))
    }
}

/// A tensor as a factor times another, plus a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scaled {
    /// The other tensor's node.
    pub(super) root: usize,
    pub(super) scale: f64,
    pub(super) shift: f64,
}

/// Returns a node as a factor times the first node that isn't that of another, plus a number.
pub(super) fn scaled_root(drafts: &[Draft], id: usize) -> Result<Scaled> {
    let mut scaled = Scaled { root: id, scale: 1.0, shift: 0.0 };
    while let Some(affine) = drafts[scaled.root].op.downcast_ref::<Affine>()
        && let Some([scale, shift]) = affine.numbers()?
    {
        scaled.shift += scaled.scale * shift;
        scaled.scale *= scale;
        scaled.root = drafts[scaled.root].inputs[0];
    }
    Ok(scaled)
}

/// One number as a tensor.
pub(super) fn number(value: f64) -> Tensor {
    Tensor::from(value as f32)
}

/// Operand `index` times a constant. Two factors that are one number each become one.
pub(super) fn scaled(call: &Call<'_>, index: usize, value: &Tensor) -> Result<Term> {
    fits(call.shape(index)?, value)?;
    let source = call.source(index)?;
    if value.numel() == 1 {
        let before = scaled_root(call.drafts, source)?;
        if before.shift == 0.0 {
            let scale = before.scale * value.f_flatten(0, -1)?.f_double_value(&[0])?;
            let root = Term::Draft(before.root);
            let is_one = (scale - 1.0).abs() < 1e-6;
            return Ok(if is_one { root } else { root.then(Affine::scaling(number(scale))) });
        }
    }
    Ok(Term::Draft(source).then(Affine::scaling(value.f_to_kind(Kind::Float)?)))
}

/// Operand `index` plus a constant: a bias, where a layer without one gives the operand.
pub(super) fn shifted(call: &Call<'_>, index: usize, value: &Tensor) -> Result<Term> {
    let shape = call.shape(index)?;
    fits(shape, value)?;
    let source = call.source(index)?;
    if value.f_count_nonzero(None)?.f_int64_value(&[])? == 0 {
        return Ok(Term::Draft(source));
    }
    let value = value.f_to_kind(Kind::Float)?;
    let Draft { op, inputs, .. } = &call.drafts[source];
    let is_per = |axis: usize| value.numel() as i64 == shape[axis] && extent(&value, shape.len() - axis) == shape[axis];
    let joined: Option<Op> = match (op.downcast_ref::<Linear>(), op.downcast_ref::<Conv>(), op.downcast_ref::<Affine>())
    {
        (Some(Linear { weight, bias: None }), ..) if is_per(shape.len() - 1) => {
            Some(Linear { weight: weight.shallow_clone(), bias: Some(value.f_flatten(0, -1)?) }.into())
        }
        (_, Some(conv @ Conv { bias: None, .. }), _) if is_per(1) => {
            let weight = conv.weight.shallow_clone();
            Some(Conv { weight, bias: Some(value.f_flatten(0, -1)?), ..*conv }.into())
        }
        (.., Some(Affine { scale: Some(scale), shift: None })) => {
            Some(Affine { scale: Some(scale.shallow_clone()), shift: Some(value.shallow_clone()) }.into())
        }
        _ => None,
    };
    Ok(match joined {
        Some(op) => Term::Draft(inputs[0]).then(op),
        None => Term::Draft(source).then(Affine { scale: None, shift: Some(value) }),
    })
}

/// Size of the axis that is `from_last` from the end, one behind the last being zero.
fn extent(value: &Tensor, from_last: usize) -> i64 {
    let size = value.size();
    size.len().checked_sub(from_last).map_or(1, |axis| size[axis])
}

/// Refuses a constant that would make an activation larger.
fn fits(shape: &[i64], value: &Tensor) -> Result<()> {
    match broadcast(shape, &value.size())? == shape {
        true => Ok(()),
        false => refuse(format!("a constant of shape {:?} repeats an activation of shape {shape:?}", value.size())),
    }
}

/// ONNX entry.
pub(super) static NEG: Import = Import::new("Neg", |call| Ok(Built::from(scaled(call, 0, &number(-1.0))?)));
