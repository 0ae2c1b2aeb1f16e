//! The inverse cosine transform of libjpeg-turbo's accurate method, bit for bit.
//!
//! Loeffler, Ligtenberg and Moschytz (1989), 12 multiplications a line, in fixed point of 13 bits; the first pass keeps
//! 2 bits more (jidctint.c). Each step is written over eight columns at once: the compiler makes vector code of it.

const FRACTION_BITS: u32 = 13;
const KEPT_BITS: u32 = 2;

/// Eight rows of eight.
type Square = [[i32; 8]; 8];

/// One pass down all eight columns; results are rounded and lose `SHIFT` bits.
#[inline(always)]
fn pass<const SHIFT: u32>(from: &Square) -> Square {
    let mut into = [[0; 8]; 8];
    for lane in 0..8 {
        let at = |row: usize| from[row][lane];
        let times = |value: i32, factor: i32| value.wrapping_mul(factor);
        let sum = times(at(2).wrapping_add(at(6)), 4433);
        let outer = sum.wrapping_add(times(at(2), 6270));
        let inner = sum.wrapping_sub(times(at(6), 15_137));
        let above = at(0).wrapping_add(at(4)) << FRACTION_BITS;
        let below = at(0).wrapping_sub(at(4)) << FRACTION_BITS;
        let even = [
            above.wrapping_add(outer),
            below.wrapping_add(inner),
            below.wrapping_sub(inner),
            above.wrapping_sub(outer),
        ];

        let (left, right) = (at(7).wrapping_add(at(3)), at(5).wrapping_add(at(1)));
        let both = times(left.wrapping_add(right), 9633);
        let left = both.wrapping_sub(times(left, 16_069));
        let right = both.wrapping_sub(times(right, 3196));
        let ends = times(at(7).wrapping_add(at(1)), 7373);
        let middle = times(at(5).wrapping_add(at(3)), 20_995);
        let odd = [
            times(at(1), 12_299).wrapping_add(right).wrapping_sub(ends),
            times(at(3), 25_172).wrapping_add(left).wrapping_sub(middle),
            times(at(5), 16_819).wrapping_add(right).wrapping_sub(middle),
            times(at(7), 2446).wrapping_add(left).wrapping_sub(ends),
        ];
        let half = 1 << (SHIFT - 1);
        for row in 0..4 {
            into[row][lane] = even[row].wrapping_add(odd[row]).wrapping_add(half) >> SHIFT;
            into[7 - row][lane] = even[row].wrapping_sub(odd[row]).wrapping_add(half) >> SHIFT;
        }
    }
    into
}

#[inline(always)]
fn transposed(rows: &Square) -> Square {
    let mut columns = [[0; 8]; 8];
    for (row, lanes) in rows.iter().enumerate() {
        for (column, value) in lanes.iter().enumerate() {
            columns[column][row] = *value;
        }
    }
    columns
}

/// The pixels of a block from its dequantised coefficients, row by row.
#[inline(always)]
pub(super) fn pixels(coefficients: &[i16; 64]) -> [[u8; 8]; 8] {
    let mut rows = [[0; 8]; 8];
    for (row, values) in rows.iter_mut().zip(coefficients.chunks_exact(8)) {
        for (into, from) in row.iter_mut().zip(values) {
            *into = i32::from(*from);
        }
    }
    let columns = transposed(&pass::<{ FRACTION_BITS - KEPT_BITS }>(&rows));
    let rows = transposed(&pass::<{ FRACTION_BITS + KEPT_BITS + 3 }>(&columns));
    let mut pixels = [[0; 8]; 8];
    for (into, from) in pixels.as_flattened_mut().iter_mut().zip(rows.as_flattened()) {
        *into = (from + 128).clamp(0, 255) as u8;
    }
    pixels
}

/// A block of one value: what both passes make of a lone first coefficient.
#[inline(always)]
pub(super) fn flat(first: i16) -> u8 {
    (((i32::from(first) + 4) >> 3) + 128).clamp(0, 255) as u8
}
