//! From the errors of overlapping windows to one map of errors a frame.
//!
//! A window of `window` frames starts every `stride` frames; the last one is anchored at the video's end, so that no
//! frame is left out. A frame's map is the mean, the largest or the median of its errors in the windows that hold it,
//! taken in the order of the windows, in f64, as they arrive.

mod line;

use crate::real::{all_finite, require_finite};
use crate::{Cancel, Error, Result};
use line::Line;

/// At least so many frames are finished together.
const FRAMES: usize = 64;

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

/// Fed with the windows of a video in order, yields the maps of frames that no later window can hold.
///
/// Memory is that of a few windows beside the maps, whatever the length of the video.
#[derive(Debug)]
pub struct Overlap {
    windows: Windows,
    how: How,
    pushed: usize,
    line: Option<Line>,
}

impl Overlap {
    /// For windows that lie like `windows`.
    #[must_use]
    pub fn new(windows: Windows, how: How) -> Self {
        Self { windows, how, pushed: 0, line: None }
    }

    /// Frames a window.
    #[must_use]
    pub fn window(&self) -> usize {
        self.windows.window
    }

    /// Whether windows were pushed since the last video ended.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.line.is_some()
    }

    /// Adds whole windows of `cells` values a frame; appends finished maps to `maps`. Refused windows change nothing; a
    /// video that is cancelled is dropped.
    ///
    /// # Errors
    /// [`Error::Shape`] for another size than before or no whole windows; [`Error::Value`] with the index of the first
    /// value that is not finite; [`Error::Cancelled`].
    pub fn push(&mut self, errors: &[f32], cells: usize, maps: &mut Vec<f32>, cancel: &Cancel) -> Result<()> {
        self.check("window_errors", errors, cells)?;
        let Windows { window, stride } = self.windows;
        let together = (window.max(FRAMES) / stride) * window * cells;
        let added = errors.chunks(together).try_for_each(|errors| self.add_some(errors, cells, maps, cancel));
        if added.is_err() {
            (self.line, self.pushed) = (None, 0);
        }
        added
    }

    /// Appends the remaining maps, after the anchored window of a video of `frames` frames where its length asks for
    /// one. Then a new video may begin.
    ///
    /// # Errors
    /// [`Error::Value`] where the windows are not those of `frames` frames, or no window was pushed, or the anchored
    /// one is missing, superfluous or not finite; nothing changes then. [`Error::Cancelled`]; the video is dropped.
    pub fn finish(
        &mut self,
        anchored: Option<&[f32]>,
        frames: Option<usize>,
        maps: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        let Some(line) = &self.line else {
            return Err(Error::Value("finish needs at least one window, but none was pushed".into()));
        };
        let (cells, end) = (line.cells, line.end());
        let wants_anchored = self.check_length(frames, end)?;
        match (wants_anchored, anchored, frames) {
            (true, Some(window), Some(frames)) => {
                self.check("anchored", window, cells)?;
                if window.len() != self.windows.window * cells {
                    return Err(Error::Shape("anchored must be one window".into()));
                }
                self.add(frames - self.windows.window, window, cells);
            }
            (false, None, _) => {}
            (needed, ..) => return Err(Error::Value(self.anchored_sentence(needed, frames.unwrap_or(end)))),
        }
        self.pushed = 0;
        let rest = self.line.take();
        rest.map_or(Ok(()), |mut line| line.take(line.end(), maps, cancel))
    }

    fn check(&self, name: &str, errors: &[f32], cells: usize) -> Result<()> {
        let size = self.windows.window * cells;
        if size == 0 || !errors.len().is_multiple_of(size) {
            let (window, values) = (self.windows.window, errors.len());
            return Err(Error::Shape(format!(
                "{name}: {values} values are not windows of {window} maps of {cells} cells"
            )));
        }
        if let Some(before) = self.line.as_ref().map(|line| line.cells).filter(|&before| before != cells) {
            return Err(Error::Shape(format!("{name} has maps of {cells} cells, those before had {before}")));
        }
        require_finite(name, errors, all_finite(errors))
    }

    /// Whether `frames` frames need an anchored window after the windows that were pushed.
    fn check_length(&self, frames: Option<usize>, end: usize) -> Result<bool> {
        let Some(frames) = frames else {
            return Ok(false);
        };
        let (regular, anchored) = self.windows.on(frames)?;
        if regular != self.pushed {
            let (Windows { window, stride }, pushed) = (self.windows, self.pushed);
            return Err(Error::Value(format!(
                "{frames} frames in windows of {window} at stride {stride} make {regular} windows before the anchored \
                 one, but {pushed} were pushed (they reach to frame {end})"
            )));
        }
        Ok(anchored)
    }

    fn anchored_sentence(&self, needed: bool, frames: usize) -> String {
        let Windows { window, stride } = self.windows;
        let why = format!("{frames} frames in windows of {window} at stride {stride}");
        if needed {
            format!("anchored is required: {why} leave frames at the end")
        } else {
            format!("anchored must be None: {why} leave no frame at the end")
        }
    }

    fn add_some(&mut self, errors: &[f32], cells: usize, maps: &mut Vec<f32>, cancel: &Cancel) -> Result<()> {
        for window in errors.chunks_exact(self.windows.window * cells) {
            cancel.check()?;
            self.add(self.pushed * self.windows.stride, window, cells);
            self.pushed += 1;
        }
        // An anchored window may start one frame later than the last one.
        let frame = (self.pushed - 1) * self.windows.stride + 1;
        self.line.iter_mut().try_for_each(|line| line.take(frame, maps, cancel))
    }

    fn add(&mut self, start: usize, window: &[f32], cells: usize) {
        self.line.get_or_insert_with(|| Line::new(self.how, cells)).add(start, window);
    }
}
