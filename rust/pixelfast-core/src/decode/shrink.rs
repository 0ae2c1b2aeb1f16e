//! The kernel of resize.rs for one plane of bytes that lies in somebody else's memory, rows `line` bytes apart.
//!
//! Weights and sums are whole numbers of 16 bits, of which processors take most at a time: down the columns first, then
//! along the rows. The other one rounds to bytes between the two; so they differ by half a grey level at most.

use pixelfast_vector::{Work, vectorised};

/// Taps along a row at a time.
const LANES: usize = 16;
/// The same, of wider pictures.
const TWICE: usize = 2 * LANES;
/// What the weights down a column add up to: white is 2 to the 15th then, less what rounding may add.
const DOWN: f64 = 32_500.0;
/// What the weights along a row add up to.
const ALONG: f64 = 16_384.0;
/// The first number beside which `f32` has no halves.
const WHOLE: f32 = 8_388_608.0;

/// How much smaller a side may become: beyond it, what rounding does, tap by tap, could be seen.
pub(super) const MOST: usize = 20;

/// How a picture of one size becomes one of another; the same for each frame of a video.
pub(super) struct Shrink {
    width: usize,
    rows: Vec<(usize, Vec<u16>)>,
    columns: Vec<usize>,
    /// Weights of each column, `taps` of them.
    weights: Vec<i16>,
    taps: usize,
}

impl Shrink {
    pub(super) fn new(from: (usize, usize), into: (usize, usize)) -> Self {
        let rows = taps(from.0, into.0, DOWN);
        let rows = rows.map(|(start, weights)| (start, weights.into_iter().map(|weight| weight as u16).collect()));
        let (columns, along): (Vec<_>, Vec<_>) = taps(from.1, into.1, ALONG).unzip();
        let taps = along.iter().map(Vec::len).max().unwrap_or(0).next_multiple_of(LANES);
        let padded = |weights: &Vec<i32>| -> Vec<i16> {
            let zeros = std::iter::repeat_n(0, taps - weights.len());
            weights.iter().map(|&weight| weight as i16).chain(zeros).collect()
        };
        Self { width: from.1, rows: rows.collect(), columns, weights: along.iter().flat_map(padded).collect(), taps }
    }

    /// Resizes a plane into `out`; where it is `limited`, 16 becomes black and 235 white. `sums` is room.
    pub(super) fn run(&self, pixels: &[u8], line: usize, limited: bool, sums: &mut Vec<u16>, out: &mut [u8]) {
        sums.clear();
        sums.resize(self.width + self.taps, 0);
        let (gain, black) = if limited { (255.0 / 219.0, 16.0) } else { (1.0, 0.0) };
        let level = DOWN / 256.0 * ALONG;
        let (gain, base) = ((gain / level) as f32, (-black * gain) as f32);
        vectorised(Resize { shrink: self, pixels, line, gain, base, sums, out });
    }
}

/// First pixel and whole weights, which add up to `total`, for each of `into` pixels made of `from`: a triangle as wide
/// as two pixels of the coarser side.
fn taps(from: usize, into: usize, total: f64) -> impl Iterator<Item = (usize, Vec<i32>)> {
    let scale = from as f64 / into as f64;
    let reach = scale.max(1.0);
    (0..into).map(move |index| {
        let centre = (index as f64 + 0.5) * scale;
        let start = (centre - reach + 0.5).max(0.0) as usize;
        let stop = ((centre + reach + 0.5) as usize).min(from);
        let height = |at: usize| (1.0 - ((at as f64 + 0.5 - centre) / reach).abs()).max(0.0);
        let sum: f64 = (start..stop).map(height).sum();
        let (mut through, mut given) = (0.0, 0.0);
        let weights = (start..stop).map(|at| {
            through += height(at) * total / sum;
            let weight = f64::round(through) - given;
            given += weight;
            weight as i32
        });
        (start, weights.collect())
    })
}

struct Resize<'a> {
    shrink: &'a Shrink,
    pixels: &'a [u8],
    line: usize,
    gain: f32,
    base: f32,
    sums: &'a mut [u16],
    out: &'a mut [u8],
}

impl Work for Resize<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { shrink, pixels, line, gain, base, sums, out } = self;
        let into = shrink.columns.len();
        let along = &mut vec![0; into][..];
        for ((start, weights), out) in shrink.rows.iter().zip(out.chunks_exact_mut(into)) {
            down(&pixels[start * line..], line, weights, &mut sums[..shrink.width]);
            match shrink.taps {
                LANES => dots(sums, &shrink.columns, shrink.weights.as_chunks::<LANES>().0.iter(), along),
                TWICE => dots(sums, &shrink.columns, shrink.weights.as_chunks::<TWICE>().0.iter(), along),
                taps => dots(sums, &shrink.columns, shrink.weights.chunks_exact(taps), along),
            }
            for (out, &mut sum) in out.iter_mut().zip(along.iter_mut()) {
                // Beside so large a number nothing but whole ones fit: it rounds, and its last byte is the level.
                *out = ((sum as f32 * gain + base).clamp(0.0, 255.0) + WHOLE).to_bits() as u8;
            }
        }
    }
}

/// Sums down all columns.
#[inline(always)]
fn down(rows: &[u8], line: usize, weights: &[u16], sums: &mut [u16]) {
    sums.fill(0);
    let width = sums.len();
    for (two, weights) in weights.chunks(2).enumerate() {
        let (one, other) = (weights[0], weights.get(1).copied().unwrap_or(0));
        let first = &rows[2 * two * line..][..width];
        let second = if weights.len() > 1 { &rows[(2 * two + 1) * line..][..width] } else { first };
        for ((sum, &pixel), &below) in sums.iter_mut().zip(first).zip(second) {
            *sum = sum.wrapping_add(times(pixel, one)).wrapping_add(times(below, other));
        }
    }
}

/// `pixel * weight / 256`, rounded, in 16 bits.
#[inline(always)]
fn times(pixel: u8, weight: u16) -> u16 {
    let pixel = u16::from(pixel);
    (pixel * (weight >> 8)).wrapping_add((pixel * (weight & 0xff) + 128) >> 8)
}

/// Sums along a row, one for each column.
#[inline(always)]
fn dots<'a, W: AsRef<[i16]> + ?Sized + 'a>(
    sums: &[u16],
    columns: &[usize],
    weights: impl Iterator<Item = &'a W>,
    out: &mut [i32],
) {
    for ((out, &column), weights) in out.iter_mut().zip(columns).zip(weights) {
        let weights = weights.as_ref();
        let mut lanes = [0i32; LANES / 2];
        let sums = &sums[column..][..weights.len()];
        for (sums, weights) in sums.as_chunks::<LANES>().0.iter().zip(weights.as_chunks::<LANES>().0) {
            for (index, lane) in lanes.iter_mut().enumerate() {
                let product = |at: usize| i32::from(sums[at] as i16) * i32::from(weights[at]);
                *lane += product(index) + product(index + LANES / 2);
            }
        }
        *out = lanes.iter().sum();
    }
}
