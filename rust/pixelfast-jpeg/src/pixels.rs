//! Luma at its full size: every block is transformed, by the inverse cosine transform of libjpeg-turbo's accurate
//! method, bit for bit.
//!
//! Loeffler, Ligtenberg and Moschytz (1989), 12 multiplications a line, in fixed point of 13 bits; the first pass keeps
//! 2 bits more (jidctint.c). Each step is written over eight columns at once: the compiler makes vector code of it.

use std::num::Wrapping;
use std::ops::Range;

use crate::scan::Blocks;

const FRACTION_BITS: usize = 13;
const KEPT_BITS: usize = 2;

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
    fn end(&mut self, _: f32) {
        let pixels = if self.flat { [[flat(self.block[0]); 8]; 8] } else { transform(&self.block) };
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

/// Eight rows of eight.
type Square = [[Wrapping<i32>; 8]; 8];

/// One pass down all eight columns; results are rounded and lose `SHIFT` bits.
#[inline(always)]
fn pass<const SHIFT: usize>(from: &Square) -> Square {
    let mut into = [[Wrapping(0); 8]; 8];
    for lane in 0..8 {
        let at = |row: usize| from[row][lane];
        let times = |value: Wrapping<i32>, factor: i32| value * Wrapping(factor);
        let sum = times(at(2) + at(6), 4433);
        let outer = sum + times(at(2), 6270);
        let inner = sum - times(at(6), 15_137);
        let above = (at(0) + at(4)) << FRACTION_BITS;
        let below = (at(0) - at(4)) << FRACTION_BITS;
        let even = [above + outer, below + inner, below - inner, above - outer];

        let (left, right) = (at(7) + at(3), at(5) + at(1));
        let both = times(left + right, 9633);
        let (left, right) = (both - times(left, 16_069), both - times(right, 3196));
        let ends = times(at(7) + at(1), 7373);
        let middle = times(at(5) + at(3), 20_995);
        let odd = [
            times(at(1), 12_299) + right - ends,
            times(at(3), 25_172) + left - middle,
            times(at(5), 16_819) + right - middle,
            times(at(7), 2446) + left - ends,
        ];
        let half = Wrapping(1 << (SHIFT - 1));
        for row in 0..4 {
            into[row][lane] = (even[row] + odd[row] + half) >> SHIFT;
            into[7 - row][lane] = (even[row] - odd[row] + half) >> SHIFT;
        }
    }
    into
}

#[inline(always)]
fn transposed(rows: &Square) -> Square {
    let mut columns = [[Wrapping(0); 8]; 8];
    for (row, lanes) in rows.iter().enumerate() {
        for (column, value) in lanes.iter().enumerate() {
            columns[column][row] = *value;
        }
    }
    columns
}

/// The pixels of a block from its dequantised coefficients, row by row.
#[inline(always)]
fn transform(coefficients: &[i16; 64]) -> [[u8; 8]; 8] {
    let mut rows = [[Wrapping(0); 8]; 8];
    for (into, from) in rows.as_flattened_mut().iter_mut().zip(coefficients) {
        *into = Wrapping(i32::from(*from));
    }
    let columns = transposed(&pass::<{ FRACTION_BITS - KEPT_BITS }>(&rows));
    let rows = transposed(&pass::<{ FRACTION_BITS + KEPT_BITS + 3 }>(&columns));
    let mut pixels = [[0; 8]; 8];
    for (into, from) in pixels.as_flattened_mut().iter_mut().zip(rows.as_flattened()) {
        *into = (from.0 + 128).clamp(0, 255) as u8;
    }
    pixels
}

/// A block of one value: what both passes make of a lone first coefficient.
#[inline(always)]
fn flat(first: i16) -> u8 {
    (((i32::from(first) + 4) >> 3) + 128).clamp(0, 255) as u8
}
