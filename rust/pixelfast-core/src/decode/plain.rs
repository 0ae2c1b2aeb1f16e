//! Grey frames of plain JPEGs by our own reader, which may be left out (the feature `plain-jpeg`).

use pixelfast_jpeg::{Memory, Refusal};

use super::resize::Source;
use super::{Color, Decoded, Finding, PIXEL_LIMIT, Scratch, Target, room};

/// The grey frame of a plain JPEG without a fault; `None` for any other, and where that cannot be.
pub(super) fn decode(data: &[u8], target: Target, scratch: &mut Scratch, out: &mut [u8]) -> Option<Decoded> {
    if target.color != Color::Grey {
        return None;
    }
    let (height, width) = match luma(data, (target.height, target.width), &mut scratch.luma, out) {
        Err(Refusal::Size { height, width }) => (height, width),
        done => return done.is_ok_and(|faulty| !faulty).then_some(Ok(Finding::Whole)),
    };
    let pixels = room(&mut scratch.raw, height * width).ok()?;
    luma(data, (height, width), &mut scratch.luma, pixels).ok().filter(|faulty| !faulty)?;
    let done = scratch.resizer.resize(&Source::whole(pixels, height, width), target, out);
    Some(done.map(|()| Finding::Whole))
}

/// Whether a plain JPEG's end is missing or stray bytes stand in it, which libjpeg-turbo does not always notice.
pub(super) fn has_fault(data: &[u8], scratch: &mut Scratch) -> bool {
    pixelfast_jpeg::has_fault(data, PIXEL_LIMIT, &mut scratch.luma) == Ok(true)
}

fn luma(data: &[u8], size: (usize, usize), memory: &mut Memory, out: &mut [u8]) -> Result<bool, Refusal> {
    pixelfast_jpeg::luma(data, size, PIXEL_LIMIT, memory, out)
}
