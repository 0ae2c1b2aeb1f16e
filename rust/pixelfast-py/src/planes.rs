//! Binding of what makes frames of a video decoder's planes.

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pixelfast_core::Cancel;
use pixelfast_core::decode::{self, Planes, Samples, Target};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::decode::{Frames, frames_for, parse_color, shape, side, writable};
use crate::enter::{enter_briefly, enter_core};

/// Resizes a video decoder's planes to grey or RGB frames, in parallel, by an antialiased bilinear kernel.
///
/// Args:
///     planes: N arrays, uint8 [bytes] each, rows `line` bytes apart.
///     line: Bytes from one row to the next.
///     size: Height and width of the planes as they lie.
///     height: Rows of a frame.
///     width: Columns of a frame.
///     color: "grey", or "rgb" of RGB planes.
///     bits: Of a sample of luma: 8, or 9 to 16 in two bytes, the lower first; 24 for RGB pixels of three bytes.
///     limited: Whether luma runs from 16 to 235 (of 8 bits) and is expanded.
///     orientation: How the planes are turned, from 1 to 8 as EXIF numbers it.
///     threads: How many threads work; None means the cores that this process may use.
///
/// Returns:
///     uint8 [N, height, width] or [N, height, width, 3].
///
/// Raises:
///     TypeError: A plane is no uint8 array of one dimension.
///     ValueError: Sizes do not fit, or there is no such color, number of bits or orientation.
#[pyfunction]
#[pyo3(signature = (planes, line, size, height, width, color="grey", *, bits=8, limited=false, orientation=1, threads=None))]
#[expect(clippy::too_many_arguments, reason = "as many as its Python signature has")]
pub fn resize_planes<'py>(
    py: Python<'py>,
    planes: Vec<Bound<'py, PyArray1<u8>>>,
    line: usize,
    size: (usize, usize),
    height: i64,
    width: i64,
    color: &str,
    bits: u32,
    limited: bool,
    orientation: u8,
    threads: Option<usize>,
) -> PyResult<Frames<'py>> {
    let target = Target { height: side("height", height)?, width: side("width", width)?, color: parse_color(color)? };
    let samples = match bits {
        8 => Samples::Byte,
        24 => Samples::Rgb,
        bits => Samples::Word(bits),
    };
    let arrays =
        planes.iter().map(PyArrayMethods::try_readonly).collect::<Result<Vec<PyReadonlyArray1<'_, u8>>, _>>()?;
    let refused = |_| PyValueError::new_err("planes must be C-contiguous");
    let pixels = arrays.iter().map(|plane| plane.as_slice().map_err(refused)).collect::<PyResult<Vec<_>>>()?;
    let planes = Planes { pixels: &pixels, line, height: size.0, width: size.1, samples, limited, orientation };
    let frames = frames_for(py, None, &shape(pixels.len(), target.height, target.width, target.color))?;
    let mut out = writable(&frames)?;
    let out = out.as_slice_mut()?;
    let alone = threads == Some(1);
    let work = |cancel: &Cancel| decode::resize_planes(&planes, target, out, alone, cancel);
    // One thread is the caller's own: it would wait for another to wake up, longer than small planes take.
    if alone { enter_briefly(py, work) } else { enter_core(py, threads, work) }?;
    Ok(frames)
}
