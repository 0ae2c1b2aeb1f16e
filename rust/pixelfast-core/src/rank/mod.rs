//! Average ranks over n, as `scipy.stats.rankdata(values) / n`, without sorting.
//!
//! A rank depends only on how many values are smaller and how many are equal. Values are dealt into groups by the
//! leading bits of their keys, each group small enough for the cache; within a group counting gives the ranks; then
//! the dealing is replayed, and every value picks up its rank where it was put. All passes over memory are sequential,
//! and no index travels with a value. Twice the average rank is an integer, so the result is exact in any order of
//! work.

mod bucket;
mod deal;

use crate::real::{Real, Span};
use crate::{Cancel, Error, Result};

/// Writes average ranks / n, in (0, 1], to `out`.
///
/// # Errors
/// [`Error::Value`] with the index of the first value that is not finite; [`Error::Shape`] where `out` differs in
/// length; [`Error::Cancelled`].
pub fn rank<S: Real>(values: &[S], out: &mut [f64], cancel: &Cancel) -> Result<()> {
    if values.len() != out.len() {
        return Err(Error::Shape(format!("out must have {} values, not {}", values.len(), out.len())));
    }
    let Some(span) = Span::of("values", values, cancel)? else {
        return Ok(());
    };
    let doubled = 2.0 * values.len() as f64;
    let share = |rank: u64| rank as f64 / doubled;
    if u32::try_from(2 * values.len() as u64).is_ok() {
        deal::ranks::<S, S::Key, _>(values, out, span, share, cancel)
    } else {
        // Doubled ranks would not fit beside 32-bit keys.
        deal::ranks::<S, u64, _>(values, out, span, share, cancel)
    }
}
