//! What a block's samples have beyond a byte.
//!
//! A bound that is added up while coefficients come clears most blocks of ordinary footage. What it leaves is
//! transformed: by Arai, Agui and Nakajima (1988), 5 multiplications a line, written over eight columns at once, so
//! that the compiler makes vector code of it.

use std::f32::consts::SQRT_2;

use crate::reduce::COSINES;

/// Eight rows of eight.
pub(super) type Square = [[f32; 8]; 8];

/// Samples of a block whose coefficients reach no farther, by [`MOST`], all fit a byte.
pub(super) const SURE: f32 = 127.0;

/// Twice the most that a frequency adds to a pixel of a line.
const ALONG: [f64; 8] =
    [COSINES[4], COSINES[1], COSINES[2], COSINES[1], COSINES[4], COSINES[1], COSINES[2], COSINES[1]];

/// How much a coefficient of 1 adds to any sample of its block at most, by its place; rounded up.
pub(super) static MOST: Square = by_place(&ALONG, 0.25 + 1e-6);

/// What the transform wants its coefficients multiplied by.
static SCALES: Square = {
    let mut along = COSINES;
    along[0] = COSINES[4];
    by_place(&along, 0.25)
};

const fn by_place(along: &[f64], scale: f64) -> Square {
    let mut square = [[0.0; 8]; 8];
    let mut place = 0;
    while place < 64 {
        square[place / 8][place % 8] = (scale * along[place / 8] * along[place % 8]) as f32;
        place += 1;
    }
    square
}

/// What is to be added to each sample to bring it to a byte; `None` where there is nothing.
#[inline(always)]
pub(super) fn beyond(coefficients: &Square) -> Option<Square> {
    let mut scaled = *coefficients;
    for (row, scales) in scaled.iter_mut().zip(&SCALES) {
        row.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
    }
    let lines = transposed(&pass(&scaled));
    if farthest(&lines) <= 127.5 {
        return None;
    }
    Some(transposed(&pass(&lines).map(|row| row.map(|sample| sample.clamp(-128.0, 127.0) - sample))))
}

/// How far a sample is from -0.5, the middle of what a byte holds.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "in this form it becomes vector code")]
fn farthest(lines: &Square) -> f32 {
    let mut far = [0.0; 8];
    for lane in 0..8 {
        let (even, odd) = halves(lines, lane);
        for row in 0..4 {
            let size = (even[row] + 0.5).abs() + odd[row].abs();
            far[lane] = if size > far[lane] { size } else { far[lane] };
        }
    }
    far.into_iter().fold(0.0, f32::max)
}

/// One pass down all eight columns.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "in this form it becomes vector code")]
fn pass(from: &Square) -> Square {
    let mut into = [[0.0; 8]; 8];
    for lane in 0..8 {
        let (even, odd) = halves(from, lane);
        for row in 0..4 {
            into[row][lane] = even[row] + odd[row];
            into[7 - row][lane] = even[row] - odd[row];
        }
    }
    into
}

/// What the even and the odd frequencies of a column make of its upper four samples; the lower ones are the mirror.
#[inline(always)]
fn halves(from: &Square, lane: usize) -> ([f32; 4], [f32; 4]) {
    let at = |row: usize| from[row][lane];
    let (sum, middle) = (at(2) + at(6), (at(2) - at(6)) * SQRT_2);
    let (above, below) = (at(0) + at(4), at(0) - at(4));
    let even = [above + sum, below + (middle - sum), below - (middle - sum), above - sum];

    let (near, far) = (at(5) + at(3), at(5) - at(3));
    let (outer, inner) = (at(1) + at(7), at(1) - at(7));
    let both = (far + inner) * 1.847_759;
    let first = outer + near;
    let second = both - far * 2.613_126 - first;
    let third = (outer - near) * SQRT_2 - second;
    (even, [first, second, third, both - inner * 1.082_392_2 - third])
}

#[inline(always)]
fn transposed(rows: &Square) -> Square {
    let mut columns = [[0.0; 8]; 8];
    for (row, lanes) in rows.iter().enumerate() {
        for (column, value) in lanes.iter().enumerate() {
            columns[column][row] = *value;
        }
    }
    columns
}
