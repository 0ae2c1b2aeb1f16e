//! Luma that is shrunk without ever being transformed: straight from coefficients to the pixels of a smaller picture.
//!
//! Transforming a block and resampling are both linear, so one set of weights does both: each coefficient adds to the
//! few columns of the result that its block has a part in, and each row of blocks to a few rows. That is a fraction of
//! the work of a transform, and the result is the one of resampling all pixels in full, only not rounded in between.
//! The order of the sums is the file's, so that it is the same on every machine.
//!
//! Cutting samples to what a byte holds is not linear: a block that may have others is transformed after all, and what
//! is beyond a byte is taken off its coefficients. Of ordinary footage that is a small share; of text on paper, most.

use std::ops::Range;

use crate::cut::{SURE, Square, beyond};
use crate::header::Header;
use crate::scan::Blocks;

/// Columns of the result that one block may have a part in; enough where the width shrinks to 5/8 or less.
const LANES: usize = 8;

/// A result of more pixels than this is no small picture: its sums would leave the cache.
const PIXELS: usize = 1 << 20;

/// From a sum to a rounded byte. Somewhat more than a half: flat areas often lie half-way between two levels, and are
/// rounded up whatever became of the last bits.
const ROUNDING: f32 = 128.5 + 1.0 / 1024.0;

/// cos(k pi / 16) for k from 0 to 8: written down, so that no two libraries differ on it.
pub(super) const COSINES: [f64; 9] = [
    1.0,
    0.980_785_280_403_230_4,
    0.923_879_532_511_286_7,
    0.831_469_612_302_545_2,
    0.707_106_781_186_547_5,
    0.555_570_233_019_602_2,
    0.382_683_432_365_089_8,
    0.195_090_322_016_128_27,
    0.0,
];

/// What a block's eight frequencies along one axis add to one row or column of the result.
type Weights = [f64; 8];

/// Sizes that weights were made for, in pixels: the file's, then the result's; and the file's in blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sizes {
    from: (usize, usize),
    to: (usize, usize),
    blocks: (usize, usize),
}

/// Weights and sums that are used again from frame to frame.
#[derive(Default)]
pub(super) struct Reducer {
    sizes: Sizes,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// One row of units, resampled across only: blocks x 8 frequencies x columns.
    across: Vec<f32>,
    /// The result, less its mean of 128.
    sums: Vec<f32>,
}

/// The columns that a column of blocks has a part in, from `first` on, by frequency.
struct Column {
    first: usize,
    weights: [[f32; LANES]; 8],
    /// The same by pixel.
    pixels: [[f32; LANES]; 8],
}

/// The rows that a row of blocks has a part in, from `first` on.
struct Row {
    first: usize,
    weights: Vec<[f32; 8]>,
}

impl Reducer {
    /// Gets ready for a picture of this header, to become `height` x `width`; `None` where it shrinks too little,
    /// stays too large or would have no pixels.
    pub(super) fn start(&mut self, header: &Header, (height, width): (usize, usize)) -> Option<Reduction<'_>> {
        if height.checked_mul(width).is_none_or(|pixels| !(1..=PIXELS).contains(&pixels)) {
            return None;
        }
        let sizes = Sizes { from: (header.height, header.width), to: (height, width), blocks: header.blocks() };
        if self.sizes != sizes {
            self.sizes = Sizes::default();
            self.columns = columns(header.width, width, sizes.blocks.1)?;
            self.rows = rows(header.height, height, sizes.blocks.0);
            self.sizes = sizes;
        }
        let pitch = width + LANES;
        self.across.clear();
        let down = header.components.first()?.down;
        self.across.resize(down * 8 * pitch, 0.0);
        self.sums.clear();
        self.sums.resize(height * width, 0.0);
        let Self { columns, rows, across, sums, .. } = self;
        let (column, block) = (columns.first()?, Square::default());
        let (row, first, coefficients) = (0, 0.0, block);
        Some(Reduction { columns, rows, across, sums, width, pitch, down, row, column, block, first, coefficients })
    }

    /// Writes the result to `out`, rounded.
    pub(super) fn finish(&self, out: &mut [u8]) {
        for (out, sum) in out.iter_mut().zip(&self.sums) {
            *out = (sum + ROUNDING).clamp(0.0, 255.0) as u8;
        }
    }

    /// About how many bytes of memory it holds.
    pub(super) fn bytes(&self) -> usize {
        let weights = self.columns.len() * size_of::<Column>()
            + self.rows.iter().map(|row| row.weights.len() * 32).sum::<usize>();
        weights + 4 * (self.across.capacity() + self.sums.capacity())
    }
}

/// One picture on its way to a smaller one.
pub(super) struct Reduction<'a> {
    columns: &'a [Column],
    rows: &'a [Row],
    across: &'a mut [f32],
    sums: &'a mut [f32],
    width: usize,
    pitch: usize,
    /// Rows of blocks in a row of units.
    down: usize,
    row: usize,
    column: &'a Column,
    block: Square,
    /// The block's own: the first; all others, by their places.
    first: f32,
    coefficients: Square,
}

impl Reduction<'_> {
    /// Takes off the block what its samples have below 0 and above 255.
    #[inline(always)]
    fn cut(&mut self) {
        self.coefficients[0][0] = self.first;
        if let Some(beyond) = beyond(&self.coefficients) {
            let taken = product(&product(&WAVES, &beyond), &self.column.pixels);
            self.block.as_flattened_mut().iter_mut().zip(taken.as_flattened()).for_each(|(sum, part)| *sum += part);
        }
    }
}

/// The product of two matrices: loops over copies, of which the compiler makes vector code.
#[inline(always)]
fn product(left: &[[f32; 8]; 8], right: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    let mut into = [[0.0; 8]; 8];
    for (into, weights) in into.iter_mut().zip(left) {
        let mut sums = [0.0; 8];
        for place in 0..8 {
            for lane in 0..8 {
                sums[lane] += weights[place] * right[place][lane];
            }
        }
        *into = sums;
    }
    into
}

impl Blocks for Reduction<'_> {
    #[inline(always)]
    fn begin(&mut self, row: usize, column: usize, first: i16) {
        (self.row, self.column) = (row, &self.columns[column]);
        self.block = [[0.0; LANES]; 8];
        self.coefficients = [[0.0; 8]; 8];
        self.first = f32::from(first);
        self.coefficient(0, first);
    }

    #[inline(always)]
    fn coefficient(&mut self, place: usize, value: i16) {
        let (row, column, value) = (place / 8 % 8, place % 8, f32::from(value));
        self.coefficients[row][column] = value; // each place is met once, but for zeros before that
        // By way of local copies: the compiler makes vector code of it only where nothing else can point at them.
        let (weights, sums) = (self.column.weights[column], self.block[row]);
        self.block[row] = std::array::from_fn(|lane| sums[lane] + value * weights[lane]);
    }

    #[inline(always)]
    fn end(&mut self, reach: f32) {
        if reach > SURE {
            self.cut();
        }
        let first = self.column.first;
        let lines = self.across.chunks_exact_mut(self.pitch).skip(self.row % self.down * 8);
        for (line, block) in lines.zip(&self.block) {
            if let Some(sums) = line.get_mut(first..).and_then(<[f32]>::first_chunk_mut::<LANES>) {
                let before = *sums; // a copy, as in `coefficient`
                *sums = std::array::from_fn(|lane| before[lane] + block[lane]);
            }
        }
    }

    #[inline(always)]
    fn end_rows(&mut self, rows: Range<usize>) {
        for (row, lines) in self.rows[rows].iter().zip(self.across.chunks_exact(8 * self.pitch)) {
            let into = self.sums.chunks_exact_mut(self.width).skip(row.first);
            into.zip(&row.weights).for_each(|(into, weights)| add_rows(into, lines, self.pitch, weights));
        }
        self.across.fill(0.0);
    }
}

/// Adds eight weighted lines of `pitch`, one a frequency, to a row.
#[inline(always)]
fn add_rows(into: &mut [f32], lines: &[f32], pitch: usize, weights: &[f32; 8]) {
    let width = into.len();
    for (line, weight) in lines.chunks_exact(pitch).zip(weights) {
        into.iter_mut().zip(&line[..width]).for_each(|(sum, value)| *sum += value * weight);
    }
}

/// `None` where a block has a part in more columns than it has lanes.
fn columns(from: usize, to: usize, blocks: usize) -> Option<Vec<Column>> {
    let column = |(first, parts): (usize, Vec<Weights>)| {
        let weight = |lane: usize, frequency: usize| parts.get(lane).map_or(0.0, |part| part[frequency] as f32);
        let weights = std::array::from_fn(|frequency| std::array::from_fn(|lane| weight(lane, frequency)));
        let pixels = product(&WAVES_BY_PIXEL, &weights);
        (parts.len() <= LANES).then_some(Column { first, weights, pixels })
    };
    spread(from, to, blocks).into_iter().map(column).collect()
}

fn rows(from: usize, to: usize, blocks: usize) -> Vec<Row> {
    let row = |(first, parts): (usize, Vec<Weights>)| Row {
        first,
        weights: parts.iter().map(|part| part.map(|weight| weight as f32)).collect(),
    };
    spread(from, to, blocks).into_iter().map(row).collect()
}

/// For each block along an axis of `from` pixels: which of the `to` pixels of the result it has a part in (the first,
/// and the weights of its frequencies for each from there on). Blocks beyond the picture have none.
fn spread(from: usize, to: usize, blocks: usize) -> Vec<(usize, Vec<Weights>)> {
    let mut parts = vec![(0, Vec::new()); blocks];
    for index in 0..to {
        let (start, taps) = triangle(from, to, index);
        let blocks = start / 8..(start + taps.len()).div_ceil(8);
        for (block, (first, weights)) in blocks.clone().zip(&mut parts[blocks]) {
            if weights.is_empty() {
                *first = index;
            }
            weights.push(frequencies(|pixel| (8 * block + pixel).checked_sub(start).and_then(|tap| taps.get(tap))));
        }
    }
    parts
}

/// The weights of the pixels that make pixel `index` of the result, and the first of them: those of Pillow's bilinear
/// kernel, a triangle that is as wide as the picture shrinks.
fn triangle(from: usize, to: usize, index: usize) -> (usize, Vec<f64>) {
    let scale = from as f64 / to as f64;
    let (center, reach) = ((index as f64 + 0.5) * scale, scale.max(1.0));
    let start = (center - reach + 0.5).max(0.0) as usize;
    let end = ((center + reach + 0.5) as usize).min(from);
    let weight = |pixel: usize| (1.0 - ((pixel as f64 + 0.5 - center) / reach).abs()).max(0.0);
    let sum: f64 = (start..end).map(weight).sum();
    (start, (start..end).map(|pixel| weight(pixel) / sum).collect())
}

/// What weights of a block's pixels are as weights of its frequencies.
fn frequencies<'a>(weight: impl Fn(usize) -> Option<&'a f64>) -> Weights {
    std::array::from_fn(|frequency| {
        (0..8).map(|pixel| weight(pixel).map_or(0.0, |weight| weight * wave(frequency, pixel))).sum()
    })
}

/// What each frequency adds to the pixels of a line: a block is the product of two such waves.
static WAVES: [[f32; 8]; 8] = waves(false);

/// The same by pixel.
static WAVES_BY_PIXEL: [[f32; 8]; 8] = waves(true);

const fn waves(by_pixel: bool) -> [[f32; 8]; 8] {
    let mut waves = [[0.0; 8]; 8];
    let mut index = 0;
    while index < 64 {
        let (frequency, pixel) = if by_pixel { (index % 8, index / 8) } else { (index / 8, index % 8) };
        waves[index / 8][index % 8] = wave(frequency, pixel) as f32;
        index += 1;
    }
    waves
}

const fn wave(frequency: usize, pixel: usize) -> f64 {
    let scale = if frequency == 0 { COSINES[4] / 2.0 } else { 0.5 };
    scale * cosine((2 * pixel + 1) * frequency)
}

/// cos(k pi / 16).
const fn cosine(k: usize) -> f64 {
    let k = if k % 32 < 16 { k % 32 } else { 32 - k % 32 };
    if k <= 8 { COSINES[k] } else { -COSINES[16 - k] }
}
