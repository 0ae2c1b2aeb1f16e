//! From window errors to frame maps, and from maps to one number a frame.

use numpy::{Ix3, IxDyn, PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pixelfast_core::aggregate::{Overlap, Windows};
use pixelfast_core::{Cancel, pool as pooling};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::array::Argument;
use crate::enter::{enter_briefly, enter_core, fill, to_python};

const WINDOW_ERRORS: Argument = Argument::new("window_errors", "[W, T, G, G] or [W, T]");
const ANCHORED: Argument = Argument::new("anchored", "[T, G, G], [1, T, G, G], [T] or [1, T]");

/// Fewer errors than these are added in milliseconds.
const FEW: usize = 1 << 20;

/// Errors of windows, with or without cells.
struct WindowErrors<'py> {
    array: PyReadonlyArrayDyn<'py, f32>,
    window: usize,
    /// Empty for plain frame errors.
    grid: Vec<usize>,
}

impl<'py> WindowErrors<'py> {
    fn read(argument: Argument, value: &Bound<'py, PyAny>) -> PyResult<Self> {
        let array = argument.read::<f32, IxDyn>(value)?;
        let (window, grid) = match *array.shape() {
            [_, window] => (window, vec![]),
            [_, window, rows, columns] if rows == columns && rows > 0 => (window, vec![rows, columns]),
            _ => return Err(argument.wrong_shape::<f32>(value)),
        };
        Ok(Self { array, window, grid })
    }

    /// One window, with or without a leading axis of length one.
    fn read_one(value: &Bound<'py, PyAny>) -> PyResult<Self> {
        let array = ANCHORED.read::<f32, IxDyn>(value)?;
        let (window, grid) = match *array.shape() {
            [window] | [1, window] => (window, vec![]),
            [window, rows, columns] | [1, window, rows, columns] if rows == columns && rows > 0 => {
                (window, vec![rows, columns])
            }
            _ => return Err(ANCHORED.wrong_shape::<f32>(value)),
        };
        Ok(Self { array, window, grid })
    }

    fn cells(&self) -> usize {
        self.grid.iter().product()
    }
}

/// As many maps of this grid as `values` holds.
fn to_maps<'py>(py: Python<'py>, values: Vec<f32>, grid: &[usize]) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
    let count = values.len() / grid.iter().product::<usize>();
    PyArray1::from_vec(py, values).reshape([&[count], grid].concat())
}

/// Turn the errors of overlapping windows into maps of frames, as the windows arrive.
///
/// Window w holds frames w * stride to w * stride + window - 1. A frame's map is the mean, the largest or the median
/// of its errors in the windows that hold it, in float64. Memory does not grow with the video. A new video may begin
/// after `finish`.
///
/// Args:
///     window: frames a window, T.
///     stride: frames from one window's start to the next, 1 to T.
///     how: "mean", "max" or "median".
///
/// Raises:
///     ValueError: a setting is out of range.
#[pyclass(module = "pixelfast._core")]
pub struct OverlapAggregator {
    overlap: Overlap,
    /// Of the video under way.
    grid: Option<Vec<usize>>,
}

#[pymethods]
impl OverlapAggregator {
    #[new]
    #[pyo3(signature = (window, stride=1, how="mean"))]
    fn new(window: usize, stride: usize, how: &str) -> PyResult<Self> {
        let windows = Windows::new(window, stride).map_err(to_python)?;
        let overlap = Overlap::new(windows, how.parse().map_err(to_python)?);
        Ok(Self { overlap, grid: None })
    }

    /// Add the next windows of the video.
    ///
    /// Args:
    ///     window_errors: float32 [W, T, G, G], or [W, T] for plain frame errors; finite.
    ///
    /// Returns:
    ///     float32 [M, G, G] or [M]: the maps of frames that no later window can hold, in order.
    ///
    /// Raises:
    ///     TypeError: window_errors has another dtype.
    ///     ValueError: another shape, or a value that is not finite; nothing was added then.
    ///     KeyboardInterrupt: the video is dropped.
    fn push<'py>(
        &mut self,
        py: Python<'py>,
        window_errors: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let errors = WindowErrors::read(WINDOW_ERRORS, window_errors)?;
        self.require_like_before("window_errors", &errors)?;
        let (values, cells, overlap) = (errors.array.as_slice()?, errors.cells(), &mut self.overlap);
        let push = move |cancel: &Cancel| {
            let mut maps = Vec::new();
            overlap.push(values, cells, &mut maps, cancel).map(|()| maps)
        };
        let maps = if values.len() < FEW { enter_briefly(py, push) } else { enter_core(py, Some(1), push) }?;
        to_maps(py, maps, self.grid.insert(errors.grid))
    }

    /// End the video.
    ///
    /// Args:
    ///     anchored: float32 [T, G, G], [1, T, G, G], [T] or [1, T]: the errors of the window that ends with the last
    ///         frame, required exactly where (n_frames - T) is not a multiple of the stride.
    ///     n_frames: the video's length; None where the last window that was pushed ends with its last frame.
    ///
    /// Returns:
    ///     float32 [M, G, G] or [M]: the maps of the remaining frames.
    ///
    /// Raises:
    ///     TypeError: anchored has another dtype.
    ///     ValueError: the windows are not those of n_frames frames, anchored is missing or superfluous, or nothing
    ///         was pushed; the video is still open then.
    ///     KeyboardInterrupt: the video is dropped.
    #[pyo3(signature = (anchored=None, n_frames=None))]
    fn finish<'py>(
        &mut self,
        py: Python<'py>,
        anchored: Option<&Bound<'py, PyAny>>,
        n_frames: Option<usize>,
    ) -> PyResult<Bound<'py, PyArrayDyn<f32>>> {
        let anchored = anchored.map(WindowErrors::read_one).transpose()?;
        if let Some(anchored) = &anchored {
            self.require_like_before("anchored", anchored)?;
        }
        let window = anchored.as_ref().map(|window| window.array.as_slice()).transpose()?;
        let overlap = &mut self.overlap;
        let maps = enter_core(py, Some(1), move |cancel| {
            let mut maps = Vec::new();
            overlap.finish(window, n_frames, &mut maps, cancel).map(|()| maps)
        })?;
        to_maps(py, maps, &self.grid.take().unwrap_or_default())
    }
}

impl OverlapAggregator {
    fn require_like_before(&self, name: &str, errors: &WindowErrors<'_>) -> PyResult<()> {
        if errors.window != self.overlap.window() {
            let (expected, came) = (self.overlap.window(), errors.window);
            return Err(PyValueError::new_err(format!("{name} must have windows of {expected} frames, not {came}")));
        }
        match &self.grid {
            Some(grid) if self.overlap.is_open() && *grid != errors.grid => {
                let came = &errors.grid;
                Err(PyValueError::new_err(format!("{name} has maps of {came:?}, those before had {grid:?}")))
            }
            _ => Ok(()),
        }
    }
}

/// One number a frame from its map of errors.
///
/// Args:
///     maps: float32 [N, G, G], finite.
///     how: "mean" of all cells, or "worst": the mean of the three worst cells (of all where there are fewer).
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float32 [N]; sums in float64.
///
/// Raises:
///     TypeError: maps has another dtype.
///     ValueError: another shape, or a value that is not finite; the message has its index.
#[pyfunction]
#[pyo3(signature = (maps, how="mean", threads=None))]
pub fn pool<'py>(
    py: Python<'py>,
    maps: &Bound<'py, PyAny>,
    how: &str,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let argument = Argument::new("maps", "[N, G, G]");
    let array = argument.read::<f32, Ix3>(maps)?;
    let (count, rows, columns) = array.as_array().dim();
    if rows != columns || rows == 0 {
        return Err(argument.wrong_shape::<f32>(maps));
    }
    let how = how.parse().map_err(to_python)?;
    let maps = array.as_slice()?;
    fill(py, threads, count, |out, cancel| pooling::pool(maps, rows * columns, how, out, cancel))
}
