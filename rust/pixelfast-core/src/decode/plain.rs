//! Grey frames of plain JPEGs by our own reader, which may be left out (the feature `plain-jpeg`).

use pixelfast_jpeg::{Memory, Refusal};

use super::jpeg::eighths;
use super::resize::Source;
use super::{Color, PIXEL_LIMIT, Scratch, Target, room};

/// The grey frame of a plain JPEG; `None` for any other, for a damaged one, and where the library is faster.
pub(super) fn decode(data: &[u8], target: Target, scratch: &mut Scratch, out: &mut [u8]) -> Option<Result<(), String>> {
    if target.color != Color::Grey {
        return None;
    }
    let (height, width) = match luma(data, (target.height, target.width), &mut scratch.luma, out) {
        Err(Refusal::Size { height, width }) => (height, width),
        done => return done.ok().map(Ok),
    };
    if eighths(height, width, target) != 8 {
        return None; // the library scales it while it decodes
    }
    let pixels = room(&mut scratch.raw, height * width).ok()?;
    luma(data, (height, width), &mut scratch.luma, pixels).ok()?;
    Some(scratch.resizer.resize(&Source::whole(pixels, height, width), target, out))
}

fn luma(data: &[u8], size: (usize, usize), memory: &mut Memory, out: &mut [u8]) -> Result<(), Refusal> {
    pixelfast_jpeg::luma(data, size, PIXEL_LIMIT, memory, out)
}
