//! From the errors of overlapping windows to one map of errors a frame.
//!
//! A window of `window` frames starts every `stride` frames; the last one is anchored at the video's end, so that no
//! frame is left out. A frame's map is the mean, the largest or the median of its errors in the windows that hold it,
//! taken in the order of the windows, in f64, as they arrive.

mod line;
mod stream;

use crate::{Error, Result};
pub use stream::Overlap;

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
}
