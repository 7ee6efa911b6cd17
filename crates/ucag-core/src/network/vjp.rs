//! Vector-Jacobian products of the operations: what reverse-mode differentiation sends back through
//! each of them.
//!
//! Written out, and not left to autograd, because propagation rules need them one operation at a
//! time, with other weights, and without running the operation again.

use tch::Tensor;

use super::graph::{Conv, Op, Pool};
use crate::{Error, Result};

impl Op {
    /// The products of `cotangent` (of the output's shape) with the Jacobian with respect to each
    /// input. `output` is what [`Op::apply`] gave for `inputs`.
    pub fn vjp(&self, inputs: &[&Tensor], output: &Tensor, cotangent: &Tensor) -> Result<Vec<Tensor>> {
        let x = inputs[0];
        let back = match self {
            Op::Input { .. } | Op::Dropout => cotangent.shallow_clone(),
            Op::Conv(conv) => conv.transposed(&conv.weight, x, cotangent)?,
            Op::BatchNorm(b) => {
                let scale = b.weight.f_div(&b.var.f_add_scalar(b.eps)?.f_sqrt()?)?;
                cotangent.f_mul(&scale.f_view([1, -1, 1, 1])?)?
            }
            Op::Relu => output.f_threshold_backward(cotangent, 0.0)?,
            Op::MaxPool(pool) => {
                let Pool { kernel, stride, padding, ceil } = *pool;
                let (kernel, stride, padding) = ([kernel; 2], [stride; 2], [padding; 2]);
                // With channels last libtorch takes a third of the time, copies included.
                let (x, cotangent) = (channels_last(x)?, channels_last(cotangent)?);
                let (_, indices) = x.f_max_pool2d_with_indices(kernel, stride, padding, [1, 1], ceil)?;
                let back = Tensor::f_max_pool2d_with_indices_backward;
                channels_first(&back(&x, &cotangent, kernel, stride, padding, [1, 1], ceil, &indices)?)?
            }
            Op::AvgPool(pool) => {
                let Pool { kernel, stride, padding, ceil } = *pool;
                x.f_avg_pool2d_backward(cotangent, [kernel; 2], [stride; 2], [padding; 2], ceil, true, None)?
            }
            Op::AdaptiveAvgPool { .. } => x.f_internal_adaptive_avg_pool2d_backward(cotangent)?,
            Op::Flatten => cotangent.f_reshape(x.size())?,
            Op::Linear { weight, .. } => cotangent.f_matmul(weight)?,
            Op::Add => return Ok(vec![cotangent.shallow_clone(), cotangent.shallow_clone()]),
            Op::Concat => {
                let widths: Vec<i64> = inputs.iter().map(|input| input.size()[1]).collect();
                return Ok(cotangent.f_split_with_sizes(&widths, 1)?);
            }
            Op::ChannelAffine { scale, .. } => cotangent.f_mul(scale)?,
            Op::Scripted(scripted) => scripted.vjp(x, cotangent)?,
        };
        Ok(vec![back])
    }
}

/// Positions of a map up to which a pointwise convolution has more weights than positions, in the
/// networks that there are.
const FEW_POSITIONS: i64 = 14 * 14;

/// Positions of all views up to which a convolution with a window is faster as a product of
/// matrices.
const FEWEST_POSITIONS: i64 = 7 * 7;

/// Returns the sums of each window of a convolution at its inputs,
/// `[B, channels × window, positions]`.
fn windows(weight: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
    let (matrix, columns) = (weight.f_flatten(1, -1)?, cotangent.f_flatten(2, -1)?);
    // Where the weight is the larger factor, it shouldn't be the one that is transposed.
    match columns.size()[2] > FEW_POSITIONS {
        true => Ok(matrix.f_transpose(0, 1)?.f_matmul(&columns)?),
        false => transposed(&columns.f_transpose(1, 2)?.f_matmul(&matrix)?),
    }
}

/// The same `[B, C, h, w]`, with channels next to each other in memory.
fn channels_last(x: &Tensor) -> Result<Tensor> {
    Ok(x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

/// And back.
fn channels_first(x: &Tensor) -> Result<Tensor> {
    Ok(transposed(&x.f_permute([0, 2, 3, 1])?.f_flatten(1, 2)?)?.f_view_as(x)?)
}

/// `[B, M, N]` as `[B, N, M]`, contiguous. One matrix after the other: libtorch copies a transposed
/// matrix by blocks, and a batch of them number by number.
fn transposed(x: &Tensor) -> Result<Tensor> {
    let size = x.size();
    let turned = Tensor::f_empty([size[0], size[2], size[1]], (x.kind(), x.device()))?;
    for view in 0..size[0] {
        turned.f_select(0, view)?.f_copy_(&x.f_select(0, view)?.f_transpose(0, 1)?)?;
    }
    Ok(turned)
}

/// Channels that are few beside the sixteen floats of a vector: those of an image, or of two.
const FEW_CHANNELS: i64 = 6;

impl Conv {
    /// The convolution's transpose with other weights of the same shape, applied to a cotangent: of
    /// the shape of the input `x`.
    pub fn transposed(&self, weight: &Tensor, x: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
        let (input, output, kernel) = (x.size(), cotangent.size(), weight.size());
        if kernel[2..] == [1, 1] && self.padding == [0, 0] && self.groups == 1 {
            return self.transposed_pointwise(weight, x, cotangent);
        }
        // Rows and columns at the far border that no window reached.
        let rest = |axis: usize| {
            input[axis + 2] - ((output[axis + 2] - 1) * self.stride - 2 * self.padding[axis] + kernel[axis + 2])
        };
        let rest = [rest(0), rest(1)];
        if rest.iter().any(|&r| r < 0) {
            return Err(Error::Invalid(format!("a cotangent {output:?} isn't of a convolution of {input:?}")));
        }
        let stride = [self.stride; 2];
        // libtorch's transposed convolution computes as many channels as a vector holds, and puts
        // the weights in another order first.
        if self.groups == 1 && (kernel[1] <= FEW_CHANNELS || input[0] * output[2] * output[3] <= FEWEST_POSITIONS) {
            let added = windows(weight, cotangent)?;
            return Ok(added.f_col2im(&input[2..], &kernel[2..], [1i64, 1], self.padding, stride)?);
        }
        Ok(cotangent.f_conv_transpose2d(weight, None::<&Tensor>, stride, self.padding, rest, self.groups, [1, 1])?)
    }

    /// Of a window of one pixel: a product of matrices, which is faster than libtorch's transposed
    /// convolution, on the grid of the output. The input's grid has gaps where the stride isn't
    /// one.
    fn transposed_pointwise(&self, weight: &Tensor, x: &Tensor, cotangent: &Tensor) -> Result<Tensor> {
        let size = cotangent.size();
        let back = windows(weight, cotangent)?.f_view([size[0], -1, size[2], size[3]])?;
        if self.stride == 1 {
            return Ok(back);
        }
        let full = Tensor::f_zeros(x.size(), (cotangent.kind(), cotangent.device()))?;
        let read = full.f_slice(2, None, None, self.stride)?.f_slice(3, None, None, self.stride)?;
        read.shallow_clone().f_copy_(&back)?;
        Ok(full)
    }

    /// The convolution with other weights of the same shape, without bias.
    pub fn with(&self, weight: &Tensor, x: &Tensor) -> Result<Tensor> {
        self.with_bias(weight, None, x)
    }

    /// The convolution with another weight and bias of the same shapes. With a weight that oneDNN
    /// has in its own order, nothing can be differentiated.
    pub fn with_bias(&self, weight: &Tensor, bias: Option<&Tensor>, x: &Tensor) -> Result<Tensor> {
        let (stride, dilation) = ([self.stride; 2], [1i64, 1]);
        Ok(x.f_conv2d(weight, bias, stride, self.padding, dilation, self.groups)?)
    }
}
