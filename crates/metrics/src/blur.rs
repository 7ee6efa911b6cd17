//! Blurred images, which insertion starts from: see docs/protocol.md#deletion-insertion.

use tch::Tensor;

use crate::{Error, Result};

/// A blur of the whole image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Blur {
    /// Gaussian of 51 × 51 taps, σ 50, reflected borders: the UCAG authors' code.
    Authors,
    /// [`rise_kernel`], 11 × 11 taps, zeros beyond the border: RISE's own code.
    Rise,
}

impl Blur {
    /// Blurs `[1, C, H, W]`.
    ///
    /// # Errors
    /// [`Error::Invalid`] where an image has too few pixels to be reflected.
    pub fn apply(self, image: &Tensor) -> Result<Tensor> {
        let kernel = match self {
            Blur::Authors => gaussian_kernel(51, 50.0),
            Blur::Rise => rise_kernel(),
        };
        let half = kernel.numel() as i64 / 2;
        let (size, padding) = (image.size(), [half; 4]);
        let padded = match self {
            Blur::Authors if size[2] <= half || size[3] <= half => {
                let taps = kernel.numel();
                let problem = format!("a {taps}-tap blur with reflected borders needs more than {half} pixels a side");
                return Err(Error::Invalid(format!("{problem}, the image has {} × {}", size[2], size[3])));
            }
            Blur::Authors => image.f_reflection_pad2d(padding)?,
            Blur::Rise => image.f_constant_pad_nd(padding)?,
        };
        // Every channel is an image of its own: all get the same kernel, first down and then
        // across.
        let channels = padded.f_reshape([size[0] * size[1], 1, size[2] + 2 * half, size[3] + 2 * half])?;
        let kernel = kernel.f_to_kind(image.kind())?.f_to_device(image.device())?;
        let convolve = |x: &Tensor, kernel: Tensor| x.f_conv2d(&kernel, None::<&Tensor>, [1, 1], [0, 0], [1, 1], 1);
        let columns = convolve(&channels, kernel.f_view([1, 1, -1, 1])?)?;
        Ok(convolve(&columns, kernel.f_view([1, 1, 1, -1])?)?.f_reshape(&size)?)
    }
}

/// Gaussian weights of so many taps (odd), which sum to one.
fn gaussian_kernel(taps: i64, sigma: f64) -> Tensor {
    let half = taps / 2;
    let weights: Vec<f64> = (-half..=half).map(|i| (-((i * i) as f64) / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    Tensor::from_slice(&weights.iter().map(|weight| (weight / sum) as f32).collect::<Vec<_>>())
}

/// One axis of RISE's blur kernel, `[11]`: SciPy's Gaussian filter (σ 5, cut at 4σ) of a unit
/// impulse in the middle of 11 samples, whose border mode mirrors the impulse at both ends. Its
/// tails are heavier than those of a plain Gaussian of 11 taps.
pub fn rise_kernel() -> Tensor {
    const TAPS: i64 = 11;
    const REACH: i64 = 20;
    let gaussian = |d: i64| if d.abs() <= REACH { (-((d * d) as f64) / 50.0).exp() } else { 0.0 };
    let total: f64 = (-REACH..=REACH).map(gaussian).sum();
    let middle = TAPS / 2;
    let images = (-2..=2).flat_map(|turn| [2 * TAPS * turn + middle, 2 * TAPS * turn - 1 - middle]);
    let images: Vec<i64> = images.collect();
    let tap = |i: i64| (images.iter().map(|image| gaussian(i - image)).sum::<f64>() / total) as f32;
    Tensor::from_slice(&(0..TAPS).map(tap).collect::<Vec<f32>>())
}
