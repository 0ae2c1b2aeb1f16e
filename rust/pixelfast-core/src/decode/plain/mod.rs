//! The luma of a plain JPEG at its full size: what nearly every frame of a video is.
//!
//! It gives the very pixels of libjpeg-turbo's accurate method, but in half the time of a library that was built without
//! an assembler, and it gives up on whatever is out of the ordinary, damage included: then the library decides.

mod header;
mod huffman;
mod idct;
mod scan;

use header::Header;
use scan::{Reading, Scan};

use super::audited::vectorised;

/// A JPEG with plain headers.
pub(super) struct Plain<'a> {
    header: Header,
    coded: &'a [u8],
}

impl<'a> Plain<'a> {
    /// Reads the headers; `None` for anything but a grey or YCbCr picture in one baseline scan.
    pub(super) fn open(data: &'a [u8]) -> Option<Self> {
        header::parse(data).map(|(header, coded)| Self { header, coded })
    }

    /// Height and width.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.header.height, self.header.width)
    }

    /// Decodes the luma into `out`, height x width; `scratch` is room that is used again. `None` for any irregularity:
    /// then `out` holds something, but no picture.
    pub(super) fn luma(&self, scratch: &mut Vec<u8>, out: &mut [u8]) -> Option<()> {
        let ends = unstuff(self.coded, scratch)?;
        let scan = Scan::new(&self.header, out)?;
        vectorised(Reading { scan, data: scratch, ends: &ends })
    }
}

/// Copies the coded bytes without the zeros that hide a 0xff; where each stretch between restart markers ends.
fn unstuff(coded: &[u8], into: &mut Vec<u8>) -> Option<Vec<usize>> {
    into.clear();
    into.reserve(coded.len());
    let (mut ends, mut rest) = (Vec::new(), coded);
    loop {
        let stop = memchr::memchr(0xff, rest)?;
        into.extend_from_slice(&rest[..stop]);
        match *rest.get(stop + 1)? {
            0 => into.push(0xff),
            restart @ 0xd0..=0xd7 if usize::from(restart & 7) == ends.len() % 8 => ends.push(into.len()),
            0xd9 => {
                ends.push(into.len());
                return Some(ends);
            }
            _ => return None,
        }
        rest = &rest[stop + 2..];
    }
}
