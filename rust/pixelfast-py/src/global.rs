//! The global pass: normalise, smooth, rank.

use numpy::{Element, Ix1, PyArray1};
use pixelfast_core::real::Real;
use pixelfast_core::{Cancel, Result, normalise as normalising, rank as ranking, smooth as smoothing};
use pyo3::prelude::*;

use crate::array::Argument;
use crate::enter::fill;

const FLOATS: &str = "float32 or float64";

/// Runs `work` from a float32 or float64 array to a new float64 array of its length.
macro_rules! map_floats {
    ($argument:expr, $value:expr, $threads:expr, $work:expr) => {
        if $argument.is::<f32>($value) {
            map::<f32>($argument, $value, $threads, $work)
        } else if $argument.is::<f64>($value) {
            map::<f64>($argument, $value, $threads, $work)
        } else {
            Err($argument.wrong_type(FLOATS, $value))
        }
    };
}

fn map<'py, S: Real + Element>(
    argument: Argument,
    value: &Bound<'py, PyAny>,
    threads: Option<usize>,
    work: impl FnOnce(&[S], &mut [f64], &Cancel) -> Result<()> + Send,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let values = argument.read::<S, Ix1>(value)?;
    let values = values.as_slice()?;
    fill(value.py(), threads, values.len(), |out, cancel| work(values, out, cancel))
}

/// Scale scores to [0, 1] by their minimum and a high percentile.
///
/// `(raw - min) / (p - min + 1e-8)`, clipped. The percentile is NumPy's ("linear") in float64; None takes the maximum.
///
/// Args:
///     raw: float32 or float64 [N], finite.
///     percentile: 0 to 100, or None.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float64 [N].
///
/// Raises:
///     ValueError: a value is not finite (the message has its index), or the percentile is out of range.
#[pyfunction]
#[pyo3(signature = (raw, percentile=Some(99.99), threads=None), text_signature = "(raw, percentile=99.99, threads=None)")]
pub fn normalise<'py>(
    raw: &Bound<'py, PyAny>,
    percentile: Option<f64>,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let argument = Argument::new("raw", "[N]");
    map_floats!(argument, raw, threads, move |raw, out, cancel| normalising::normalise(raw, percentile, out, cancel))
}

/// Centred mean of `size` frames along each video, reflecting at its ends.
///
/// The same as `scipy.ndimage.uniform_filter1d(mode="reflect")` for each video; sums in float64.
///
/// Args:
///     values: float32 or float64 [N], finite: all videos, one after the other.
///     lengths: int64 [V], frames of each video; they add up to N.
///     size: odd; 1 changes nothing.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float64 [N].
///
/// Raises:
///     ValueError: a value is not finite (the message has its index), size is even or beyond a million, or lengths do not add up to N.
#[pyfunction]
#[pyo3(signature = (values, lengths, size, threads=None))]
pub fn smooth<'py>(
    values: &Bound<'py, PyAny>,
    lengths: &Bound<'py, PyAny>,
    size: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let argument = Argument::new("values", "[N]");
    let lengths = Argument::new("lengths", "[V]").read::<i64, Ix1>(lengths)?;
    let lengths = lengths.as_slice()?;
    map_floats!(argument, values, threads, move |values, out, cancel| smoothing::smooth(
        values, lengths, size, out, cancel
    ))
}

/// Average ranks over N, in (0, 1]: `scipy.stats.rankdata(values) / N`.
///
/// Equal values share the average of their ranks; -0.0 equals 0.0.
///
/// Args:
///     values: float32 or float64 [N], finite.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float64 [N].
///
/// Raises:
///     ValueError: a value is not finite; the message has its index.
#[pyfunction]
#[pyo3(signature = (values, threads=None))]
pub fn rank<'py>(values: &Bound<'py, PyAny>, threads: Option<usize>) -> PyResult<Bound<'py, PyArray1<f64>>> {
    map_floats!(Argument::new("values", "[N]"), values, threads, ranking::rank)
}
