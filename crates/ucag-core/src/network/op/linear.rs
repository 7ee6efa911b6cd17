//! Fully connected layers.

use tch::Tensor;

use super::import::{Built, Import};
use super::shapes::refuse;
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// `x Wᵀ + b`, on the last axis.
#[derive(Debug)]
pub struct Linear {
    /// `[out, in]`.
    pub weight: Tensor,
    /// `[out]`.
    pub bias: Option<Tensor>,
}

impl Operation for Linear {
    fn kind(&self) -> OpKind<'_> {
        OpKind::Linear(self)
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_linear(&self.weight, self.bias.as_ref())?)
    }

    fn vjp(&self, _: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![cotangent.f_matmul(&self.weight)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let (weight, mut shape) = (self.weight.size(), inputs[0].to_vec());
        match shape.last_mut() {
            Some(last) if *last == weight[1] => *last = weight[0],
            _ => return refuse(format!("a fully connected layer reads {} features, not {:?}", weight[1], inputs[0])),
        }
        Ok(shape)
    }

    fn with_weights(&self, change: &Change<'_>) -> Result<Op> {
        Ok(Linear { weight: change(&self.weight)?, bias: self.bias.as_ref().map(change).transpose()? }.into())
    }

    fn bias(&self) -> Result<Option<Tensor>> {
        Ok(self.bias.as_ref().map(Tensor::shallow_clone))
    }
}

/// ONNX entry.
pub(super) static GEMM: Import = Import::new("Gemm", |call| {
    if call.int("transA", 0)? != 0 {
        return refuse("transA is 1, expected 0".into());
    }
    let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
    let scaled = |value: Tensor, factor: f32| -> Result<Tensor> {
        Ok(if factor == 1.0 { value } else { value.f_mul_scalar(f64::from(factor))? })
    };
    let weight = scaled(call.constant(1)?, alpha)?;
    if weight.dim() != 2 {
        return refuse(format!("its weight has the shape {:?}, expected a matrix", weight.size()));
    }
    let weight = match call.int("transB", 0)? {
        0 => weight.f_transpose(0, 1)?.f_contiguous()?,
        _ => weight,
    };
    let outputs = weight.size()[0];
    let bias = match call.optional(2)? {
        None => None,
        Some(bias) if bias.numel() as i64 == outputs || bias.numel() == 1 => {
            Some(scaled(bias, beta)?.f_flatten(0, -1)?.f_expand([outputs], false)?.f_contiguous()?)
        }
        Some(bias) => return refuse(format!("its bias has the shape {:?}, expected [{outputs}]", bias.size())),
    };
    Ok(Built::one(Linear { weight, bias }))
});
