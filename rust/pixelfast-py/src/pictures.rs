//! Bindings of files that hold several pictures.

use std::collections::HashMap;
use std::path::PathBuf;

use numpy::PyArray1;
use pixelfast_core::decode::{self, Pictures, Reading, Target};
use pyo3::prelude::*;

use crate::decode::{Frames, frames_for, parse_color, shape, side, writable};
use crate::enter::{enter_core, to_python};

/// Counts the pictures of files by their structure alone: pages of a TIFF, pictures of an animated PNG, GIF or WebP.
///
/// Args:
///     paths: The files, N of them.
///     threads: How many threads read; None means the cores that this process may use.
///
/// Returns:
///     N counts: 0 for a file that cannot be read, 1 for one of any other kind. Thumbnails and masks in a TIFF do not
///     count; a picture that is announced and missing does.
#[pyfunction]
#[pyo3(signature = (paths, threads=None))]
pub fn count_pictures(py: Python<'_>, paths: Vec<PathBuf>, threads: Option<usize>) -> PyResult<Vec<usize>> {
    enter_core(py, threads, |cancel| decode::count_pictures(&paths, cancel))
}

/// Reads the pictures of a TIFF stack or of an animated PNG, GIF or WebP, forward only.
///
/// Args:
///     path: The file.
///
/// Raises:
///     ValueError: The file cannot be read, or is of a kind that holds one picture only.
#[pyclass(module = "pixelfast._core")]
pub struct PictureReader(Pictures);

/// Frames, their status, and why some could not be read in full.
type Read<'py> = (Frames<'py>, Bound<'py, PyArray1<u8>>, HashMap<usize, String>);

#[pymethods]
impl PictureReader {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        py.detach(|| Pictures::open(&path)).map(Self).map_err(to_python)
    }

    /// The number of pictures, those that are announced and missing among them.
    #[getter]
    fn length(&self) -> usize {
        self.0.length()
    }

    /// When each picture is first shown, in seconds; None where the file says nothing of it.
    #[getter]
    fn seconds(&self) -> Option<Vec<f64>> {
        self.0.seconds.clone()
    }

    /// Height and width of each picture; None where it cannot be read.
    #[pyo3(signature = (orientation=true))]
    fn sizes(&self, py: Python<'_>, orientation: bool) -> Vec<Option<(usize, usize)>> {
        py.detach(|| self.0.sizes(Reading { orientation, depth: None }))
    }

    /// Decodes the next `count` pictures: see `decode_frames`. The third result says, by position in the file, why
    /// pictures could not be read in full.
    #[pyo3(signature = (count, height, width, color="grey", threads=None, orientation=true, depth=None))]
    #[expect(clippy::too_many_arguments, reason = "as many as its Python signature has")]
    fn next<'py>(
        &mut self,
        py: Python<'py>,
        count: usize,
        height: i64,
        width: i64,
        color: &str,
        threads: Option<usize>,
        orientation: bool,
        depth: Option<u32>,
    ) -> PyResult<Read<'py>> {
        let (color, reading) = (parse_color(color)?, Reading { orientation, depth });
        let target = Target { height: side("height", height)?, width: side("width", width)?, color };
        let frames = frames_for(py, None, &shape(count, target.height, target.width, color))?;
        let mut pixels = writable(&frames)?;
        let pixels = pixels.as_slice_mut()?;
        let mut status = vec![0; count];
        let reasons = enter_core(py, threads, |cancel| self.0.read(target, reading, pixels, &mut status, cancel))?;
        Ok((frames, PyArray1::from_vec(py, status), reasons.into_iter().collect()))
    }
}
