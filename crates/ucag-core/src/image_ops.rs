//! Resizing and smoothing of float images and maps, as libtorch and kornia do them.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::{Error, Result};

/// The kernel that enlarges an image. Half-pixel centers, no anti-aliasing, overshoot not clipped:
/// see docs/protocol.md#interpolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interpolation {
    /// Piecewise linear.
    Bilinear,
    /// Piecewise cubic, a = -0.75.
    Bicubic,
}

/// Resizes `[B, C, H, W]` to `size` (height, width).
///
/// # Errors
/// Where a side is below one pixel.
pub fn resize(x: &Tensor, size: [i64; 2], interpolation: Interpolation) -> Result<Tensor> {
    if size[0] < 1 || size[1] < 1 {
        return Err(Error::Invalid(format!("can't resize to {} × {} pixels", size[0], size[1])));
    }
    if x.size()[2..] == size {
        return Ok(x.shallow_clone()); // either kernel is the identity then
    }
    Ok(match interpolation {
        Interpolation::Bilinear => x.f_upsample_bilinear2d(size, false, None, None)?,
        Interpolation::Bicubic => x.f_upsample_bicubic2d(size, false, None, None)?,
    })
}

/// The border mode of a smoothing kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Mirrored without repeating the edge pixel (kornia's `reflect`).
    Reflect,
    /// The edge pixel repeated.
    Replicate,
    /// Zeros.
    Zero,
}

/// Gaussian weights of `size` taps (odd), summing to one, as float32.
pub fn gaussian_kernel(size: i64, sigma: f64) -> Tensor {
    let half = size / 2;
    let weights: Vec<f64> = (-half..=half).map(|i| (-((i * i) as f64) / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    Tensor::from_slice(&weights.iter().map(|w| (w / sum) as f32).collect::<Vec<_>>())
}

/// Gaussian blur of `[B, C, H, W]` with `size` × `size` taps (odd).
///
/// # Errors
/// As [`separable_blur`].
pub fn gaussian_blur(x: &Tensor, size: i64, sigma: f64, border: Border) -> Result<Tensor> {
    separable_blur(x, &gaussian_kernel(size, sigma), border)
}

/// Gaussian blur of `[B, C, H, W]` whose kernel ends at 4σ, as TorchRay smooths.
///
/// # Errors
/// As [`separable_blur`].
pub fn smooth(x: &Tensor, sigma: f64, border: Border) -> Result<Tensor> {
    gaussian_blur(x, 2 * (4.0 * sigma).ceil() as i64 + 1, sigma, border)
}

/// Convolves `[B, C, H, W]` with `kernel` (odd, symmetric) along both axes.
///
/// # Errors
/// Where a reflected border would need more pixels than the image has.
pub fn separable_blur(x: &Tensor, kernel: &Tensor, border: Border) -> Result<Tensor> {
    let shape = x.size();
    let size = kernel.numel() as i64;
    let half = size / 2;
    if border == Border::Reflect && (shape[2] <= half || shape[3] <= half) {
        let problem = format!("a {size}-tap blur with reflected borders needs more than {half} pixels a side");
        return Err(Error::Invalid(format!("{problem}, the image has {} × {}", shape[2], shape[3])));
    }
    let kernel = kernel.f_to_kind(x.kind())?.f_to_device(x.device())?;
    let padding = [half, half, half, half];
    let padded = match border {
        Border::Reflect => x.f_reflection_pad2d(padding)?,
        Border::Replicate => x.f_replication_pad2d(padding)?,
        Border::Zero => x.f_constant_pad_nd(padding)?,
    };
    // One plane at a time through a single-channel convolution: every channel gets the same kernel.
    let planes = padded.f_reshape([shape[0] * shape[1], 1, shape[2] + 2 * half, shape[3] + 2 * half])?;
    let along =
        |x: &Tensor, shape: [i64; 4]| x.f_conv2d(&kernel.f_view(shape)?, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1);
    Ok(along(&along(&planes, [1, 1, size, 1])?, [1, 1, 1, size])?.f_reshape(&shape)?)
}

/// Rec. 601 luma of a `[B, 3, H, W]` tensor, `[B, 1, H, W]`; of a grey one it is the tensor itself.
///
/// # Errors
/// Where there is neither one channel nor three.
pub fn luma(x: &Tensor) -> Result<Tensor> {
    if x.size()[1] == 1 {
        return Ok(x.shallow_clone());
    }
    let weights = Tensor::from_slice(&[0.299f32, 0.587, 0.114]).f_view([1, 3, 1, 1])?.f_to_device(x.device())?;
    Ok(x.f_mul(&weights)?.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Float)?)
}
