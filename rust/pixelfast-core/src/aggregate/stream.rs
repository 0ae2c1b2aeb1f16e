//! Aggregation as windows arrive.

use super::line::Line;
use super::{How, Windows};
use crate::real::{all_finite, not_finite};
use crate::{Cancel, Error, Result};

/// At least so many frames are finished together.
const FRAMES: usize = 64;

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
        let (cells, end) = (line.cells(), line.end());
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
        if let Some(before) = self.line.as_ref().map(Line::cells).filter(|&before| before != cells) {
            return Err(Error::Shape(format!("{name} has maps of {cells} cells, those before had {before}")));
        }
        if all_finite(errors) { Ok(()) } else { Err(not_finite(name, errors, 0)) }
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
