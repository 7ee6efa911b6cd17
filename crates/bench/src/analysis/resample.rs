//! Sums over resamples, of many columns at a time.

/// Columns that are summed side by side: their running sums stay in registers, and a row of theirs
/// is a cache line.
const LANES: usize = 8;

/// Columns of the same length, row by row in blocks of [`LANES`], the last of which is filled up
/// with zeros.
pub(super) struct Lanes {
    blocks: Vec<Vec<[f64; LANES]>>,
    /// A column that would be alone in its block.
    lone: Option<Vec<[f64; 1]>>,
    columns: usize,
}

/// Reduces a block to a number for each of its columns.
pub(super) trait Reduce {
    /// `rows` are all rows of the block.
    fn reduce<const N: usize>(&self, rows: &[[f64; N]]) -> [f64; N];
}

impl Lanes {
    /// From the value in each row and column.
    pub(super) fn new(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let lone = (columns % LANES == 1).then(|| (0..rows).map(|row| [value(row, columns - 1)]).collect());
        let row = |first: usize, row: usize| {
            std::array::from_fn(|lane| if first + lane < columns { value(row, first + lane) } else { 0.0 })
        };
        let block = |first: usize| (0..rows).map(|place| row(first, place)).collect();
        let together = columns - usize::from(lone.is_some());
        Self { blocks: (0..together).step_by(LANES).map(block).collect(), lone, columns }
    }

    /// A number for each column.
    pub(super) fn reduce(&self, how: &impl Reduce) -> Vec<f64> {
        let mut reduced: Vec<f64> = self.blocks.iter().flat_map(|block| how.reduce(block)).collect();
        reduced.extend(self.lone.iter().flat_map(|rows| how.reduce(rows)));
        reduced.truncate(self.columns);
        reduced
    }

    /// The sum of each column over these rows, added one after the other.
    pub(super) fn sums(&self, rows: &[u32]) -> Vec<f64> {
        self.reduce(&Drawn(rows))
    }
}

struct Drawn<'a>(&'a [u32]);

impl Reduce for Drawn<'_> {
    fn reduce<const N: usize>(&self, rows: &[[f64; N]]) -> [f64; N] {
        let mut sums = [0.0; N];
        for &row in self.0 {
            add(&mut sums, &rows[row as usize]);
        }
        sums
    }
}

/// Adds a row.
#[inline(always)]
pub(super) fn add<const N: usize>(sums: &mut [f64; N], row: &[f64; N]) {
    for lane in 0..N {
        sums[lane] += row[lane];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_columns_has_its_own_sums() {
        // Column c holds c, 10 c and 100 c: drawn twice, never and once, 102 c.
        for columns in 0..=25 {
            let lanes = Lanes::new(3, columns, |row, column| (column * 10_usize.pow(row as u32)) as f64);
            let expected: Vec<f64> = (0..columns).map(|column| (102 * column) as f64).collect();
            assert_eq!(lanes.sums(&[0, 2, 0]), expected, "{columns} columns");
        }
    }

    #[test]
    fn rows_are_added_in_the_order_in_which_they_are_drawn() {
        // 1e16 + 1 is 1e16, so that the order shows: (1e16 + 1) - 1e16 is 0, and (1e16 - 1e16) + 1
        // is 1.
        let values = [1e16, 1.0, -1e16];
        for columns in [1, 8] {
            let lanes = Lanes::new(3, columns, |row, _| values[row]);
            assert_eq!(lanes.sums(&[0, 1, 2]), vec![0.0; columns]);
            assert_eq!(lanes.sums(&[0, 2, 1]), vec![1.0; columns]);
        }
    }
}
