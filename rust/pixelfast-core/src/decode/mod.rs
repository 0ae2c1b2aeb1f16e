//! Image files to pixels: read, decoded, turned to grey or RGB and resized, one file a task.
//!
//! A plain JPEG's luma is read by the crate pixelfast-jpeg (plain.rs), where it is not left out; any other JPEG, and
//! color, goes through libjpeg-turbo (jpeg.rs), TIFF through the
//! `tiff` crate (tiff.rs), PNG, BMP and WebP through the `image` crate (raster.rs). Whatever
//! is in a file, no function here panics because of it.

mod file;
mod flip;
mod jpeg;
mod orientation;
mod pictures;
#[cfg(feature = "plain-jpeg")]
mod plain;
mod planes;
mod png_rows;
mod range;
mod raster;
mod resize;
mod samples;
mod shrink;
#[cfg(test)]
mod tests;
mod tidy;
mod tiff;
mod tiff_page;
mod walk;
mod worker;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::worker::{Scratch, Worker, room, with_worker};
use crate::fingerprint::{self, Digest};
use crate::{Cancel, Error, Result};

pub use flip::flip_jpeg;
pub use orientation::laid_upright;
pub use pictures::{Pictures, Reasons, count_pictures};
pub use planes::{Planes, Samples, resize_planes};
pub use range::{Range, sample_ranges};
pub use resize::resize_frames;

/// Images of more pixels than this are refused before any memory is reserved for them.
pub const PIXEL_LIMIT: usize = 128_000_000 / SCALE;

/// Images with a side of more pixels are refused, too: a resizer holds all columns for each row of the frame.
const SIDE_LIMIT: usize = 65_535;

/// Under the fuzzer every limit of size is a 128th: what goes beyond its bound is found in megabytes and milliseconds.
const SCALE: usize = if cfg!(fuzzing) { 128 } else { 1 };

/// So many files before its turn the system is asked to fetch a file: storage answers many requests at a time.
const AHEAD: usize = 64;

/// What a frame's pixels hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// One byte a pixel, BT.601 luma, full range.
    Grey,
    /// Three bytes a pixel.
    Rgb,
}

impl Color {
    fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
        }
    }
}

/// How reading a file went; the values are those that callers see.
enum Status {
    Read = 0,
    /// Damaged or cut off: what could be decoded is there.
    Truncated = 1,
    /// Nothing could be used: the pixels are zero.
    Unreadable = 2,
    /// Read, though the file has a fault that costs no pixel.
    Harmless = 3,
}

/// Added to the status of a frame that was turned as its orientation says.
pub const TURNED: u8 = 4;

/// What frames are wanted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Grey or RGB.
    pub color: Color,
}

/// How a file's samples become bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Whether the picture is turned as its EXIF or TIFF orientation says.
    pub orientation: bool,
    /// The bits that samples of more than 8 bits use: 8 to 16, or 1 for floating-point ones of 0 to 1. `None` for all
    /// that the file has, floating-point ones from 0 to 1.
    pub depth: Option<u32>,
}

impl Default for Reading {
    fn default() -> Self {
        Self { orientation: true, depth: None }
    }
}

impl Target {
    /// Bytes of one frame, if they fit a `usize`.
    fn bytes(&self) -> Option<usize> {
        self.height.checked_mul(self.width)?.checked_mul(self.color.channels())
    }
}

/// What usable pixels are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    Whole,
    /// Whole, though the file has a fault: its end is missing, or stray bytes stand before a marker.
    Harmless,
    /// Damaged or cut off: the clause says how.
    Damaged(String),
}

/// What the pixels are, or the clause that says why there are none.
type Decoded = std::result::Result<Finding, String>;

/// Decodes every file of `paths` into its frame of `out` (u8, N x H x W or N x H x W x 3) and its place in `status`: 0 read, 1 damaged,
/// 2 unreadable, 3 read whole from a file with a harmless fault; [`TURNED`] more where there is a picture that was turned.
///
/// A file that cannot be used is no error: its status says so, and its pixels are zero. Returns the digest of each file
/// as it was decoded where `digests` asks for them, which [`fingerprint::of_digests`] makes a fingerprint; else none.
///
/// # Errors
/// [`Error::Shape`] if `out` or `status` does not hold exactly one frame a path; [`Error::Cancelled`].
pub fn decode_frames(
    paths: &[PathBuf],
    target: Target,
    reading: Reading,
    out: &mut [u8],
    status: &mut [u8],
    digests: bool,
    cancel: &Cancel,
) -> Result<Vec<Digest>> {
    let frame = target.bytes().filter(|&bytes| bytes > 0);
    let frame = frame.ok_or_else(|| Error::Value(format!("a frame cannot be {}x{}", target.width, target.height)))?;
    if paths.len().checked_mul(frame) != Some(out.len()) || paths.len() != status.len() {
        let (count, bytes) = (paths.len(), out.len());
        return Err(Error::Shape(format!("{bytes} bytes do not hold {count} frames of {frame} bytes")));
    }
    paths.par_iter().take(AHEAD).with_min_len(8).for_each(|path| file::fetch(path));
    let frames = out.par_chunks_exact_mut(frame).zip(status).zip(paths).enumerate();
    let decoded = frames.with_max_len(1).map(|(index, ((pixels, status), path))| {
        cancel.check()?;
        paths.get(index + AHEAD).into_iter().for_each(|path| file::fetch(path));
        let (found, turned, digest) = with_worker(|worker| {
            let found = worker.decode(path, target, reading, pixels);
            (found, worker.turned, digests.then(|| fingerprint::of_bytes(path, &worker.file)))
        });
        let turned = if turned { TURNED } else { 0 };
        *status = match found {
            Ok(Finding::Whole) => Status::Read as u8 + turned,
            Ok(Finding::Harmless) => Status::Harmless as u8 + turned,
            Ok(Finding::Damaged(_)) => Status::Truncated as u8 + turned,
            Err(_) => {
                pixels.fill(0);
                Status::Unreadable as u8
            }
        };
        Ok(digest)
    });
    Ok(decoded.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Why the file does not decode fully, as the end of a sentence that starts with its name; `None` if it does.
#[must_use]
pub fn explain_frame(path: &Path) -> Option<String> {
    let target = Target { height: 8, width: 8, color: Color::Grey };
    match with_worker(|worker| worker.decode(path, target, Reading::default(), &mut [0; 64])) {
        Ok(Finding::Whole | Finding::Harmless) => None,
        Ok(Finding::Damaged(clause)) | Err(clause) => Some(clause),
    }
}

/// Height and width in pixels, from the file's header.
///
/// # Errors
/// [`Error::Decode`] if the header cannot be read or names more than [`PIXEL_LIMIT`] pixels.
pub fn frame_size(path: &Path, reading: Reading) -> Result<(usize, usize)> {
    let failure = |reason| Error::Decode { path: path.display().to_string(), reason };
    with_worker(|worker| worker.size(path, reading)).map_err(failure)
}

/// The one size of all files of `paths` whose header can be read.
///
/// # Errors
/// [`Error::Value`] naming the first file of another size; [`Error::Decode`] if no file can be read;
/// [`Error::Cancelled`].
pub fn common_size(paths: &[PathBuf], reading: Reading, cancel: &Cancel) -> Result<(usize, usize)> {
    let sizes = paths.par_iter().map(|path| cancel.check().map(|()| frame_size(path, reading)));
    let sizes: Vec<_> = sizes.collect::<Result<_>>()?;
    let mut read = paths.iter().zip(&sizes).filter_map(|(path, size)| size.as_ref().ok().map(|&size| (path, size)));
    let Some((first, size)) = read.next() else {
        let no_path = || Error::Value("without a path, height and width must be given".into());
        return Err(sizes.into_iter().find_map(Result::err).unwrap_or_else(no_path));
    };
    match read.find(|(_, other)| *other != size) {
        None => Ok(size),
        Some((path, other)) => Err(Error::Value(format!(
            "{} is {}x{} pixels, but {} is {}x{}: give height and width to bring them to one size",
            path.display(),
            other.1,
            other.0,
            first.display(),
            size.1,
            size.0,
        ))),
    }
}

fn decode_as_it_lies(
    kind: file::Kind,
    data: &[u8],
    target: Target,
    depth: Option<u32>,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Decoded {
    match kind {
        file::Kind::Jpeg => jpeg::decode(data, target, scratch, out),
        file::Kind::Raster(format) => raster::decode(format, data, target, depth, scratch, out),
    }
}

/// Refuses a header that names more pixels than [`PIXEL_LIMIT`], or none, or a side longer than [`SIDE_LIMIT`].
fn check_size(height: usize, width: usize) -> std::result::Result<(), String> {
    match height.checked_mul(width) {
        Some(0) => Err(format!("says it is {width}x{height} pixels")),
        Some(1..=PIXEL_LIMIT) if height.max(width) > SIDE_LIMIT => {
            Err(format!("says it is {width}x{height} pixels, and a side may have {SIDE_LIMIT} at most"))
        }
        Some(1..=PIXEL_LIMIT) => Ok(()),
        _ => {
            let millions = PIXEL_LIMIT / 1_000_000;
            Err(format!("says it is {width}x{height} pixels, more than the limit of {millions} million"))
        }
    }
}
