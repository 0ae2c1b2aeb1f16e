//! From the errors of overlapping windows to one map of errors a frame.
//!
//! A window of `window` frames starts every `stride` frames; the last one is anchored at the video's end, so that no
//! frame is left out. A frame's map is the mean, the largest or the median of its errors in the windows that hold it,
//! taken in the order of the windows, in f64. [`Overlap`] does it as windows arrive, [`aggregate`] for a whole video.

mod line;
mod ring;
mod stream;

use rayon::prelude::*;

use crate::real::{all_finite, not_finite};
use crate::{Cancel, Error, Result};
use line::{Largest, Sum};
use ring::Ring;
pub use stream::Overlap;

/// Frames a task: re-reads `window - 1` windows.
const FRAMES: usize = 512;

/// What becomes of a frame's errors in several windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Their mean.
    Mean,
    /// The largest.
    Max,
    /// Their median; of an even number the mean of the two in the middle.
    Median,
}

impl std::str::FromStr for How {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "mean" => Ok(Self::Mean),
            "max" => Ok(Self::Max),
            "median" => Ok(Self::Median),
            other => Err(Error::Value(format!("how must be \"mean\", \"max\" or \"median\", not {other:?}"))),
        }
    }
}

/// How windows lie on a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Frames a window.
    pub window: usize,
    /// Frames from one start to the next.
    pub stride: usize,
}

impl Windows {
    /// # Errors
    /// [`Error::Value`] where frames would be left out between windows.
    pub fn new(window: usize, stride: usize) -> Result<Self> {
        if window == 0 {
            return Err(Error::Value("window must be at least 1, not 0".into()));
        }
        if !(1..=window).contains(&stride) {
            return Err(Error::Value(format!("stride must lie between 1 and the window of {window}, not {stride}")));
        }
        Ok(Self { window, stride })
    }

    /// The number of windows at multiples of the stride on `frames` frames, and whether an anchored one follows.
    ///
    /// # Errors
    /// [`Error::Value`] for a video shorter than a window.
    pub fn on(self, frames: usize) -> Result<(usize, bool)> {
        let Some(last) = frames.checked_sub(self.window) else {
            let window = self.window;
            return Err(Error::Value(format!(
                "n_frames must be at least the window of {window}, not {frames}: pad a shorter video by its last frame"
            )));
        };
        Ok((last / self.stride + 1, !last.is_multiple_of(self.stride)))
    }

    /// Refuses another number of windows than `frames` frames make.
    ///
    /// # Errors
    /// [`Error::Value`] for a video shorter than a window, [`Error::Shape`] for another number of windows.
    pub fn require(self, came: usize, frames: usize) -> Result<()> {
        let (regular, anchored) = self.on(frames)?;
        let (expected, Windows { window, stride }) = (regular + usize::from(anchored), self);
        if came == expected {
            return Ok(());
        }
        Err(Error::Shape(format!(
            "{frames} frames in windows of {window} at stride {stride} make {expected} windows, not {came}"
        )))
    }

    /// The first window, the anchored one left aside, that ends after `frame`.
    fn earliest(self, frame: usize) -> usize {
        (frame + 1).saturating_sub(self.window).div_ceil(self.stride)
    }

    /// How many windows of a video of `frames` frames hold `frame`.
    fn holding(self, frame: usize, frames: usize) -> usize {
        let last = frames - self.window;
        let regular = last.min(frame) / self.stride + 1 - self.earliest(frame);
        regular + usize::from(!last.is_multiple_of(self.stride) && frame >= last)
    }

    /// The first frame of the window with this number, where the one after the regular ones is anchored.
    fn start(self, number: usize, frames: usize) -> usize {
        (number * self.stride).min(frames - self.window)
    }
}

/// Writes one map of `cells` values a frame, of `frames` frames, to `out`.
///
/// # Errors
/// [`Error::Shape`] where the number of windows is not the one that the frames make; [`Error::Value`] with the index
/// of the first value that is not finite; [`Error::Cancelled`].
pub fn aggregate(
    errors: &[f32],
    cells: usize,
    windows: Windows,
    how: How,
    out: &mut [f32],
    cancel: &Cancel,
) -> Result<()> {
    let frames = out.len().checked_div(cells).unwrap_or_default();
    let size = windows.window * cells;
    if cells == 0 || !errors.len().is_multiple_of(size) || out.len() != frames * cells {
        let (values, out) = (errors.len(), out.len());
        return Err(Error::Shape(format!("{values} and {out} values are not windows and maps of {cells} cells")));
    }
    windows.require(errors.len() / size, frames)?;
    let finite = out.par_chunks_mut(FRAMES * cells).enumerate().map(|(block, out)| {
        let place = (block * FRAMES, frames);
        match how {
            How::Mean => line::block::<Sum>(errors, cells, windows, place, out, cancel),
            How::Max => line::block::<Largest>(errors, cells, windows, place, out, cancel),
            How::Median => median_block(errors, cells, windows, place, out, cancel),
        }
    });
    if finite.try_reduce(|| true, |a, b| Ok(a & b))? { Ok(()) } else { Err(not_finite("window_errors", errors, 0)) }
}

/// The maps of the frames from `first` on that fit into `out`; false where an error is not finite.
fn median_block(
    errors: &[f32],
    cells: usize,
    windows: Windows,
    (first, frames): (usize, usize),
    out: &mut [f32],
    cancel: &Cancel,
) -> Result<bool> {
    let (stop, size) = (first + out.len() / cells, windows.window * cells);
    let mut ring = Ring::new(How::Median, cells, first);
    let (mut finite, mut maps) = (true, out.chunks_exact_mut(cells));
    for (number, window) in errors.chunks_exact(size).enumerate().skip(windows.earliest(first)) {
        cancel.check()?;
        let start = windows.start(number, frames);
        if start >= stop {
            break;
        }
        ring.finish(start, |slot| maps.next().into_iter().for_each(|map| slot.write(map)));
        let (from, to) = (start.max(first), (start + windows.window).min(stop));
        let rows = &window[(from - start) * cells..(to - start) * cells];
        finite &= all_finite(rows);
        rows.chunks_exact(cells).zip(from..).for_each(|(row, frame)| ring.add(frame, row));
    }
    ring.finish(stop, |slot| maps.next().into_iter().for_each(|map| slot.write(map)));
    Ok(finite)
}
