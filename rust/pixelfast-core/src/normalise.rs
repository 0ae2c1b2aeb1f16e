//! Scores between 0 and 1 by the smallest value and a high percentile.

use std::cmp::Ordering;

use pixelfast_vector::{Work, vectorised};
use rayon::prelude::*;

use crate::real::{BLOCK, Real, Span, total};
use crate::{Cancel, Error, Result};

/// Keeps the divisor away from zero (METHOD, "Scores").
const EPSILON: f64 = 1e-8;
/// Bits of a bin's number while looking for a percentile: the counters fit the first-level cache.
const BIN_BITS: u32 = 12;
/// So many values are selected from directly.
const DIRECT: usize = 1 << 14;

/// Writes `(x - min) / (p - min + 1e-8)`, clipped to [0, 1]; p is the percentile, or the largest value for `None`.
///
/// The percentile is NumPy's default ("linear"), computed in f64.
///
/// # Errors
/// [`Error::Value`] with the index of the first value that is not finite, or for a percentile outside [0, 100];
/// [`Error::Shape`] where `out` differs in length; [`Error::Cancelled`].
pub fn normalise<S: Real>(raw: &[S], percentile: Option<f64>, out: &mut [f64], cancel: &Cancel) -> Result<()> {
    if raw.len() != out.len() {
        return Err(Error::Shape(format!("out must have {} values, not {}", raw.len(), out.len())));
    }
    if let Some(percent) = percentile.filter(|percent| !(0.0..=100.0).contains(percent)) {
        return Err(Error::Value(format!("percentile must lie between 0 and 100, not {percent}")));
    }
    let place = percentile.map(|percent| Place::of(percent, raw.len()));
    let mark = place.as_ref().and_then(|place| mark_below(raw, place.below));
    let from_mark = |block: &[S]| mark.map_or_else(Vec::new, |mark| keep(block, |value| *value >= mark));
    let Some((span, above)) = Span::of_and("raw", raw, from_mark, cancel)? else {
        return Ok(());
    };
    let low = S::from_key(span.low).wide();
    let top = match place {
        Some(place) => place.between(find_pair(raw, span, &above.concat(), place.below, cancel)?),
        None => S::from_key(span.high).wide(),
    };
    let range = top - low + EPSILON;
    raw.par_chunks(BLOCK).zip(out.par_chunks_mut(BLOCK)).try_for_each(|(raw, out)| {
        vectorised(Scale { raw, low, range, out });
        cancel.check()
    })
}

/// Brings the values of a block to their place between `low` and `low + range`.
struct Scale<'a, S> {
    raw: &'a [S],
    low: f64,
    range: f64,
    out: &'a mut [f64],
}

impl<S: Real> Work for Scale<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (raw, out) in self.raw.iter().zip(self.out) {
            *out = ((raw.wide() - self.low) / self.range).clamp(0.0, 1.0);
        }
    }
}

/// Where a percentile lies among the sorted values: NumPy's `percentile(values, percent, method="linear")`, its
/// interpolation included, to the bit.
struct Place {
    below: usize,
    weight: f64,
}

impl Place {
    fn of(percent: f64, count: usize) -> Self {
        let position = count.saturating_sub(1) as f64 * (percent / 100.0);
        let below = position.floor();
        Self { below: below as usize, weight: position - below }
    }

    fn between<S: Real>(&self, (left, right): (S, S)) -> f64 {
        let (left, right) = (left.wide(), right.wide());
        let step = right - left;
        if self.weight >= 0.5 { right - step * (1.0 - self.weight) } else { left + step * self.weight }
    }
}

/// Values that are looked at for a mark.
const SAMPLE: usize = 1 << 12;

/// A value that probably lies below the one at `index` of the sorted values, with few in between; none where `index`
/// is not near the end, so that collecting the values above would not be cheaper than counting all.
fn mark_below<S: Real>(values: &[S], index: usize) -> Option<S> {
    let above = values.len().saturating_sub(index);
    if values.len() <= DIRECT || above > values.len() / 256 {
        return None;
    }
    let mut keys: Vec<u64> = values.iter().step_by(values.len() / SAMPLE).map(|value| value.key()).collect();
    // Twice as many as wanted, and some more against bad luck.
    let wanted = keys.len() * 2 * above / values.len() + 8;
    let place = keys.len() - wanted;
    Some(S::from_key(*keys.select_nth_unstable(place).1))
}

/// The values at `index` and `index + 1` of the sorted values: among those `above` a mark, if there are enough of them.
fn find_pair<S: Real>(values: &[S], span: Span, above: &[S], index: usize, cancel: &Cancel) -> Result<(S, S)> {
    let inside = (index + above.len()).checked_sub(values.len());
    match (inside, Span::of("raw", above, cancel)?) {
        (Some(inside), Some(span)) => select_pair(above, span, inside, cancel),
        _ => select_pair(values, span, index, cancel),
    }
}

/// The values at `index` and `index + 1` of the sorted values (the last one twice at the end).
fn select_pair<S: Real>(values: &[S], span: Span, index: usize, cancel: &Cancel) -> Result<(S, S)> {
    if span.is_point() {
        return Ok((values[0], values[0]));
    }
    if values.len() <= DIRECT {
        return Ok(select_directly(values.to_vec(), index));
    }
    let span = span.cut(BIN_BITS);
    let (bin, before) = find_bin(values, span, index, cancel)?;
    let (low, high) = span.edges::<S>(bin);
    let members = gather(values, low, high, cancel)?;
    let Some(member_span) = Span::of("raw", &members, cancel)? else {
        return Ok((low, low));
    };
    let inside = index - before;
    let (left, right) = select_pair(&members, member_span, inside, cancel)?;
    let last = inside + 1 == members.len();
    let above = if last { smallest_above(values, high, cancel)? } else { None };
    Ok((left, above.unwrap_or(right)))
}

fn select_directly<S: Real>(mut values: Vec<S>, index: usize) -> (S, S) {
    let order = |a: &S, b: &S| a.partial_cmp(b).unwrap_or(Ordering::Equal);
    let (_, &mut left, above) = values.select_nth_unstable_by(index, order);
    let right = above.iter().copied().min_by(order).unwrap_or(left);
    (left, right)
}

/// The bin that holds the value at `index` of the sorted values, and how many values lie in the bins before it.
fn find_bin<S: Real>(values: &[S], span: Span, index: usize, cancel: &Cancel) -> Result<(usize, usize)> {
    let mut before = 0;
    for (bin, count) in total(&span.histograms(values, cancel)?).into_iter().enumerate() {
        if before + count as usize > index {
            return Ok((bin, before));
        }
        before += count as usize;
    }
    Ok((span.bins() - 1, before))
}

/// Values looked at together; most stretches hold none that is wanted.
const STRETCH: usize = 32;

/// The values from `low` to `high`.
fn gather<S: Real>(values: &[S], low: S, high: S, cancel: &Cancel) -> Result<Vec<S>> {
    let blocks = values.par_chunks(BLOCK).map(|block| {
        cancel.check()?;
        Ok(keep(block, |value| (*value >= low) & (*value <= high)))
    });
    Ok(blocks.collect::<Result<Vec<Vec<S>>>>()?.concat())
}

/// The values that are wanted, of a block in which few are.
fn keep<S: Real>(block: &[S], wanted: impl Fn(&S) -> bool) -> Vec<S> {
    let stretches =
        block.chunks(STRETCH).filter(|stretch| stretch.iter().fold(false, |any, value| any | wanted(value)));
    stretches.flatten().copied().filter(|value| wanted(value)).collect()
}

fn smallest_above<S: Real>(values: &[S], high: S, cancel: &Cancel) -> Result<Option<S>> {
    let smaller = |a: S, b: S| if b < a { b } else { a };
    let blocks = values.par_chunks(BLOCK).map(|block| {
        cancel.check()?;
        Ok(block.iter().copied().filter(|value| *value > high).reduce(smaller))
    });
    Ok(blocks.collect::<Result<Vec<_>>>()?.into_iter().flatten().reduce(smaller))
}
