//! Drawing into masks: boxes, and the run lengths that COCO's masks come in.

use std::ops::Range;

use crate::Mask;

impl Mask {
    /// A mask without a pixel set, of a photo's size in pixels.
    #[must_use]
    pub fn empty(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![false; width as usize * height as usize] }
    }

    /// Sets a box: columns and rows from 0, both within the mask.
    pub(crate) fn fill_box(&mut self, columns: Range<u32>, rows: Range<u32>) {
        let width = self.width as usize;
        for row in self.pixels.chunks_mut(width).take(rows.end as usize).skip(rows.start as usize) {
            row[columns.start as usize..columns.end as usize].fill(true);
        }
    }

    /// Sets runs of pixels: lengths in turn of pixels left alone and pixels set, column by column
    /// from the left, each from the top.
    ///
    /// Runs must not go on past the last pixel.
    pub(crate) fn fill_runs(&mut self, runs: &[u32]) {
        let (width, height) = (self.width as usize, self.height as usize);
        let mut position = 0;
        for (number, &length) in runs.iter().enumerate() {
            let end = position + length as usize;
            if number % 2 == 1 {
                (position..end).for_each(|pixel| self.pixels[pixel % height * width + pixel / height] = true);
            }
            position = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(mask: &Mask) -> Vec<String> {
        let row = |row: &[bool]| row.iter().map(|&set| if set { '#' } else { '.' }).collect();
        mask.pixels.chunks(mask.width as usize).map(row).collect()
    }

    #[test]
    fn boxes_are_united() {
        let mut mask = Mask::empty(4, 3);
        mask.fill_box(0..2, 1..2);
        mask.fill_box(1..4, 1..3);
        mask.fill_box(3..4, 0..1);
        assert_eq!(rows(&mask), ["...#", "####", ".###"]);
    }

    #[test]
    fn runs_go_down_the_columns() {
        let mut mask = Mask::empty(3, 2);
        mask.fill_runs(&[1, 2, 2, 1]);
        assert_eq!(rows(&mask), [".#.", "#.#"]);
        mask.fill_runs(&[0, 1]);
        assert_eq!(rows(&mask), ["##.", "#.#"]);
    }
}
