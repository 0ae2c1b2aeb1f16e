//! The density method's measures of blocks and its searches.

use numpy::{Ix2, Ix3, Ix4, PyArray1, PyArray2, PyArray3, PyArray4, PyUntypedArrayMethods};
use pixelfast_core::density::places::{self, Places};
use pixelfast_core::density::{check_grid, exemplars, look, motion};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::array::Argument;
use crate::enter::{enter_core, fill, to_python};

const POINTS: Argument = Argument::new("points", "[M, D]");
const QUERIES: Argument = Argument::new("queries", "[N, D]");
const EXEMPLARS: Argument = Argument::new("exemplars", "[P, E, D]");
/// No method needs more of one place.
const MOST_OF_A_PLACE: usize = 1 << 16;

/// How the blocks of a picture move: flow along eight directions, its magnitude, the share of pixels that move.
///
/// The flow is halved in size by area, its values kept; then, of each pixel's flow (u, v) of length |f|,
/// max(0, u cos a + v sin a)^2 / |f| for a = 0, 45, .., 315 degrees (0 where |f| is 0), |f|, and whether |f| is above
/// 0.25, each averaged over each block by area, as OpenCV's INTER_AREA does.
///
/// Args:
///     flow: float32 [N, H, W, 2], x and y in pixels a frame, finite; H and W at least 2.
///     rows: blocks down, 1 to 1024.
///     columns: blocks across, 1 to 1024.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float32 [N, rows, columns, 10]: eight directions and the magnitude in pixels a frame, then the share, 0 to 1.
///
/// Raises:
///     TypeError: flow has another dtype.
///     ValueError: flow has another shape, is too small or not finite, or rows or columns are out of range.
///
/// Examples:
///     >>> import numpy as np
///     >>> from pixelfast import _core
///     >>> right = np.full((1, 8, 8, 2), (3, 0), np.float32)
///     >>> _core.motion_blocks(right, 1, 1)[0, 0, 0, [0, 2, 4, 8, 9]].tolist()
///     [3.0, 0.0, 0.0, 3.0, 1.0]
#[pyfunction]
#[pyo3(signature = (flow, rows, columns, threads=None))]
pub fn motion_blocks<'py>(
    py: Python<'py>,
    flow: &Bound<'py, PyAny>,
    rows: usize,
    columns: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    let argument = Argument::new("flow", "[N, H, W, 2]");
    let array = argument.read::<f32, Ix4>(flow)?;
    let (count, height, width, 2) = array.as_array().dim() else {
        return Err(argument.wrong_shape::<f32>(flow));
    };
    check_grid((rows, columns)).map_err(to_python)?;
    let flow = array.as_slice()?;
    fill(py, threads, [count, rows, columns, motion::CHANNELS], |out, cancel| {
        motion::motion_blocks(flow, (height, width), (rows, columns), out, cancel)
    })
}

/// What the blocks of a picture look like: the mean magnitude of its gradient in eight orientations.
///
/// Gaussian blur of sigma 1 (nine pixels, mirrored at the border), central differences with repeated edges; each
/// pixel's magnitude is shared linearly between the two nearest of eight orientations without a sign (0, 22.5, ..,
/// 157.5 degrees) and averaged over each block by area, as OpenCV's INTER_AREA does.
///
/// Args:
///     frames: uint8 [N, H, W], grey levels; H and W at least 2.
///     rows: blocks down, 1 to 1024.
///     columns: blocks across, 1 to 1024.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float32 [N, rows, columns, 8], grey levels a pixel.
///
/// Raises:
///     TypeError: frames has another dtype.
///     ValueError: frames has another shape or is too small, or rows or columns are out of range.
///
/// Examples:
///     >>> import numpy as np
///     >>> from pixelfast import _core
///     >>> ramp = np.tile(np.arange(0, 120, 2, dtype=np.uint8), (1, 40, 1))
///     >>> _core.look_blocks(ramp, 3, 3)[0, 1, 1].round(3).tolist()
///     [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
#[pyfunction]
#[pyo3(signature = (frames, rows, columns, threads=None))]
pub fn look_blocks<'py>(
    py: Python<'py>,
    frames: &Bound<'py, PyAny>,
    rows: usize,
    columns: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    let array = Argument::new("frames", "[N, H, W]").read::<u8, Ix3>(frames)?;
    let (count, height, width) = array.as_array().dim();
    check_grid((rows, columns)).map_err(to_python)?;
    let frames = array.as_slice()?;
    fill(py, threads, [count, rows, columns, look::CHANNELS], |out, cancel| {
        look::look_blocks(frames, (height, width), (rows, columns), out, cancel)
    })
}

/// Known points, ready for the nearest to be found.
///
/// Args:
///     points: float32 [M, D], finite; M and D at least 1.
///
/// Raises:
///     TypeError: points has another dtype.
///     ValueError: points has another shape, is empty or not finite.
///
/// Examples:
///     >>> import numpy as np
///     >>> from pixelfast import _core
///     >>> corners = _core.Exemplars(np.array([[0, 0], [3, 4]], np.float32))
///     >>> corners.nearest(np.array([[3, 3], [0, 2]], np.float32)).tolist()
///     [1.0, 2.0]
#[pyclass(module = "pixelfast._core", frozen)]
pub struct Exemplars(exemplars::Exemplars);

#[pymethods]
impl Exemplars {
    #[new]
    fn new(py: Python<'_>, points: &Bound<'_, PyAny>) -> PyResult<Self> {
        let array = POINTS.read::<f32, Ix2>(points)?;
        if array.is_empty() {
            return Err(POINTS.wrong_shape::<f32>(points));
        }
        let (points, dims) = (array.as_slice()?, array.shape()[1]);
        enter_core(py, Some(1), |_| exemplars::Exemplars::new(points, dims)).map(Self)
    }

    /// Find each query's Euclidean distance to the nearest point, exactly but for float32's rounding.
    ///
    /// Queries that follow each other and lie together are found faster; the result does not depend on their order.
    ///
    /// Args:
    ///     queries: float32 [N, D], finite.
    ///     threads: None for the cores that this process may use.
    ///
    /// Returns:
    ///     float32 [N].
    ///
    /// Raises:
    ///     TypeError: queries has another dtype.
    ///     ValueError: queries has another shape or is not finite; the message has the index.
    #[pyo3(signature = (queries, threads=None))]
    fn nearest<'py>(
        &self,
        py: Python<'py>,
        queries: &Bound<'py, PyAny>,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let array = QUERIES.read::<f32, Ix2>(queries)?;
        QUERIES.require_shape(&array, &[array.shape()[0], self.0.dims()])?;
        let queries = array.as_slice()?;
        fill(py, threads, array.shape()[0], |out, cancel| self.0.nearest(queries, out, cancel))
    }

    fn __len__(&self) -> usize {
        self.0.count()
    }
}

/// How far each frame's look at each place is from the nearest of the place's own exemplars.
///
/// Args:
///     looks: float32 [N, P, D], finite: of each frame, a point a place.
///     exemplars: float32 [P, E, D], finite; P, E and D at least 1.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float32 [N, P], Euclidean distances.
///
/// Raises:
///     TypeError: an array has another dtype.
///     ValueError: shapes do not fit together, exemplars are empty, or a value is not finite.
///
/// Examples:
///     >>> import numpy as np
///     >>> from pixelfast import _core
///     >>> known = np.array([[[0, 0], [9, 9]], [[5, 5], [5, 5]]], np.float32)
///     >>> _core.place_distances(np.full((1, 2, 2), 9, np.float32), known).round(2).tolist()
///     [[0.0, 5.66]]
#[pyfunction]
#[pyo3(signature = (looks, exemplars, threads=None))]
pub fn place_distances<'py>(
    py: Python<'py>,
    looks: &Bound<'py, PyAny>,
    exemplars: &Bound<'py, PyAny>,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let looks = Argument::new("looks", "[N, P, D]").read::<f32, Ix3>(looks)?;
    let exemplars = EXEMPLARS.read::<f32, Ix3>(exemplars)?;
    let (frames, count, dims) = looks.as_array().dim();
    EXEMPLARS.require_shape(&exemplars, &[count, exemplars.shape()[1], dims])?;
    let (looks, exemplars) = (looks.as_slice()?, exemplars.as_slice()?);
    fill(py, threads, [frames, count], |out, cancel| {
        places::place_distances(looks, exemplars, Places { count, dims }, out, cancel)
    })
}

/// Choose points that span all of their place: the first, then always the one farthest from all before.
///
/// Of points that are equally far the first is taken. Where a place has fewer than `count` points, the last one that
/// was taken is repeated.
///
/// Args:
///     points: float32 [N, P, D], finite: N points at each of P places; N, P and D at least 1.
///     count: points to choose at each place, 1 to 65536.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float32 [P, count, D], in the order in which they were chosen.
///
/// Raises:
///     TypeError: points has another dtype.
///     ValueError: points has another shape, is empty or not finite, or count is out of range.
///
/// Examples:
///     >>> import numpy as np
///     >>> from pixelfast import _core
///     >>> line = np.array([1, 2, 9, 4], np.float32).reshape(4, 1, 1)
///     >>> _core.farthest_first(line, 3).ravel().tolist()
///     [1.0, 9.0, 4.0]
#[pyfunction]
#[pyo3(signature = (points, count, threads=None))]
pub fn farthest_first<'py>(
    py: Python<'py>,
    points: &Bound<'py, PyAny>,
    count: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    let array = Argument::new("points", "[N, P, D]").read::<f32, Ix3>(points)?;
    if !(1..=MOST_OF_A_PLACE).contains(&count) {
        return Err(PyValueError::new_err(format!("count must be 1 to {MOST_OF_A_PLACE}, not {count}")));
    }
    let (_, places, dims) = array.as_array().dim();
    let points = array.as_slice()?;
    fill(py, threads, [places, count, dims], |out, cancel| {
        places::farthest_first(points, Places { count: places, dims }, out, cancel)
    })
}
