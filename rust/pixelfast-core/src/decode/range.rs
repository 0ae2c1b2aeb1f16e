//! How large the samples of files of more than 8 bits are: what 12 bits in a file of 16 are told by.

use std::path::{Path, PathBuf};

use image::ImageFormat;
use rayon::prelude::*;

use super::{Worker, file, raster, tiff, with_worker};
use crate::{Cancel, Result};

/// The samples of a file of more than 8 bits each; alpha is none of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The largest, of those that are finite; at least 0.
    pub largest: f64,
    /// The bits that the file has for one.
    pub bits: u32,
    /// The bits that the file says they use (sBIT, `MaxSampleValue`, packed samples); 0 where it says nothing.
    pub declared: u32,
    /// Whether they are floating-point.
    pub float: bool,
}

/// What the samples of each file reach; `None` for a file of at most 8 bits, and for one that cannot be read.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn sample_ranges(paths: &[PathBuf], cancel: &Cancel) -> Result<Vec<Option<Range>>> {
    let ranges = paths.par_iter().with_max_len(1);
    ranges.map(|path| cancel.check().map(|()| with_worker(|worker| range(worker, path)))).collect()
}

fn range(worker: &mut Worker, path: &Path) -> Option<Range> {
    if !file::may_be_deep(path) {
        return None;
    }
    let (data, buffer) = (&mut worker.file, &mut worker.scratch.raw);
    match file::read(path, data).ok()? {
        file::Kind::Raster(ImageFormat::Png) => raster::guarded(|| png(data, buffer)).ok(),
        file::Kind::Raster(ImageFormat::Tiff) => raster::guarded(|| tiff::range(data, buffer)).ok()?,
        _ => None,
    }
}

fn png(data: &[u8], buffer: &mut Vec<u8>) -> std::result::Result<Range, String> {
    let (height, width, layout, _) = raster::read(ImageFormat::Png, data, buffer)?;
    let colors = if layout.channels < 3 { 1 } else { 3 };
    let pixels = buffer[..height * width * layout.bytes()].chunks_exact(layout.bytes());
    let samples = pixels.flat_map(|pixel| (0..colors).map(move |channel| layout.wide(pixel, channel)));
    let largest = samples.max().unwrap_or(0);
    Ok(Range { largest: largest.into(), bits: 16, declared: significant(data, colors), float: false })
}

/// What the chunk sBIT says of the colors, which stands before the pixels; 0 where there is none.
fn significant(data: &[u8], colors: usize) -> u32 {
    let mut rest = data.get(8..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        match after.split_first_chunk() {
            Some((b"sBIT", bits)) => return bits.iter().take(length.min(colors)).max().copied().unwrap_or(0).into(),
            Some((kind, body)) if kind != b"IDAT" => rest = body.get(length.saturating_add(4)..).unwrap_or_default(),
            _ => return 0,
        }
    }
    0
}
