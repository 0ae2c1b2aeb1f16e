//! Grey frames of plain JPEGs by our own reader, which may be left out (the feature `plain-jpeg`).

use pixelfast_jpeg::{Memory, Refusal};

use super::resize::Source;
use super::{Color, Decoded, Finding, PIXEL_LIMIT, Scratch, Target, room};

/// The grey frame of a plain JPEG; `None` for any other, for a damaged one, and where that cannot be.
pub(super) fn decode(data: &[u8], target: Target, scratch: &mut Scratch, out: &mut [u8]) -> Option<Decoded> {
    if target.color != Color::Grey {
        return None;
    }
    let (height, width) = match luma(data, (target.height, target.width), &mut scratch.luma, out) {
        Err(Refusal::Size { height, width }) => (height, width),
        done => return done.ok().map(|harmless| Ok(finding(harmless))),
    };
    let pixels = room(&mut scratch.raw, height * width).ok()?;
    let harmless = luma(data, (height, width), &mut scratch.luma, pixels).ok()?;
    let done = scratch.resizer.resize(&Source::whole(pixels, height, width), target, out);
    Some(done.map(|()| finding(harmless)))
}

/// Whether the faults of a JPEG cost no pixel, by our own reader; `None` where it cannot tell, as the file is not plain.
pub(super) fn is_harmless(data: &[u8], scratch: &mut Scratch) -> Option<bool> {
    let Err(Refusal::Size { height, width }) = luma(data, (0, 0), &mut scratch.luma, &mut []) else { return None };
    let pixels = room(&mut scratch.raw, height * width).ok()?;
    Some(luma(data, (height, width), &mut scratch.luma, pixels).is_ok())
}

fn finding(harmless: bool) -> Finding {
    if harmless { Finding::Harmless } else { Finding::Whole }
}

fn luma(data: &[u8], size: (usize, usize), memory: &mut Memory, out: &mut [u8]) -> Result<bool, Refusal> {
    pixelfast_jpeg::luma(data, size, PIXEL_LIMIT, memory, out)
}
