//! Centred means along each video, as `scipy.ndimage.uniform_filter1d(mode="reflect")`.

use pixelfast_vector::{Work, vectorised};
use rayon::prelude::*;

use crate::real::{Real, all_finite, require_finite};
use crate::{Cancel, Error, Result};

/// Outputs a piece; a piece with its margins fits the first-level cache.
const PIECE: usize = 2048;
/// Longest mean: a task keeps so many values four times over.
const MOST: usize = 1 << 20;
/// Pieces a task at least: a video may have one frame only.
const TOGETHER: usize = 8;

/// Writes the centred mean of `size` values, reflecting at the ends of each video; sums in f64.
///
/// # Errors
/// [`Error::Value`] for an even size or one beyond a million, negative lengths or a value that is not finite; [`Error::Shape`] where the
/// lengths do not add up to the number of values or `out` differs in length; [`Error::Cancelled`].
pub fn smooth<S: Real>(values: &[S], lengths: &[i64], size: usize, out: &mut [f64], cancel: &Cancel) -> Result<()> {
    check(values.len(), lengths, size, out.len())?;
    let pieces = cut(values, lengths, size, out).into_par_iter().with_min_len(TOGETHER);
    let finite = pieces.map_init(Buffers::default, |buffers, piece| {
        let finite = piece.fill(size, buffers);
        cancel.check().map(|()| finite)
    });
    require_finite("values", values, finite.try_reduce(|| true, |a, b| Ok(a & b))?)
}

fn check(values: usize, lengths: &[i64], size: usize, out: usize) -> Result<()> {
    if size.is_multiple_of(2) {
        return Err(Error::Value(format!("size must be odd and at least 1, not {size}")));
    }
    if size > MOST {
        return Err(Error::Value(format!("size must be at most {MOST}, not {size}")));
    }
    if let Some((index, length)) = lengths.iter().enumerate().find(|(_, length)| **length < 0) {
        return Err(Error::Value(format!("lengths must not be negative, but lengths[{index}] is {length}")));
    }
    let total: i128 = lengths.iter().map(|&length| i128::from(length)).sum();
    if total != values as i128 {
        return Err(Error::Shape(format!("lengths must add up to the {values} values, not to {total}")));
    }
    if out != values {
        return Err(Error::Shape(format!("out must have {values} values, not {out}")));
    }
    Ok(())
}

/// Consecutive outputs of one video.
struct Piece<'a, S> {
    video: &'a [S],
    start: usize,
    out: &'a mut [f64],
}

/// Memory that a task uses again.
#[derive(Default)]
struct Buffers {
    padded: Vec<f64>,
    ends: Vec<f64>,
}

/// Cuts every video into pieces, at places that depend on nothing but its length.
fn cut<'a, S>(mut values: &'a [S], lengths: &[i64], size: usize, mut out: &'a mut [f64]) -> Vec<Piece<'a, S>> {
    let mut pieces = Vec::new();
    for &length in lengths {
        let (video, other_values) = values.split_at(length as usize);
        let (video_out, other_out) = out.split_at_mut(length as usize);
        (values, out) = (other_values, other_out);
        let step = PIECE.max(size);
        pieces.extend(video_out.chunks_mut(step).enumerate().map(|(index, out)| Piece {
            video,
            start: index * step,
            out,
        }));
    }
    pieces
}

impl<S: Real> Piece<'_, S> {
    /// False where a value is not finite.
    fn fill(self, size: usize, buffers: &mut Buffers) -> bool {
        let finite = all_finite(&self.video[self.start..self.start + self.out.len()]);
        match size {
            1 => self.add_few::<1>(),
            3 => self.add_few::<3>(),
            5 => self.add_few::<5>(),
            7 => self.add_few::<7>(),
            9 => self.add_few::<9>(),
            _ => self.add_many(size, buffers),
        }
        finite
    }

    /// Means of a size that the compiler knows, straight from the values but for those at the ends of the video.
    fn add_few<const SIZE: usize>(self) {
        let (margin, stop) = (SIZE / 2, self.start + self.out.len());
        let inner = self.start.max(margin)..stop.min(self.video.len().saturating_sub(margin));
        let at_end = |frame| mean::<SIZE>(std::array::from_fn(|place| reflected(self.video, frame + place, margin)));
        if inner.is_empty() {
            return self.out.iter_mut().zip(self.start..).for_each(|(out, frame)| *out = at_end(frame));
        }
        let (before, rest) = self.out.split_at_mut(inner.start - self.start);
        let (middle, after) = rest.split_at_mut(inner.len());
        before.iter_mut().zip(self.start..).for_each(|(out, frame)| *out = at_end(frame));
        after.iter_mut().zip(inner.end..).for_each(|(out, frame)| *out = at_end(frame));
        let values = &self.video[inner.start - margin..inner.end + margin];
        vectorised(Means::<S, SIZE> { values, out: middle });
    }

    fn add_many(self, size: usize, buffers: &mut Buffers) {
        self.pad(size / 2, &mut buffers.padded);
        add_by_halves(&mut buffers.padded, size, &mut buffers.ends, self.out);
        self.out.iter_mut().for_each(|sum| *sum /= size as f64);
    }

    /// The piece in f64 with `margin` values more on either side.
    fn pad(&self, margin: usize, padded: &mut Vec<f64>) {
        let (video, length) = (self.video, self.out.len() + 2 * margin);
        let inside = self.start.saturating_sub(margin)..video.len().min(self.start + self.out.len() + margin);
        let reflected = |place| reflected(video, self.start + place, margin);
        padded.clear();
        padded.extend((0..margin.saturating_sub(self.start)).map(reflected));
        padded.extend(video[inside].iter().map(|value| value.wide()));
        padded.extend((padded.len()..length).map(reflected));
    }
}

/// The means of all windows of `SIZE` values.
struct Means<'a, S, const SIZE: usize> {
    values: &'a [S],
    out: &'a mut [f64],
}

impl<S: Real, const SIZE: usize> Work for Means<'_, S, SIZE> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (out, window) in self.out.iter_mut().zip(self.values.windows(SIZE)) {
            *out = mean::<SIZE>(std::array::from_fn(|place| window[place].wide()));
        }
    }
}

#[inline(always)]
fn mean<const SIZE: usize>(window: [f64; SIZE]) -> f64 {
    window[1..].iter().fold(window[0], |sum, value| sum + value) / SIZE as f64
}

/// The value `margin` before `place` in a video that goes on as its own mirror image (d c b a | a b c d).
fn reflected<S: Real>(video: &[S], place: usize, margin: usize) -> f64 {
    let length = video.len() as i128;
    let place = (place as i128 - margin as i128).rem_euclid(2 * length);
    video[(if place < length { place } else { 2 * length - 1 - place }) as usize].wide()
}

/// Sums windows of any size in two additions a value and without a subtraction, which would lose digits: each window
/// is the end of one stretch of `size` values and the beginning of the next (van Herk 1992, there for maxima).
fn add_by_halves(padded: &mut [f64], size: usize, ends: &mut Vec<f64>, out: &mut [f64]) {
    ends.clear();
    ends.extend_from_slice(padded);
    for stretch in ends.chunks_mut(size) {
        (1..stretch.len()).rev().for_each(|index| stretch[index - 1] += stretch[index]);
    }
    for stretch in padded.chunks_mut(size) {
        (1..stretch.len()).for_each(|index| stretch[index] += stretch[index - 1]);
    }
    for (number, (out, ends)) in out.chunks_mut(size).zip(ends.chunks(size)).enumerate() {
        let beginnings = padded.get((number + 1) * size..).unwrap_or_default();
        out[0] = ends[0];
        for ((out, end), beginning) in out[1..].iter_mut().zip(&ends[1..]).zip(beginnings) {
            *out = end + beginning;
        }
    }
}
