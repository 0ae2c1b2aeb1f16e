//! Means and largest values of a stretch of frames: as neighbouring frames lie side by side, a whole window is added to
//! them in one go.

use super::Windows;
use crate::real::all_finite;
use crate::{Cancel, Result};

/// How one more error of a frame is taken in; the same as the ring does it, to the bit.
pub(super) trait Fold {
    /// What changes nothing.
    const NEUTRAL: f64;

    fn add(so_far: f64, value: f64) -> f64;

    /// The result of so many windows.
    fn end(so_far: f64, windows: f64) -> f64;

    /// Whether a map is finite only where all of its errors were.
    const TELLS: bool;
}

/// For the mean.
pub(super) struct Sum;

impl Fold for Sum {
    /// Zero would make 0.0 of -0.0.
    const NEUTRAL: f64 = -0.0;

    /// No sum of finite f32 leaves f64, and no other sum comes back from beyond.
    const TELLS: bool = true;

    #[inline]
    fn add(so_far: f64, value: f64) -> f64 {
        so_far + value
    }

    #[inline]
    fn end(so_far: f64, windows: f64) -> f64 {
        so_far / windows
    }
}

/// For the largest.
pub(super) struct Largest;

impl Fold for Largest {
    const NEUTRAL: f64 = f64::NEG_INFINITY;
    const TELLS: bool = false;

    #[inline]
    fn add(so_far: f64, value: f64) -> f64 {
        so_far.max(value)
    }

    #[inline]
    fn end(so_far: f64, _windows: f64) -> f64 {
        so_far
    }
}

/// The maps of the frames from `first` on that fit into `out`; false where an error is not finite.
pub(super) fn block<F: Fold>(
    errors: &[f32],
    cells: usize,
    windows: Windows,
    (first, frames): (usize, usize),
    out: &mut [f32],
    cancel: &Cancel,
) -> Result<bool> {
    let stop = first + out.len() / cells;
    let mut line = vec![F::NEUTRAL; out.len()];
    let mut finite = true;
    let stretch = errors.chunks_exact(windows.window * cells).enumerate().skip(windows.earliest(first));
    for (number, window) in stretch {
        let start = windows.start(number, frames);
        if start >= stop {
            break;
        }
        cancel.check()?;
        let (from, to) = (start.max(first), (start + windows.window).min(stop));
        let rows = &window[(from - start) * cells..(to - start) * cells];
        if !F::TELLS {
            finite &= all_finite(rows);
        }
        let sums = &mut line[(from - first) * cells..(to - first) * cells];
        sums.iter_mut().zip(rows).for_each(|(sum, &value)| *sum = F::add(*sum, f64::from(value)));
    }
    for ((map, sums), frame) in out.chunks_exact_mut(cells).zip(line.chunks_exact(cells)).zip(first..) {
        let windows = windows.holding(frame, frames) as f64;
        map.iter_mut().zip(sums).for_each(|(out, &sum)| *out = F::end(sum, windows) as f32);
    }
    Ok(finite && (!F::TELLS || all_finite(out)))
}
