//! RISE's masks: coarse random grids, stretched smoothly and shifted. See docs/protocol.md#rise.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::{Device, Kind, Tensor};

use super::Form;
use crate::Result;
use crate::pass::Seed;

/// The map from grids to masks of one size: the interpolation along both axes.
#[derive(Debug)]
pub struct Stretch {
    vertical: Axis,
    horizontal: Axis,
}

/// Interpolation along one axis.
#[derive(Debug)]
struct Axis {
    /// Pixels of a mask.
    side: i64,
    /// A mask begins at one of this many pixels.
    shifts: i64,
    /// Weight of each cell in each pixel, `[side + shifts, cells]`; rows add up to one.
    shares: Tensor,
}

impl Stretch {
    /// To masks of `size` (height, width) from `cells` × `cells`.
    pub fn new(form: Form, cells: usize, size: [i64; 2], kind: Kind, device: Device) -> Result<Self> {
        let axis = |side| Axis::new(form, cells as i64, side, kind, device);
        Ok(Self { vertical: axis(size[0])?, horizontal: axis(size[1])? })
    }

    /// Masks `[N, 1, H, W]` of grids `[N, cells, cells]` that begin at `shifts` `[N, 2]` (row,
    /// column).
    ///
    /// # Errors
    /// Where the shapes don't fit each other, or a shift is a cell or more.
    pub fn masks(&self, grids: &Tensor, shifts: &Tensor) -> Result<Tensor> {
        let rows = self.vertical.at(&shifts.f_select(1, 0)?)?;
        let columns = self.horizontal.at(&shifts.f_select(1, 1)?)?;
        let grids = grids.f_to_kind(rows.kind())?.f_to_device(rows.device())?;
        Ok(rows.f_bmm(&grids)?.f_bmm(&columns.f_transpose(1, 2)?)?.f_unsqueeze(1)?)
    }
}

impl Axis {
    fn new(form: Form, cells: i64, side: i64, kind: Kind, device: Device) -> Result<Self> {
        let shifts = ceiling(side, cells);
        // Where a mask may begin at any pixel of a cell, one more cell's length must be filled: the
        // published codes differ in how.
        let pitch = match form {
            Form::TorchRay => ceiling(side + shifts, cells) as f64,
            Form::Authors => (cells + 1) as f64 * shifts as f64 / cells as f64,
        };
        let mut shares = vec![0f64; ((side + shifts) * cells) as usize];
        for (pixel, row) in shares.chunks_mut(cells as usize).enumerate() {
            let position = (pixel as f64 + 0.5) / pitch - 0.5;
            let first = position.floor();
            for (cell, share) in [(first as i64, first + 1.0 - position), (first as i64 + 1, position - first)] {
                row[mirrored(cell, cells)] += share;
            }
        }
        let shares = Tensor::f_from_slice(&shares)?.f_view([side + shifts, cells])?;
        Ok(Self { side, shifts, shares: shares.f_to_kind(kind)?.f_to_device(device)? })
    }

    /// Shares of the pixels from each of `shifts` `[N]` on, `[N, side, cells]`.
    fn at(&self, shifts: &Tensor) -> Result<Tensor> {
        let device = self.shares.device();
        let begin = shifts.f_to_kind(Kind::Int64)?.f_to_device(device)?.f_view([-1, 1])?;
        let pixels = begin.f_add(&Tensor::f_arange(self.side, (Kind::Int64, device))?)?;
        let rows = self.shares.f_index_select(0, &pixels.f_reshape([-1])?)?;
        Ok(rows.f_view([-1, self.side, self.shares.size()[1]])?)
    }
}

fn ceiling(a: i64, b: i64) -> i64 {
    (a + b - 1) / b
}

/// Cells beyond the border are those before it, the outermost not repeated.
fn mirrored(cell: i64, cells: i64) -> usize {
    let last = cells - 1;
    let back = if cell > last { 2 * last - cell } else { cell.abs() };
    back.clamp(0, last) as usize
}

/// Random grids for one view. Each view has its own stream of the image's generator, so that
/// neither batches nor classes change its masks.
#[derive(Debug)]
pub struct Grids {
    rng: ChaCha8Rng,
    cells: usize,
    probability: f64,
    shifts: [i64; 2],
}

impl Grids {
    /// Of the view that `seed` names: `cells` × `cells`, each on with `probability`, for masks made
    /// by `stretch`.
    pub fn new(seed: Seed, cells: usize, probability: f64, stretch: &Stretch) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.image);
        rng.set_stream(seed.view);
        Self { rng, cells, probability, shifts: [stretch.vertical.shifts, stretch.horizontal.shifts] }
    }

    /// The next `count` grids `[count, cells, cells]` with their shifts `[count, 2]`.
    pub fn draw(&mut self, count: usize) -> Result<(Tensor, Tensor)> {
        let (mut grids, mut shifts) = (Vec::new(), Vec::new());
        for _ in 0..count {
            grids.extend((0..self.cells * self.cells).map(|_| f32::from(self.rng.random_bool(self.probability))));
            shifts.extend(self.shifts.map(|most| self.rng.random_range(0..most)));
        }
        let cells = self.cells as i64;
        Ok((Tensor::f_from_slice(&grids)?.f_view([-1, cells, cells])?, Tensor::f_from_slice(&shifts)?.f_view([-1, 2])?))
    }
}
