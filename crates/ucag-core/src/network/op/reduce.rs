//! Means, sums and maxima over axes.

use tch::Tensor;

use super::activation;
use super::import::{Built, Call, Import, Term};
use super::shapes::axis_of;
use super::{AdaptiveAvgPool, Change, Flatten, Op, OpKind, Operation};
use crate::Result;

/// One number for all entries along some axes.
#[derive(Debug, Clone)]
pub struct Reduce {
    /// The number.
    pub to: Reduction,
    /// The axes.
    pub axes: Vec<i64>,
    /// True if the axes stay, with size 1.
    pub keeps: bool,
}

/// A number that stands for many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// Their maximum.
    Max,
}

impl Operation for Reduce {
    fn kind(&self) -> OpKind<'_> {
        match self.to {
            Reduction::Mean | Reduction::Sum => OpKind::MeanPool,
            Reduction::Max => OpKind::MaxPool,
        }
    }

    fn apply(&self, inputs: &[&Tensor]) -> Result<Tensor> {
        let (axes, kind) = (self.axes.as_slice(), inputs[0].kind());
        Ok(match self.to {
            Reduction::Mean => inputs[0].f_mean_dim(axes, self.keeps, kind)?,
            Reduction::Sum => inputs[0].f_sum_dim_intlist(axes, self.keeps, kind)?,
            Reduction::Max => inputs[0].f_amax(axes, self.keeps)?,
        })
    }

    fn shape(&self, inputs: &[&[i64]]) -> Result<Vec<i64>> {
        let axes = self.axes.iter().map(|&axis| axis_of(axis, inputs[0].len())).collect::<Result<Vec<_>>>()?;
        let size = |axis: usize| match (axes.contains(&axis), self.keeps) {
            (false, _) => Some(inputs[0][axis]),
            (true, keeps) => keeps.then_some(1),
        };
        Ok((0..inputs[0].len()).filter_map(size).collect())
    }

    fn with_weights(&self, _: &Change<'_>) -> Result<Op> {
        Ok(self.clone().into())
    }

    fn is_positive(&self, inputs: &[bool]) -> bool {
        inputs[0]
    }
}

/// A reduction, or the pool over all positions that it is.
fn build(call: &Call<'_>, to: Reduction) -> Result<Built> {
    let rank = call.shape(0)?.len();
    let axes = call.axes(1)?.unwrap_or_else(|| (0..rank as i64).collect());
    let mut axes = axes.iter().map(|&axis| Ok(axis_of(axis, rank)? as i64)).collect::<Result<Vec<i64>>>()?;
    axes.sort_unstable();
    let keeps = call.int("keepdims", 1)? != 0;
    if to == Reduction::Mean && rank == 4 && axes == [2, 3] {
        let pool = Term::first(AdaptiveAvgPool { size: 1 });
        return Ok(if keeps { pool } else { pool.then(Flatten) }.into());
    }
    if to == Reduction::Mean
        && !keeps
        && let Some((size, input)) = super::adaptive_windows::as_mean(call.drafts, call.source(0)?, &axes)
    {
        return Ok(Term::Draft(input).then(AdaptiveAvgPool { size }).into());
    }
    Ok(Built::one(Reduce { to, axes, keeps }))
}

/// ONNX entry.
pub(super) static MEAN: Import = Import::new("ReduceMean", |call| build(call, Reduction::Mean));

/// ONNX entry.
pub(super) static SUM: Import = Import::new("ReduceSum", |call| build(call, Reduction::Sum));

/// ONNX entry: the root of a sum of squares.
pub(super) static L2: Import = Import::new("ReduceL2", |call| {
    let Built(sum) = build(call, Reduction::Sum)?;
    let over_squares = |term| match term {
        Term::Apply(op, _) => Term::first(activation::square()).then(op).then(activation::square_root()),
        term => term,
    };
    Ok(Built(sum.into_iter().map(over_squares).collect()))
});

/// ONNX entry.
pub(super) static MAX: Import = Import::new("ReduceMax", |call| build(call, Reduction::Max));

/// ONNX entry.
pub(super) static GLOBAL_MAX: Import =
    Import::new("GlobalMaxPool", |_| Ok(Built::one(Reduce { to: Reduction::Max, axes: vec![2, 3], keeps: true })));
