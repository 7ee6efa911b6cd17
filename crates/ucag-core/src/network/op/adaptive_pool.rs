//! Adaptive average pooling.

use tch::Tensor;

use super::import::{Built, Import};
use super::shapes::refuse;
use super::{Change, Op, OpKind, Operation};
use crate::Result;

/// Mean over a grid of (possibly uneven) bins, `[B, C, h, w]` to `[B, C, size, size]`.
#[derive(Debug, Clone, Copy)]
pub struct AdaptiveAvgPool {
    /// Bins per axis.
    pub size: i64,
}

impl Operation for AdaptiveAvgPool {
    fn kind(&self) -> OpKind<'_> {
        OpKind::MeanPool
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        Ok(inputs[0].f_adaptive_avg_pool2d([self.size, self.size])?)
    }

    fn vjp(&self, inputs: &[&Tensor], _: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        Ok(vec![inputs[0].f_internal_adaptive_avg_pool2d_backward(cotangent)?])
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        match inputs[0] {
            &[batch, channels, ..] => Ok(vec![batch, channels, self.size, self.size]),
            other => refuse(format!("a pool reads [B, C, h, w], not {other:?}")),
        }
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok((*self).into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }
}

/// ONNX entry.
pub(super) static GLOBAL_AVERAGE: Import =
    Import::new("GlobalAveragePool", |_| Ok(Built::one(AdaptiveAvgPool { size: 1 })));
