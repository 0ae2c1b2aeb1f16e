//! Bindings of decoding, resizing, turning and fingerprinting.

use std::path::PathBuf;

use numpy::{
    PyArray1, PyArray3, PyArrayDyn, PyArrayMethods, PyReadonlyArray3, PyReadwriteArrayDyn, PyUntypedArrayMethods,
};
use pixelfast_core::decode::{self, Color, Reading, TURNED, Target};
use pixelfast_core::fingerprint;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList};

use crate::array::describe;
use crate::enter::{enter_briefly, enter_core};

/// The core's status of a file that was read whole though it has a fault.
const HARMLESS: u8 = 3;

/// The largest sample, bits of the file, bits that are said to be used, whether floating-point.
type SampleRange = (f64, u32, u32, bool);

pub(crate) type Frames<'py> = Bound<'py, PyArrayDyn<u8>>;

/// Decodes image files to frames of one size, in parallel.
///
/// Grey is BT.601 luma at full range (a JPEG's Y plane, decoded alone); a larger picture is scaled while it is decoded,
/// then resampled by an antialiased bilinear kernel. The result differs from Pillow's
/// `convert("L").resize(..., BILINEAR)` by at most 0.5 grey levels in the mean. JPEG, PNG, BMP, TIFF and WebP are told
/// by their first bytes, not by their names.
///
/// Args:
///     paths: The files, N of them.
///     height: Rows of a frame; None (then width too) keeps the files' size, which must be the same for all.
///     width: Columns of a frame.
///     color: "grey" or "rgb".
///     threads: How many threads decode; None means the cores that this process may use.
///     out: C-contiguous uint8 array to decode into: [N, H, W], or [N, H, W, 3] for "rgb".
///     harmless: A list that gets the positions of JPEG files that were read whole though they have a fault: their end
///         is missing, or stray bytes stand before a marker.
///     orientation: Whether pictures are turned as their EXIF or TIFF orientation says.
///     depth: The bits that samples of more than 8 bits use, 8 to 16 or, of floating-point ones, 1: 2**depth - 1 is
///         white. None takes all that a file has, and floating-point samples from 0 to 1.
///     turned: A list that gets the positions of files that were turned.
///     digests: A list that gets 32 bytes a file, over its name, size and bytes as they were decoded: the SHA-256 of all
///         of them, joined, is what `fingerprint_files` returns.
///
/// Returns:
///     frames: uint8 [N, H, W] or [N, H, W, 3]; `out` where it was given.
///     status: uint8 [N]: 0 read; 1 truncated or damaged, what could be decoded is there; 2 unreadable, all zero
///         (`explain_frame` says why).
///
/// Raises:
///     ValueError: height without width, a size below 1 or above 65535, files of several sizes where none was given, a
///         depth that there is not, or an `out` of another shape or layout.
///     TypeError: `out` is not a uint8 array.
#[pyfunction]
#[pyo3(signature = (paths, height=None, width=None, color="grey", threads=None, out=None, harmless=None, orientation=true, depth=None, turned=None, digests=None))]
#[expect(clippy::too_many_arguments, reason = "as many as its Python signature has")]
pub fn decode_frames<'py>(
    py: Python<'py>,
    paths: Vec<PathBuf>,
    height: Option<i64>,
    width: Option<i64>,
    color: &str,
    threads: Option<usize>,
    out: Option<Bound<'py, PyAny>>,
    harmless: Option<Bound<'py, PyList>>,
    orientation: bool,
    depth: Option<u32>,
    turned: Option<Bound<'py, PyList>>,
    digests: Option<Bound<'py, PyList>>,
) -> PyResult<(Frames<'py>, Bound<'py, PyArray1<u8>>)> {
    let color = parse_color(color)?;
    if !matches!(depth, None | Some(1 | 8..=16)) {
        return Err(PyValueError::new_err(format!("depth must be 1 or 8 to 16 bits, not {}", depth.unwrap_or(0))));
    }
    let reading = Reading { orientation, depth };
    let (height, width) = frame_size_for(py, &paths, height, width, reading, threads)?;
    let frames = frames_for(py, out, &shape(paths.len(), height, width, color))?;
    let mut pixels = writable(&frames)?;
    let pixels = pixels.as_slice_mut()?;
    let mut status = vec![0; paths.len()];
    let target = Target { height, width, color };
    let hash = digests.is_some();
    let hashed = enter_core(py, threads, |cancel| {
        decode::decode_frames(&paths, target, reading, pixels, &mut status, hash, cancel)
    })?;
    digests.iter().try_for_each(|list| hashed.iter().try_for_each(|one| list.append(PyBytes::new(py, one))))?;
    for (index, status) in status.iter_mut().enumerate() {
        if *status & TURNED > 0 {
            *status -= TURNED;
            turned.iter().try_for_each(|found| found.append(index))?;
        }
        if *status == HARMLESS {
            *status = 0;
            harmless.iter().try_for_each(|found| found.append(index))?;
        }
    }
    Ok((frames, PyArray1::from_vec(py, status)))
}

pub(crate) fn parse_color(color: &str) -> PyResult<Color> {
    match color {
        "grey" => Ok(Color::Grey),
        "rgb" => Ok(Color::Rgb),
        other => Err(PyValueError::new_err(format!("color must be \"grey\" or \"rgb\", not {other:?}"))),
    }
}

pub(crate) fn shape(count: usize, height: usize, width: usize, color: Color) -> Vec<usize> {
    match color {
        Color::Grey => vec![count, height, width],
        Color::Rgb => vec![count, height, width, 3],
    }
}

fn frame_size_for(
    py: Python<'_>,
    paths: &[PathBuf],
    height: Option<i64>,
    width: Option<i64>,
    reading: Reading,
    threads: Option<usize>,
) -> PyResult<(usize, usize)> {
    match (height, width) {
        (Some(height), Some(width)) => Ok((side("height", height)?, side("width", width)?)),
        (None, None) => enter_core(py, threads, |cancel| decode::common_size(paths, reading, cancel)),
        _ => Err(PyValueError::new_err("give both height and width, or neither to keep the files' size")),
    }
}

pub(crate) fn side(name: &str, pixels: i64) -> PyResult<usize> {
    match usize::try_from(pixels) {
        Ok(side @ 1..=65_535) => Ok(side),
        _ => Err(PyValueError::new_err(format!("{name} must be from 1 to 65535 pixels, not {pixels}"))),
    }
}

/// The caller's array if it fits, else a new one.
pub(crate) fn frames_for<'py>(
    py: Python<'py>,
    out: Option<Bound<'py, PyAny>>,
    shape: &[usize],
) -> PyResult<Frames<'py>> {
    let Some(out) = out else {
        // NumPy's own function raises MemoryError where the crate's would panic.
        return Ok(py.import("numpy")?.call_method1("zeros", (shape.to_vec(), "uint8"))?.cast_into()?);
    };
    let refusal = |what: String| format!("out must be uint8 {shape:?}, C-contiguous and writable, not {what}");
    let frames: Frames<'py> =
        out.cast_into().map_err(|error| PyTypeError::new_err(refusal(describe(&error.into_inner()))))?;
    if frames.shape() != shape || !frames.is_c_contiguous() {
        return Err(PyValueError::new_err(refusal(describe(frames.as_any()))));
    }
    Ok(frames)
}

pub(crate) fn writable<'py>(frames: &Frames<'py>) -> PyResult<PyReadwriteArrayDyn<'py, u8>> {
    frames.try_readwrite().map_err(|error| PyValueError::new_err(format!("out cannot be written to: {error}")))
}

/// Says why a file does not decode fully.
///
/// Args:
///     path: The file.
///
/// Returns:
///     None if it decodes fully, else the end of a sentence that starts with its name, such as "is empty (0 bytes)".
#[pyfunction]
pub fn explain_frame(py: Python<'_>, path: PathBuf) -> PyResult<Option<String>> {
    enter_core(py, Some(1), |_| Ok(decode::explain_frame(&path)))
}

/// The size of an image from its header.
///
/// Args:
///     path: The file.
///     orientation: Whether the picture is turned as its EXIF or TIFF orientation says.
///
/// Returns:
///     Height and width in pixels, as it is seen.
///
/// Raises:
///     ValueError: The file has no header that can be read, or names more than 128 million pixels.
#[pyfunction]
#[pyo3(signature = (path, orientation=true))]
pub fn frame_size(py: Python<'_>, path: PathBuf, orientation: bool) -> PyResult<(usize, usize)> {
    let reading = Reading { orientation, depth: None };
    enter_core(py, Some(1), |_| decode::frame_size(&path, reading))
}

/// What the largest samples are of files of more than 8 bits a sample; of others nothing but the header is read.
///
/// Args:
///     paths: The files, N of them.
///     threads: How many threads read; None means the cores that this process may use.
///
/// Returns:
///     N times: the largest sample (alpha left out), the bits of the file for one, the bits that it says they use (sBIT,
///     MaxSampleValue, packed samples; 0 where it says nothing), and whether they are floating-point. None for a file
///     of at most 8 bits, and for one that cannot be read.
#[pyfunction]
#[pyo3(signature = (paths, threads=None))]
pub fn sample_ranges(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    threads: Option<usize>,
) -> PyResult<Vec<Option<SampleRange>>> {
    let ranges = enter_core(py, threads, |cancel| decode::sample_ranges(&paths, cancel))?;
    Ok(ranges.into_iter().map(|range| range.map(|one| (one.largest, one.bits, one.declared, one.float))).collect())
}

/// Resizes grey frames by the kernel that `decode_frames` uses: bilinear, antialiased when it shrinks.
///
/// Args:
///     frames: uint8 [N, H, W], C-contiguous.
///     height: New rows.
///     width: New columns.
///     threads: How many threads work; None means the cores that this process may use.
///
/// Returns:
///     uint8 [N, height, width].
///
/// Raises:
///     TypeError: `frames` is not a uint8 array of three dimensions.
///     ValueError: `frames` is not C-contiguous or has an empty frame, or a size is below 1 or above 65535.
#[pyfunction]
#[pyo3(signature = (frames, height, width, threads=None))]
pub fn resize_frames<'py>(
    py: Python<'py>,
    frames: Bound<'py, PyAny>,
    height: i64,
    width: i64,
    threads: Option<usize>,
) -> PyResult<Frames<'py>> {
    let (height, width) = (side("height", height)?, side("width", width)?);
    let refusal = format!("frames must be uint8 [N, H, W], C-contiguous, not {}", describe(&frames));
    let source: PyReadonlyArray3<'py, u8> =
        frames.cast_into::<PyArray3<u8>>().map_err(|_| PyTypeError::new_err(refusal.clone()))?.try_readonly()?;
    let pixels = source.as_slice().map_err(|_| PyValueError::new_err(refusal))?;
    let (count, from_height, from_width) = source.as_array().dim();
    let target = Target { height, width, color: Color::Grey };
    let resized = frames_for(py, None, &[count, height, width])?;
    let mut out = writable(&resized)?;
    let out = out.as_slice_mut()?;
    enter_core(py, threads, |cancel| decode::resize_frames(pixels, from_height, from_width, target, out, cancel))?;
    Ok(resized)
}

/// Turns a JPEG upside down as it is seen, without loss where the sides that are mirrored are multiples of its block's.
///
/// Args:
///     data: The bytes of a JPEG file.
///     quality: From 1 to 100, used only where the picture has to be coded again.
///     orientation: Whether it is seen as its EXIF orientation says, or as it lies.
///
/// Returns:
///     The bytes of the turned JPEG, and whether nothing was lost. It lies as it is seen, so that its EXIF orientation,
///     if it has one, is 1. All other markers (EXIF, ICC profile, comments) are kept; a picture that was coded again
///     keeps its color space and subsampling.
///
/// Raises:
///     ValueError: `data` is no JPEG that decodes whole, or `quality` is out of range.
#[pyfunction]
#[pyo3(signature = (data, quality=95, orientation=true))]
pub fn flip_jpeg<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
    quality: i32,
    orientation: bool,
) -> PyResult<(Bound<'py, PyBytes>, bool)> {
    let bytes = data.as_bytes();
    let (flipped, lossless) = enter_briefly(py, |_| decode::flip_jpeg(bytes, quality, orientation))?;
    Ok((PyBytes::new(py, &flipped), lossless))
}

/// Reads the EXIF or TIFF orientation of an image file and takes it out.
///
/// Args:
///     data: The bytes of an image file.
///
/// Returns:
///     The orientation, from 1 to 8; 1 where there is none or it makes no sense. And the bytes with 1 in its place; those
///     of a PNG or WebP, whose readers do not turn pixels by themselves, as they were.
#[pyfunction]
pub fn laid_upright<'py>(py: Python<'py>, data: &Bound<'py, PyBytes>) -> (u8, Bound<'py, PyBytes>) {
    let (orientation, upright) = decode::laid_upright(data.as_bytes().to_vec());
    (orientation, PyBytes::new(py, &upright))
}

/// Hashes what tells a list of files from another: for each in order its base name, size and bytes.
///
/// Args:
///     paths: The files; one that cannot be read counts as missing.
///     threads: How many threads read; None means the cores that this process may use.
///
/// Returns:
///     32 bytes, the same for a copy of the files in another folder and for any number of threads.
#[pyfunction]
#[pyo3(signature = (paths, threads=None))]
pub fn fingerprint_files<'py>(
    py: Python<'py>,
    paths: Vec<PathBuf>,
    threads: Option<usize>,
) -> PyResult<Bound<'py, PyBytes>> {
    let hash = enter_core(py, threads, |cancel| fingerprint::fingerprint_files(&paths, cancel))?;
    Ok(PyBytes::new(py, &hash))
}

/// How this extension was built.
///
/// Returns:
///     "simd": "yes" if libjpeg-turbo's SIMD code is in it, else "no"; "libjpeg_turbo": its version; "profile":
///     "release" or "debug"; "nasm": the assembler that was used, or "".
#[pyfunction]
pub fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    pixelfast_core::build_info().into_py_dict(py)
}
