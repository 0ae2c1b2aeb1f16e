//! The luma of a plain JPEG, at its full size or smaller: what nearly every frame of a video is.
//!
//! At its full size it gives the very pixels of libjpeg-turbo's accurate method, but in half the time of a library
//! that was built without an assembler, and it gives up on whatever is out of the ordinary, damage included: then the
//! library decides.

mod header;
mod huffman;
mod idct;
mod pixels;
mod reduce;
mod scan;

use header::Header;
use pixels::Picture;
use scan::{Blocks, Reading, Scan};

use crate::audited::vectorised;

pub(super) use huffman::Tables;
pub(super) use reduce::Reducer;

/// A JPEG with plain headers.
pub(super) struct Plain<'a> {
    header: Header,
    coded: &'a [u8],
}

impl<'a> Plain<'a> {
    /// Reads the headers, with tables that were made before; `None` for anything but a grey or YCbCr picture in one baseline scan.
    pub(super) fn open(data: &'a [u8], tables: &mut Tables) -> Option<Self> {
        header::parse(data, tables).map(|(header, coded)| Self { header, coded })
    }

    /// Height and width.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.header.height, self.header.width)
    }

    /// Decodes the luma into `out`, height x width; `scratch` is room that is used again. `None` for any irregularity:
    /// then `out` holds something, but no picture.
    pub(super) fn luma(&self, scratch: &mut Vec<u8>, out: &mut [u8]) -> Option<()> {
        self.read(scratch, Picture::new(out, self.header.width))
    }

    /// The luma at a smaller size, resampled from coefficients. `Some(None)` for any irregularity, `None` where the
    /// picture shrinks too little for it.
    pub(super) fn reduced(
        &self,
        scratch: &mut Vec<u8>,
        reducer: &mut Reducer,
        (height, width): (usize, usize),
        out: &mut [u8],
    ) -> Option<Option<()>> {
        let blocks = reducer.start(&self.header, height, width)?;
        let done = self.read(scratch, blocks);
        reducer.finish(out);
        Some(done)
    }

    fn read(&self, scratch: &mut Vec<u8>, blocks: impl Blocks) -> Option<()> {
        let ends = unstuff(self.coded, scratch)?;
        let scan = Scan::new(&self.header, blocks)?;
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
                into.extend_from_slice(&[0; huffman::AHEAD]);
                return Some(ends);
            }
            _ => return None,
        }
        rest = &rest[stop + 2..];
    }
}
