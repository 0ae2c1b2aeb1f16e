//! How each block of a picture moves.

use pixelfast_vector::{Work, vectorised};
use rayon::prelude::*;

use super::area::{Span, across, spans};
use super::{LANES, check, larger, smaller};
use crate::real::{all_finite, require_finite};
use crate::{Cancel, Result};

/// Flow along eight directions, its magnitude, the share of pixels that move.
pub const CHANNELS: usize = 10;
/// Pixels a frame beyond which a pixel moves.
const MOVING: f32 = 0.25;

/// Sums of eight neighbouring pixels, channel by channel.
type Eight = [[f32; LANES]; CHANNELS];

/// Writes, for each block of `rows` x `columns`, the mean flow along eight directions, magnitude and moving share.
///
/// `flow` is (x, y) in pixels for each pixel of `height` x `width`; it is first halved in size by area.
///
/// # Errors
/// [`crate::Error::Shape`] for flow below 2x2 pixels or where the sizes do not fit together; [`crate::Error::Value`]
/// for a grid outside 1 to 1024 or flow that is not finite; [`crate::Error::Cancelled`].
pub fn motion_blocks(
    flow: &[f32],
    (height, width): (usize, usize),
    grid: (usize, usize),
    out: &mut [f32],
    cancel: &Cancel,
) -> Result<()> {
    check("flow", (flow.len(), 2), (height, width), grid, (out.len(), CHANNELS))?;
    let half = (height / 2, width / 2);
    let (halves, blocks) = (spans((height, width), half), spans(half, grid));
    let bands = out.par_chunks_mut(grid.1 * CHANNELS).enumerate();
    bands.try_for_each_init(
        || Scratch::new(width),
        |scratch, (index, out)| {
            let frame = &flow[index / grid.0 * height * width * 2..][..height * width * 2];
            let (rows, half, columns) = (&blocks.0[index % grid.0], (&halves.0[..], &halves.1[..]), &blocks.1[..]);
            vectorised(Band { frame, width, half, rows, columns, scratch, out });
            cancel.check()
        },
    )?;
    require_finite("flow", flow, all_finite(out))
}

/// What a thread works with.
struct Scratch {
    /// A row at half height, x and y in turn.
    line: Vec<f32>,
    /// The same at half width, with room for the last eight.
    x: Vec<f32>,
    y: Vec<f32>,
    sums: Vec<Eight>,
}

impl Scratch {
    fn new(width: usize) -> Self {
        let eights = (width / 2).div_ceil(LANES);
        let half = vec![0.0; eights * LANES];
        Self { line: vec![0.0; 2 * width], x: half.clone(), y: half, sums: vec![[[0.0; LANES]; CHANNELS]; eights] }
    }
}

/// One row of blocks.
struct Band<'a> {
    frame: &'a [f32],
    width: usize,
    half: (&'a [Span], &'a [Span]),
    rows: &'a Span,
    columns: &'a [Span],
    scratch: &'a mut Scratch,
    out: &'a mut [f32],
}

impl Work for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Scratch { line, x, y, sums } = self.scratch;
        sums.fill([[0.0; LANES]; CHANNELS]);
        for (row, weight) in self.rows.iter() {
            line.fill(0.0);
            for (source, weight) in self.half.0[row].iter() {
                let pixels = &self.frame[source * self.width * 2..][..self.width * 2];
                line.iter_mut().zip(pixels).for_each(|(line, pixel)| *line += weight * pixel);
            }
            halve(line, self.half.1, x, y);
            let eights = x.as_chunks::<LANES>().0.iter().zip(y.as_chunks::<LANES>().0);
            eights.zip(&mut *sums).for_each(|((x, y), sums)| add_motion(x, y, weight, sums));
        }
        across::<CHANNELS>(self.columns, |x, channel| sums[x / LANES][channel][x % LANES], self.out);
    }
}

/// A row of (x, y) at half its width, x and y apart.
#[inline(always)]
fn halve(line: &[f32], spans: &[Span], x: &mut [f32], y: &mut [f32]) {
    if line.len() == 4 * spans.len() {
        for ((x, y), two) in x.iter_mut().zip(&mut *y).zip(line.as_chunks::<4>().0) {
            (*x, *y) = (0.5 * (two[0] + two[2]), 0.5 * (two[1] + two[3]));
        }
        return;
    }
    for ((x, y), span) in x.iter_mut().zip(&mut *y).zip(spans) {
        let pair = |(at, weight): (usize, f32)| (weight * line[2 * at], weight * line[2 * at + 1]);
        (*x, *y) = span.iter().map(pair).fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    }
}

/// Adds `weight` times what eight pixels do. The square of what goes along an axis counts for one of its two ends.
#[inline(always)]
fn add_motion(x: &[f32; LANES], y: &[f32; LANES], weight: f32, sums: &mut Eight) {
    for lane in 0..LANES {
        let (x, y) = (x[lane], y[lane]);
        let norm = (x * x + y * y).sqrt();
        let share = if norm > 0.0 { weight / norm } else { 0.0 };
        let slant = std::f32::consts::FRAC_1_SQRT_2;
        let axes = [x, slant * (x + y), y, slant * (y - x)];
        for (axis, along) in axes.into_iter().enumerate() {
            sums[axis][lane] += share * along * larger(along, 0.0);
            sums[axis + 4][lane] += share * along * smaller(along, 0.0);
        }
        sums[8][lane] += weight * norm;
        sums[9][lane] += if norm > MOVING { weight } else { 0.0 };
    }
}
