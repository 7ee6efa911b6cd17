//! Smooth masks from a coarse grid of parameters: see docs/protocol.md#extremal.

use tch::{Device, Kind, Tensor};

use crate::Result;

/// Sharpness with which a pixel follows the strongest of its neighbouring parameters.
const COLDNESS: f64 = 20.0;

/// Makes masks from parameters: a pixel is the softmax-weighted mean of the parameters around it,
/// each times a kernel of its distance.
///
/// Pixels that lie alike between the parameters (a phase) see the same kernel. Going through phase
/// by phase keeps the working set small: all neighbours of all pixels at once would be some eighty
/// images.
#[derive(Debug)]
pub struct MaskGenerator {
    /// Height and width of a mask.
    size: [i64; 2],
    /// Pixels from a parameter to the next.
    step: i64,
    /// Pixels that the full mask has on each side beyond the mask.
    margin: i64,
    /// Parameters that a pixel sees along an axis.
    window: i64,
    /// Zeros around the parameters.
    padding: i64,
    /// Kernel of the neighbours for each phase, `[step², window², 1]`.
    kernels: Tensor,
}

impl MaskGenerator {
    /// For masks of `size` (height, width), with parameters `step` pixels apart that reach `sigma`
    /// pixels far.
    pub fn new(size: [i64; 2], step: i64, sigma: i64, kind: Kind, device: Device) -> Result<Self> {
        let radius = 1 + (sigma as f64 / step as f64).ceil() as i64;
        let padding = 1 + (2.0 * sigma as f64 / step as f64).ceil() as i64;
        let window = 2 * radius + 1;
        let options = (kind, device);
        // From each phase to each neighbour, along an axis.
        let neighbours = Tensor::f_arange(window, options)?.f_sub_scalar(padding)?.f_mul_scalar(step)?;
        let phases = Tensor::f_arange(step, options)?.f_view([step, 1])?;
        let squares = phases.f_sub(&neighbours.f_add_scalar(sigma)?)?.f_square()?;
        let (vertical, horizontal) = (squares.f_view([step, 1, window, 1])?, squares.f_view([1, step, 1, window])?);
        let distances = vertical.f_add(&horizontal)?.f_sqrt()?.f_div_scalar(sigma)?;
        let beyond = distances.f_sub_scalar(0.5)?.f_clamp_min(0.0)?;
        let kernels = beyond.f_square()?.f_mul_scalar(-2.0)?.f_exp()?.f_view([step * step, window * window, 1])?;
        Ok(Self { size, step, margin: sigma, window, padding, kernels })
    }

    /// Height and width of the grid of parameters.
    pub fn grid(&self) -> [i64; 2] {
        self.size.map(|side| (side + self.step - 1) / self.step)
    }

    /// Positions of the window along each axis.
    fn positions(&self) -> [i64; 2] {
        self.grid().map(|side| side + 2 * self.padding - self.window + 1)
    }

    /// Masks with their margins, `[A, H', W']` in [0, 1], from parameters `[A, h, w]` in [0, 1].
    ///
    /// # Errors
    /// Where the parameters aren't of [`MaskGenerator::grid`].
    pub fn full(&self, parameters: &Tensor) -> Result<Tensor> {
        let neighbours = self.neighbours(parameters)?;
        let phase = |phase: i64| Ok(self.pool(&neighbours, phase)?.mean);
        let phases = (0..self.step * self.step).map(phase).collect::<Result<Vec<_>>>()?;
        let ([rows, columns], step) = (self.positions(), self.step);
        let fine = Tensor::f_stack(&phases, 0)?.f_view([step, step, -1, rows, columns])?;
        let fine = fine.f_permute([2, 3, 0, 4, 1])?.f_reshape([-1, rows * step, columns * step])?;
        Ok(fine.f_narrow(1, 0, rows * step - step + 1)?.f_narrow(2, 0, columns * step - step + 1)?.f_contiguous()?)
    }

    /// Returns what a gradient at the full masks, `[A, H', W']`, is at the parameters, `[A, h, w]`.
    ///
    /// # Errors
    /// Where the shapes don't fit.
    pub fn back(&self, parameters: &Tensor, gradient: &Tensor) -> Result<Tensor> {
        let neighbours = self.neighbours(parameters)?;
        let ([rows, columns], step) = (self.positions(), self.step);
        let fine = gradient.f_constant_pad_nd([0, step - 1, 0, step - 1])?;
        let fine = fine.f_view([-1, rows, step, columns, step])?.f_permute([2, 4, 0, 1, 3])?;
        let fine = fine.f_reshape([step * step, -1, 1, rows * columns])?;
        let mut sum = neighbours.f_zeros_like()?;
        for phase in 0..step * step {
            let Pooled { kernel, values, mut shares, mean } = self.pool(&neighbours, phase)?;
            // ∂ Σ m softmax(cm) / ∂ m_i = softmax(cm)_i (1 + c (m_i - mean)).
            let mut slope = values.f_sub(&mean.f_unsqueeze(1)?)?;
            slope = slope.f_mul_scalar_(COLDNESS)?.f_add_scalar_(1.0)?;
            shares = shares.f_mul_(&slope)?.f_mul_(&fine.f_select(0, phase)?)?;
            sum = sum.f_addcmul_(&shares, &kernel)?;
        }
        let (window, padding) = ([self.window; 2], [self.padding; 2]);
        Ok(sum.f_col2im(self.grid(), window, [1, 1], padding, [1, 1])?.f_squeeze_dim(1)?)
    }

    /// A full mask's own part, `[A, H, W]`.
    ///
    /// # Errors
    /// Where it isn't a full mask of this generator.
    pub fn crop(&self, full: &Tensor) -> Result<Tensor> {
        Ok(full.f_narrow(1, self.margin, self.size[0])?.f_narrow(2, self.margin, self.size[1])?)
    }

    /// Zeros around `[A, H, W]`: the transpose of [`MaskGenerator::crop`].
    pub fn uncrop(&self, mask: &Tensor) -> Result<Tensor> {
        let ([rows, columns], [height, width]) = (self.positions(), self.size);
        let after = |positions: i64, side: i64| positions * self.step - self.step + 1 - self.margin - side;
        Ok(mask.f_constant_pad_nd([self.margin, after(columns, width), self.margin, after(rows, height)])?)
    }

    /// The parameters that each window sees, `[A, window², positions]`.
    fn neighbours(&self, parameters: &Tensor) -> Result<Tensor> {
        let (window, padding) = ([self.window; 2], [self.padding; 2]);
        Ok(parameters.f_unsqueeze(1)?.f_im2col(window, [1, 1], padding, [1, 1])?)
    }

    fn pool(&self, neighbours: &Tensor, phase: i64) -> Result<Pooled> {
        let kernel = self.kernels.f_select(0, phase)?;
        let values = neighbours.f_mul(&kernel)?;
        let shares = values.f_mul_scalar(COLDNESS)?.f_softmax(1, values.kind())?;
        let mean = values.f_mul(&shares)?.f_sum_dim_intlist([1i64].as_slice(), false, values.kind())?;
        Ok(Pooled { kernel, values, shares, mean: mean.f_clamp(0.0, 1.0)? })
    }
}

/// The pixels of one phase.
struct Pooled {
    /// `[window², 1]`.
    kernel: Tensor,
    /// Parameters times kernel, `[A, window², positions]`.
    values: Tensor,
    /// Their softmax.
    shares: Tensor,
    /// The pixels, `[A, positions]`.
    mean: Tensor,
}
