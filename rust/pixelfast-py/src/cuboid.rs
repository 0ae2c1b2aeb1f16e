//! Cuboids, their errors, and the noise of frames.

use numpy::{Ix1, Ix3, Ix4, PyArray1, PyArray4, PyUntypedArrayMethods};
use pixelfast_core::cuboid::{self, Augment, Frames};
use pixelfast_core::noise;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::array::Argument;
use crate::enter::{enter_core, fill, to_python};

const FRAMES: Argument = Argument::new("frames", "[N, H, W]");
const OUT: Argument = Argument::new("out", "[B, T, H, W]");
const CLEAN: Argument = Argument::new("clean", "[B, T, H, W]");
const SAMPLES: Argument = Argument::new("samples", "[B]");
const SAMPLES_REQUIRED: &str = "samples is required with a noise or flip probability: int64 [B], a number a cuboid";
const CUBOIDS: Argument = Argument::new("cuboids", "[B, T, H, W]");
const RECONSTRUCTION: Argument = Argument::new("reconstruction", "[B, T, H, W]");

/// Write windows of frames as floats: `out[b] = frames[starts[b] : starts[b] + T] / 255`.
///
/// With a noise or flip probability above zero, the training augmentation: each frame on its own, with
/// noise_probability, gets uniform noise in +-noise_amplitude and is clipped to [0, 1]; then each frame, or the whole
/// cuboid, is turned upside down with flip_probability. It depends on nothing but the seed, `samples[b]`, the frame's
/// place in the cuboid and the pixel (Philox4x32-10), so a seed gives the same batch for any number of threads, any
/// order of the batch and any way to split it.
///
/// Args:
///     frames: uint8 [N, H, W].
///     starts: int64 [B], first frames, 0 to N - T.
///     out: float32 [B, T, H, W], written; T is taken from it.
///     clean: float32 [B, T, H, W] or None, written: the same cuboids turned, but without noise.
///     samples: int64 [B], a number for each cuboid that no other has; required with augmentation.
///     seed: 0 to 2**64 - 1.
///     noise_probability: share of frames that get noise.
///     noise_amplitude: in units of the full range.
///     flip_probability: share of frames or cuboids that are turned.
///     flip: what is turned together, "frame" or "cuboid".
///     threads: None for the cores that this process may use.
///
/// Raises:
///     TypeError: an array has another dtype.
///     ValueError: shapes do not fit together, a start is outside the frames, or a setting is out of range.
#[pyfunction]
#[pyo3(signature = (frames, starts, out, *, clean=None, samples=None, seed=0, noise_probability=0.0,
    noise_amplitude=0.15, flip_probability=0.0, flip="frame", threads=None))]
#[expect(clippy::too_many_arguments, reason = "keywords of the Python function")]
pub fn assemble_cuboids<'py>(
    py: Python<'py>,
    frames: &Bound<'py, PyAny>,
    starts: &Bound<'py, PyAny>,
    out: &Bound<'py, PyAny>,
    clean: Option<&Bound<'py, PyAny>>,
    samples: Option<&Bound<'py, PyAny>>,
    seed: u64,
    noise_probability: f64,
    noise_amplitude: f32,
    flip_probability: f64,
    flip: &str,
    threads: Option<usize>,
) -> PyResult<()> {
    let frames = FRAMES.read::<u8, Ix3>(frames)?;
    let starts = Argument::new("starts", "[B]").read::<i64, Ix1>(starts)?;
    let mut out = OUT.write::<f32, Ix4>(out)?;
    let mut clean = clean.map(|clean| CLEAN.write::<f32, Ix4>(clean)).transpose()?;
    let (_, height, width) = frames.as_array().dim();
    let window = out.shape()[1];
    let shape = [starts.len(), window, height, width];
    OUT.require_shape(&out, &shape)?;
    clean.as_ref().map_or(Ok(()), |clean| CLEAN.require_shape(clean, &shape))?;
    let augmented = noise_probability != 0.0 || flip_probability != 0.0;
    let samples = samples.filter(|_| augmented).map(|samples| SAMPLES.read::<i64, Ix1>(samples)).transpose()?;
    let augment = match &samples {
        Some(samples) => {
            let (samples, flip) = (samples.as_slice()?, flip.parse().map_err(to_python)?);
            Some(Augment { samples, seed, noise_probability, noise_amplitude, flip_probability, flip })
        }
        None if augmented => return Err(PyValueError::new_err(SAMPLES_REQUIRED)),
        None => None,
    };
    let frames = Frames { levels: frames.as_slice()?, height, width };
    let (starts, out) = (starts.as_slice()?, out.as_slice_mut()?);
    let clean = clean.as_mut().map(|clean| clean.as_slice_mut()).transpose()?;
    enter_core(py, threads, move |cancel| cuboid::assemble_cuboids(frames, starts, window, augment, out, clean, cancel))
}

/// Mean squared errors of reconstructed cuboids, cell by cell.
///
/// Values that are not finite come out as such.
///
/// Args:
///     cuboids: float32 [B, T, H, W].
///     reconstruction: float32 [B, T, H, W].
///     grid: cells a side, G; divides H and W.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float32 [B, T, G, G]; sums in float64.
///
/// Raises:
///     TypeError: an array has another dtype.
///     ValueError: the shapes differ, or the grid does not divide the frame.
#[pyfunction]
#[pyo3(signature = (cuboids, reconstruction, grid=8, threads=None))]
pub fn cuboid_errors<'py>(
    py: Python<'py>,
    cuboids: &Bound<'py, PyAny>,
    reconstruction: &Bound<'py, PyAny>,
    grid: usize,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray4<f32>>> {
    let cuboids = CUBOIDS.read::<f32, Ix4>(cuboids)?;
    let reconstruction = RECONSTRUCTION.read::<f32, Ix4>(reconstruction)?;
    RECONSTRUCTION.require_shape(&reconstruction, cuboids.shape())?;
    let (batch, window, height, width) = cuboids.as_array().dim();
    // A grid beyond the frame is refused by the core: no memory for it.
    let cells = if grid > height.max(width) { 0 } else { grid };
    let (cuboids, reconstruction) = (cuboids.as_slice()?, reconstruction.as_slice()?);
    fill(py, threads, [batch, window, cells, cells], |out, cancel| {
        cuboid::cuboid_errors(cuboids, reconstruction, (height, width), grid, out, cancel)
    })
}

/// Estimate the noise of each frame, as a standard deviation in grey levels.
///
/// J. Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64(2), 1996.
///
/// Args:
///     frames: uint8 [N, H, W], at least 3x3 pixels.
///     threads: None for the cores that this process may use.
///
/// Returns:
///     float32 [N].
///
/// Raises:
///     TypeError: frames has another dtype.
///     ValueError: frames has another shape or is too small.
#[pyfunction]
#[pyo3(signature = (frames, threads=None))]
pub fn noise_sigma<'py>(
    py: Python<'py>,
    frames: &Bound<'py, PyAny>,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let frames = FRAMES.read::<u8, Ix3>(frames)?;
    let (count, height, width) = frames.as_array().dim();
    let frames = frames.as_slice()?;
    fill(py, threads, count, |out, cancel| noise::noise_sigma(frames, height, width, out, cancel))
}
