//! What each block of a picture looks like: its edges by orientation.

use pixelfast_vector::{Work, vectorised};
use rayon::prelude::*;

use super::area::{Span, across, spans};
use super::{check, larger, smaller};
use crate::{Cancel, Result};

/// Orientations without a sign, 22.5 degrees apart.
pub const CHANNELS: usize = 8;
/// Pixels to each side that the blur looks at: 4 sigma, as OpenCV does for floats.
const REACH: usize = 4;
/// A Gaussian of sigma 1 over 9 pixels, from its middle outwards.
const GAUSS: [f32; REACH + 1] = [0.398_943_47, 0.241_971_45, 0.053_991_126, 0.004_431_861_6, 0.000_133_830_63];
/// atan(t) * 8 / pi for t in 0..=1, over odd powers: a least-squares fit at Chebyshev's points.
const ATAN: [f32; 6] = [2.546_421, -0.847_017_1, 0.492_846_6, -0.296_477_65, 0.134_065_33, -0.029_842_488];

/// Writes, for each block of `rows` x `columns`, the mean gradient magnitude in eight orientations.
///
/// Gaussian blur of sigma 1, central differences; a gradient is shared linearly between the two nearest orientations.
///
/// # Errors
/// [`crate::Error::Shape`] for frames below 2x2 pixels or where the sizes do not fit together;
/// [`crate::Error::Value`] for a grid outside 1 to 1024; [`crate::Error::Cancelled`].
pub fn look_blocks(
    frames: &[u8],
    (height, width): (usize, usize),
    grid: (usize, usize),
    out: &mut [f32],
    cancel: &Cancel,
) -> Result<()> {
    check("frames", (frames.len(), 1), (height, width), grid, (out.len(), CHANNELS))?;
    let (rows, columns) = spans((height, width), grid);
    out.par_chunks_mut(grid.1 * CHANNELS).enumerate().try_for_each_init(
        || Scratch::new(width),
        |scratch, (index, out)| {
            let frame = &frames[index / grid.0 * height * width..][..height * width];
            vectorised(Band { frame, width, rows: &rows[index % grid.0], columns: &columns, scratch, out });
            cancel.check()
        },
    )
}

/// What a thread works with.
struct Scratch {
    /// A row blurred downwards, with `REACH` pixels more on either side.
    line: Vec<f32>,
    /// Three blurred rows, each in the place of its number modulo 3, with one pixel more on either side.
    smooth: [Vec<f32>; 3],
    /// Of a row's pixels, the gradient's magnitude and orientation.
    magnitude: Vec<f32>,
    place: Vec<f32>,
    sums: [Vec<f32>; CHANNELS],
}

impl Scratch {
    fn new(width: usize) -> Self {
        let zeros = |count| vec![0.0; count];
        Self {
            line: zeros(width + 2 * REACH),
            smooth: std::array::from_fn(|_| zeros(width + 2)),
            magnitude: zeros(width),
            place: zeros(width),
            sums: std::array::from_fn(|_| zeros(width)),
        }
    }
}

/// One row of blocks.
struct Band<'a> {
    frame: &'a [u8],
    width: usize,
    rows: &'a Span,
    columns: &'a [Span],
    scratch: &'a mut Scratch,
    out: &'a mut [f32],
}

impl Work for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Scratch { line, smooth, magnitude, place, sums } = self.scratch;
        sums.iter_mut().for_each(|sums| sums.fill(0.0));
        let last = self.frame.len() / self.width - 1;
        let mut next = self.rows.first.saturating_sub(1); // the first row that is not blurred yet
        for (row, weight) in self.rows.iter() {
            let (above, below) = (row.saturating_sub(1), (row + 1).min(last));
            while next <= below {
                blur(self.frame, self.width, next, line, &mut smooth[next % 3]);
                next += 1;
            }
            let rows = [above, row, below].map(|row| &smooth[row % 3][..]);
            find_edges(rows, weight, magnitude, place);
            add_edges(magnitude, place, sums);
        }
        across::<CHANNELS>(self.columns, |x, channel| sums[channel][x], self.out);
    }
}

/// The pixel that stands for one before the first or after the last: the picture is mirrored in its outermost pixels.
fn mirrored(index: isize, count: usize) -> usize {
    let period = 2 * (count as isize - 1);
    let index = index.rem_euclid(period);
    index.min(period - index) as usize
}

/// One blurred row, its ends repeated once.
#[inline(always)]
fn blur(frame: &[u8], width: usize, row: usize, line: &mut [f32], out: &mut [f32]) {
    let source = |offset: isize| {
        let row = mirrored(row as isize + offset, frame.len() / width);
        &frame[row * width..][..width]
    };
    let inner = &mut line[REACH..][..width];
    inner.iter_mut().zip(source(0)).for_each(|(out, &level)| *out = GAUSS[0] * f32::from(level));
    for (offset, weight) in (1..).zip(&GAUSS[1..]) {
        for ((out, &a), &b) in inner.iter_mut().zip(source(-offset)).zip(source(offset)) {
            *out += weight * f32::from(u16::from(a) + u16::from(b));
        }
    }
    for offset in 1..=REACH {
        let (before, after) = (mirrored(-(offset as isize), width), mirrored((width - 1 + offset) as isize, width));
        line[REACH - offset] = line[REACH + before];
        line[REACH + width - 1 + offset] = line[REACH + after];
    }
    let smooth = &mut out[1..=width];
    smooth.iter_mut().zip(&line[REACH..]).for_each(|(out, &value)| *out = GAUSS[0] * value);
    for (offset, weight) in (1..).zip(&GAUSS[1..]) {
        for ((out, &a), &b) in smooth.iter_mut().zip(&line[REACH - offset..]).zip(&line[REACH + offset..]) {
            *out += weight * (a + b);
        }
    }
    (out[0], out[width + 1]) = (out[1], out[width]);
}

/// The edges of a row, from three blurred ones: `weight` times how strong they are, and at which orientation.
#[inline(always)]
fn find_edges([above, middle, below]: [&[f32]; 3], weight: f32, magnitude: &mut [f32], place: &mut [f32]) {
    let [above, below, left, right] = [&above[1..], &below[1..], middle, &middle[2..]];
    let around = above.iter().zip(below).zip(left).zip(right);
    for ((magnitude, place), (((above, below), left), right)) in magnitude.iter_mut().zip(place).zip(around) {
        let (x, y) = (0.5 * (right - left), 0.5 * (below - above));
        *magnitude = weight * (x * x + y * y).sqrt();
        *place = orientation(x, y);
    }
}

/// Shares a row's edges among the orientations.
#[inline(always)]
fn add_edges(magnitude: &[f32], place: &[f32], sums: &mut [Vec<f32>; CHANNELS]) {
    for (k, sums) in sums.iter_mut().enumerate() {
        for ((sum, magnitude), place) in sums.iter_mut().zip(magnitude).zip(place) {
            let away = (place - k as f32).abs();
            let away = if k == 0 { smaller(away, 8.0 - place) } else { away };
            *sum += magnitude * larger(1.0 - away, 0.0);
        }
    }
}

/// The angle of a gradient without its sign, 0 to 8 for 0 to 180 degrees; right to 1e-5 radians.
#[inline(always)]
fn orientation(x: f32, y: f32) -> f32 {
    let (wide, high) = (x.abs(), y.abs());
    let (least, most) = (smaller(wide, high), larger(wide, high));
    let t = least / larger(most, f32::MIN_POSITIVE);
    let square = t * t;
    let series = ATAN.iter().rev().fold(0.0, |sum, factor| sum * square + factor) * t;
    let steep = if high > wide { 4.0 - series } else { series };
    if x * y < 0.0 { 8.0 - steep } else { steep }
}
