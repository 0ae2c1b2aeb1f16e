//! Floating point values as the global pass sees them: finite, widened to f64, or as keys that sort like them.

use pixelfast_vector::{Work, vectorised};
use rayon::prelude::*;

use crate::{Cancel, Error, Result};

/// Values a task; a multiple of every vector width, small enough for Ctrl-C, large enough for rayon.
pub(crate) const BLOCK: usize = 1 << 16;

/// Values that one task deals or counts; each has its own histogram.
pub(crate) const DEALT: usize = 1 << 19;

/// Values compared side by side.
const LANES: usize = 16;

/// Something that a `u64` sorts like: a floating point value, or a key already.
pub trait Keyed: Copy + PartialOrd + Send + Sync + 'static {
    /// The `u64`; -0.0 and 0.0 share one.
    fn key(self) -> u64;
}

/// `f32` or `f64`.
pub trait Real: Keyed {
    /// The unsigned integer that holds a key.
    type Key: Key;

    /// The value that has this key.
    fn from_key(key: u64) -> Self;

    /// As `f64`.
    fn wide(self) -> f64;

    /// Neither infinite nor NaN.
    fn finite(self) -> bool;
}

/// An unsigned integer that holds a sort key, later a doubled rank.
pub trait Key: Keyed + Ord + Default {
    /// Keeps the low bits.
    fn narrow(wide: u64) -> Self;
}

macro_rules! real {
    ($float:ty, $unsigned:ty, $signed:ty) => {
        impl Keyed for $unsigned {
            #[inline]
            fn key(self) -> u64 {
                self.into()
            }
        }

        impl Key for $unsigned {
            #[inline]
            fn narrow(wide: u64) -> Self {
                wide as Self
            }
        }

        impl Keyed for $float {
            #[inline]
            fn key(self) -> u64 {
                // Adding zero turns -0.0 into 0.0 and leaves every other value alone.
                let bits = (self + 0.0).to_bits();
                let sign = (bits as $signed >> (<$unsigned>::BITS - 1)) as $unsigned;
                (bits ^ (sign | 1 << (<$unsigned>::BITS - 1))).into()
            }
        }

        impl Real for $float {
            type Key = $unsigned;

            fn from_key(key: u64) -> Self {
                let key = key as $unsigned;
                let positive = (key as $signed >> (<$unsigned>::BITS - 1)) as $unsigned;
                <$float>::from_bits(key ^ (!positive | 1 << (<$unsigned>::BITS - 1)))
            }

            #[inline]
            fn wide(self) -> f64 {
                self.into()
            }

            #[inline]
            fn finite(self) -> bool {
                self.is_finite()
            }
        }
    };
}

real!(f32, u32, i32);
real!(f64, u64, i64);

/// Without a short cut, so that it is vectorised.
#[inline(always)]
pub(crate) fn all_finite<S: Real>(values: &[S]) -> bool {
    values.iter().fold(true, |so_far, value| so_far & value.finite())
}

/// Names the first value that is not finite, unless all are known to be `finite`.
pub(crate) fn require_finite<S: Real>(name: &str, values: &[S], finite: bool) -> Result<()> {
    if finite {
        return Ok(());
    }
    let index = values.iter().position(|value| !value.finite()).unwrap_or_default();
    Err(Error::Value(format!("{name} must be finite, but {name}[{index}] is {}", values[index].wide())))
}

/// The smallest and the largest key of finite values, cut into equal bins, at most 65536 unless cut anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub low: u64,
    pub high: u64,
    shift: u32,
}

impl Span {
    /// Bits of a bin's number.
    const BITS: u32 = 16;

    /// The span of `values`, `None` of nothing; fails for the first one that is not finite.
    pub(crate) fn of<S: Real>(name: &str, values: &[S], cancel: &Cancel) -> Result<Option<Self>> {
        Self::of_and(name, values, |_| (), cancel).map(|found| found.map(|(span, _)| span))
    }

    /// The same, and what `look` makes of each block in turn while the cache still holds it.
    pub(crate) fn of_and<S: Real, T: Send>(
        name: &str,
        values: &[S],
        look: impl Fn(&[S]) -> T + Sync,
        cancel: &Cancel,
    ) -> Result<Option<(Self, Vec<T>)>> {
        let blocks = values.par_chunks(BLOCK).map(|block| {
            cancel.check()?;
            Ok((vectorised(EndsOf(block)), look(block)))
        });
        let (ends, seen): (Vec<_>, Vec<_>) = blocks.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        let Some(ends) = ends.into_iter().reduce(Ends::join) else {
            return Ok(None);
        };
        require_finite(name, values, ends.finite)?;
        Ok(Some((Self::new(ends.low.key(), ends.high.key()), seen)))
    }

    /// From the smallest to the largest key, both included.
    pub(crate) fn new(low: u64, high: u64) -> Self {
        Self { low, high, shift: 0 }.cut(Self::BITS)
    }

    /// The same span in at most `2^bits` bins.
    pub(crate) fn cut(self, bits: u32) -> Self {
        let range = u64::BITS - (self.high - self.low).leading_zeros();
        Self { shift: range.saturating_sub(bits), ..self }
    }

    pub(crate) fn is_point(self) -> bool {
        self.low == self.high
    }

    pub(crate) fn bins(self) -> usize {
        self.bin(self.high) + 1
    }

    /// The bin of a key within the span.
    #[inline]
    pub(crate) fn bin(self, key: u64) -> usize {
        ((key - self.low) >> self.shift) as usize
    }

    /// The smallest and the largest value that fall into a bin.
    pub(crate) fn edges<S: Real>(self, bin: usize) -> (S, S) {
        let low = self.low + ((bin as u64) << self.shift);
        let width = (1 << self.shift) - 1;
        (S::from_key(low), S::from_key(low.saturating_add(width).min(self.high)))
    }

    /// How many values of each block fall into each bin.
    pub(crate) fn histograms<S: Keyed>(self, values: &[S], cancel: &Cancel) -> Result<Vec<Vec<u32>>> {
        let blocks = values.par_chunks(DEALT).map(|block| {
            cancel.check()?;
            let mut counts = vec![0u32; self.bins()];
            block.iter().for_each(|value| counts[self.bin(value.key())] += 1);
            Ok(counts)
        });
        blocks.collect()
    }
}

/// Sums the blocks' histograms.
pub(crate) fn total(histograms: &[Vec<u32>]) -> Vec<u64> {
    let mut total = vec![0; histograms[0].len()];
    for histogram in histograms {
        total.iter_mut().zip(histogram).for_each(|(total, &count)| *total += u64::from(count));
    }
    total
}

/// The smallest and the largest value, meaningful where all are finite.
#[derive(Clone, Copy)]
struct Ends<S> {
    low: S,
    high: S,
    finite: bool,
}

/// The ends of a block that is not empty.
struct EndsOf<'a, S>(&'a [S]);

impl<S: Real> Work for EndsOf<'_, S> {
    type Output = Ends<S>;

    /// Lane by lane, so that it is vectorised.
    #[inline(always)]
    fn run(self) -> Ends<S> {
        let block = self.0;
        let (mut lows, mut highs) = ([block[0]; LANES], [block[0]; LANES]);
        let (lanes, rest) = block.as_chunks::<LANES>();
        for values in lanes {
            lows.iter_mut().zip(values).for_each(|(low, &value)| *low = if value < *low { value } else { *low });
            highs.iter_mut().zip(values).for_each(|(high, &value)| *high = if value > *high { value } else { *high });
        }
        let ends = lows.iter().chain(&highs).chain(rest).map(|&value| Ends { low: value, high: value, finite: true });
        let all = Ends { low: block[0], high: block[0], finite: all_finite(block) };
        ends.fold(all, Ends::join)
    }
}

impl<S: Real> Ends<S> {
    #[inline]
    fn join(self, other: Self) -> Self {
        Self {
            low: if other.low < self.low { other.low } else { self.low },
            high: if other.high > self.high { other.high } else { self.high },
            finite: self.finite & other.finite,
        }
    }
}
