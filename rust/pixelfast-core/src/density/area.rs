//! Means by area with fractional weights, as OpenCV's `resize` with INTER_AREA takes them, one axis at a time.

/// A share of a pixel below which OpenCV leaves it out (resize.cpp, `computeResizeAreaTab`).
const LEFT_OUT: f64 = 1e-3;

/// The pixels of which one value is the weighted sum: from `first` on.
pub(super) struct Span {
    pub first: usize,
    pub weights: Vec<f32>,
}

impl Span {
    /// Each pixel with its weight.
    #[inline(always)]
    pub fn iter(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        (self.first..).zip(self.weights.iter().copied())
    }
}

/// The spans down and across that bring `from` (rows, columns) to `to`.
pub(super) fn spans(from: (usize, usize), to: (usize, usize)) -> (Vec<Span>, Vec<Span>) {
    let span = if to.0 <= from.0 && to.1 <= from.1 { shrunk } else { between };
    let axis = |from: usize, to: usize| (0..to).map(|index| span(index, from, to)).collect();
    (axis(from.0, to.0), axis(from.1, to.1))
}

/// All that lies within a value's reach, each by how much of it does.
fn shrunk(index: usize, from: usize, to: usize) -> Span {
    let scale = 1.0 / (to as f64 / from as f64); // as OpenCV rounds it
    let (start, end) = (index as f64 * scale, (index + 1) as f64 * scale);
    let last = (end.floor() as usize).min(from - 1);
    let whole = (start.ceil() as usize).min(last);
    let reach = scale.min(from as f64 - start);
    let (before, after) = (whole as f64 - start, end - last as f64);
    let head = (before > LEFT_OUT).then_some(before);
    let tail = (after > LEFT_OUT).then(|| after.min(1.0).min(reach));
    let shares = head.into_iter().chain((whole..last).map(|_| 1.0)).chain(tail);
    Span { first: whole - usize::from(head.is_some()), weights: shares.map(|share| (share / reach) as f32).collect() }
}

/// Where either axis grows, OpenCV goes linearly from one pixel to the next, only at their seam.
fn between(index: usize, from: usize, to: usize) -> Span {
    let inverse = to as f64 / from as f64;
    let first = ((index as f64 * (1.0 / inverse)) as usize).min(from - 1);
    let past = ((index + 1) as f64 - (first + 1) as f64 * inverse) as f32;
    let second = if past <= 0.0 || first == from - 1 { 0.0 } else { past.fract() };
    let weights = if second > 0.0 { vec![1.0 - second, second] } else { vec![1.0] };
    Span { first, weights }
}

/// From sums down the pixels of a row of blocks, by pixel and channel, to the blocks' means: `out` is [columns, C].
#[inline(always)]
pub(super) fn across<const C: usize>(columns: &[Span], sum: impl Fn(usize, usize) -> f32, out: &mut [f32]) {
    for (span, out) in columns.iter().zip(out.as_chunks_mut::<C>().0) {
        *out = [0.0; C];
        for (x, weight) in span.iter() {
            out.iter_mut().enumerate().for_each(|(channel, out)| *out += weight * sum(x, channel));
        }
    }
}
