//! Sums over resamples, of many columns at a time.

/// Columns that are summed side by side: their running sums fit into registers, and a row of theirs is a cache line.
pub(super) const LANES: usize = 8;

/// Columns of the same length, row by row in blocks of [`LANES`]; the last block is filled up with zeros.
pub(super) struct Lanes {
    blocks: Vec<Vec<[f64; LANES]>>,
    columns: usize,
}

impl Lanes {
    /// From the value in each row and column.
    pub(super) fn new(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let row = |first: usize, row: usize| {
            std::array::from_fn(|lane| if first + lane < columns { value(row, first + lane) } else { 0.0 })
        };
        let block = |first: usize| (0..rows).map(|place| row(first, place)).collect();
        Self { blocks: (0..columns).step_by(LANES).map(block).collect(), columns }
    }

    /// What `reduce` makes of each column, a block at a time.
    pub(super) fn reduce(&self, reduce: impl FnMut(&Vec<[f64; LANES]>) -> [f64; LANES]) -> Vec<f64> {
        let mut reduced: Vec<f64> = self.blocks.iter().flat_map(reduce).collect();
        reduced.truncate(self.columns);
        reduced
    }

    /// The sum of each column over these rows, added one after the other.
    pub(super) fn sums(&self, rows: &[u32]) -> Vec<f64> {
        self.reduce(|block| {
            let mut sums = [0.0; LANES];
            for &row in rows {
                add(&mut sums, &block[row as usize], 1.0);
            }
            sums
        })
    }
}

/// Adds a row so many times.
#[inline(always)]
pub(super) fn add(sums: &mut [f64; LANES], row: &[f64; LANES], times: f64) {
    for lane in 0..LANES {
        sums[lane] += times * row[lane];
    }
}
