//! The two factors of a map: likeness to relevant positions, and to the others.

use tch::Tensor;

use super::{divide, maximum};
use crate::Result;
use crate::tensor_ext::TensorExt;

/// Positions are described by two mean columns of `σ(10 Q)`, over those where φ is negative and
/// those where it is positive; the result is how much of the second, less how much of the first, a
/// least-squares fit (with a ridge of one) needs: `[B, 1, h, w]` of `q` `[B, K, h, w]` and φ
/// `[B, 1, h, w]`.
pub(super) fn factorise(q: &Tensor, phi: &Tensor) -> Result<Tensor> {
    let size = q.size();
    let columns = divide(q, &maximum(q)?)?.f_mul_scalar_(10.0)?.f_sigmoid_()?.f_flatten(2, -1)?;
    let mean_where = |chosen: Tensor| -> Result<Tensor> {
        let chosen = chosen.f_to_kind(q.kind())?.f_flatten(2, -1)?.f_transpose(1, 2)?;
        let count = chosen.sum_over([1])?;
        let sum = columns.f_matmul(&chosen)?;
        divide(&sum, &count.f_expand_as(&sum)?)
    };
    let representatives = Tensor::f_cat(&[mean_where(phi.f_lt(0.0)?)?, mean_where(phi.f_gt(0.0)?)?], 2)?;
    let transposed = representatives.f_transpose(1, 2)?;
    let gram = transposed.f_matmul(&representatives)?.f_add(&Tensor::f_eye(2, (q.kind(), q.device()))?)?;
    let fit = Tensor::f_linalg_solve(&gram, &transposed.f_matmul(&columns)?, true)?.f_relu()?;
    let difference = fit.f_narrow(1, 1, 1)?.f_sub(&fit.f_narrow(1, 0, 1)?)?;
    Ok(difference.f_view([size[0], 1, size[2], size[3]])?)
}
