//! Code shared by vector-Jacobian products.
//!
//! They are written out where that is short, and not left to autograd, because propagation rules
//! need them one operation at a time, with other weights, and without running the operation again.

use tch::Tensor;

use crate::{Error, Result};

/// The vector-Jacobian products of any differentiable function of tensors.
pub(super) fn by_autograd(
    function: &dyn Fn(&[&Tensor]) -> Result<Tensor>,
    inputs: &[&Tensor],
    cotangent: &Tensor,
) -> Result<Vec<Tensor>> {
    let leaf = |x: &&Tensor| -> Result<Tensor> { Ok(x.f_detach()?.f_set_requires_grad(true)?) };
    let leaves = inputs.iter().map(leaf).collect::<Result<Vec<_>>>()?;
    let score = function(&leaves.iter().collect::<Vec<_>>())?.f_mul(cotangent)?.f_sum(cotangent.kind())?;
    if !score.requires_grad() {
        return Err(Error::Invalid("the operation can't be differentiated".into()));
    }
    Ok(Tensor::f_run_backward(&[score], &leaves, false, false)?)
}

/// The same `[B, C, h, w]`, with channels next to each other in memory.
pub(super) fn channels_last(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

/// And back.
pub(super) fn channels_first(x: &Tensor) -> Result<Tensor> {
    Ok(transposed(&x.f_permute([0, 2, 3, 1])?.f_flatten(1, 2)?)?.f_view_as(x)?)
}

/// `[B, M, N]` as `[B, N, M]`, contiguous. One matrix after the other: libtorch copies a transposed
/// matrix by blocks, and a batch of them number by number.
pub(super) fn transposed(x: &Tensor) -> Result<Tensor> {
    let size = x.size();
    let turned = Tensor::f_empty([size[0], size[2], size[1]], (x.kind(), x.device()))?;
    for view in 0..size[0] {
        turned.f_select(0, view)?.f_copy_(&x.f_select(0, view)?.f_transpose(0, 1)?)?;
    }
    Ok(turned)
}
