//! Luma at its full size: every block is transformed.

use std::ops::Range;

use crate::idct;
use crate::scan::Blocks;

/// A picture that blocks are written to.
pub(super) struct Picture<'a> {
    out: &'a mut [u8],
    width: usize,
    block: [i16; 64],
    flat: bool,
    top: usize,
    left: usize,
}

impl<'a> Picture<'a> {
    pub(super) fn new(out: &'a mut [u8], width: usize) -> Self {
        Self { out, width, block: [0; 64], flat: true, top: 0, left: 0 }
    }
}

impl Blocks for Picture<'_> {
    #[inline(always)]
    fn begin(&mut self, row: usize, column: usize, first: i16) {
        (self.top, self.left, self.flat) = (8 * row, 8 * column, true);
        self.block = [0; 64];
        self.block[0] = first;
    }

    #[inline(always)]
    fn coefficient(&mut self, place: usize, value: i16) {
        self.block[place] += value; // each place is met once, but for zeros
        self.flat &= value == 0;
    }

    /// Writes the block's pixels, as many as lie within the picture.
    #[inline(always)]
    fn end(&mut self) {
        let pixels = if self.flat { [[idct::flat(self.block[0]); 8]; 8] } else { idct::pixels(&self.block) };
        let (width, left) = (self.width, self.left);
        let lines = self.out.chunks_exact_mut(width).skip(self.top).zip(&pixels);
        if left + 8 <= width {
            lines.for_each(|(line, row)| line[left..left + 8].copy_from_slice(row));
        } else if left < width {
            lines.for_each(|(line, row)| line[left..].copy_from_slice(&row[..width - left]));
        }
    }

    #[inline(always)]
    fn end_rows(&mut self, _: Range<usize>) {}
}
