//! The luma of a plain JPEG, at its full size or smaller: what nearly every frame of a video is.
//!
//! A plain JPEG is a grey or YCbCr picture of 8 bits in one baseline scan, undamaged. [`luma`] reads its Y plane and
//! skips over the colors. At its full size it gives the very pixels of libjpeg-turbo's accurate method, in half the
//! time of a build of that library without an assembler; where the picture shrinks, it goes straight from the
//! coefficients to the smaller picture. It gives up on whatever is out of the ordinary, damage included: then a
//! library that reads every JPEG should decide.
#![forbid(unsafe_code)]

mod cut;
mod header;
mod huffman;
mod pixels;
mod reduce;
mod scan;

use header::Header;
use pixelfast_vector::vectorised;
use pixels::Picture;
use scan::{Blocks, Scan};

/// Buffers that grew beyond this for one large picture are given back after it.
const KEPT_BYTES: usize = 32 << 20;

const END_OF_IMAGE: u8 = 0xd9;

/// What is used again from file to file: buffers, code tables, weights. No picture depends on what was read before.
#[derive(Default)]
pub struct Memory {
    tables: huffman::Tables,
    coded: Vec<u8>,
    reducer: reduce::Reducer,
}

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The file is out of the ordinary, or holds more pixels than are allowed; the buffer may hold anything now.
    #[error("this is no plain JPEG, or a damaged or a very large one")]
    NotPlain,
    /// The picture cannot be made at the wanted size, only at its own, which this is.
    #[error("a picture of {height} x {width} pixels cannot be shrunk straight to the wanted size")]
    Size {
        /// Rows of the file.
        height: usize,
        /// Columns of the file.
        width: usize,
    },
    /// The buffer does not have one byte a pixel of the wanted size.
    #[error("a buffer of {0} bytes does not hold one byte for each pixel of the wanted size")]
    Buffer(usize),
}

/// Reads the luma of the JPEG in `data` into `out`, `height` x `width` bytes, row by row.
///
/// That is either the file's own size or another of at most a million pixels whose width is 5/8 of the file's or less:
/// then the picture is resampled by Pillow's bilinear kernel, a triangle that is as wide as the picture shrinks. Whoever
/// does not know the file's size asks for no pixels and learns it.
///
/// Returns whether the file has a fault that costs no pixel: its end is missing, or stray bytes stand before a marker.
///
/// # Errors
/// [`Refusal::Size`] for another size; [`Refusal::NotPlain`] for whatever is out of the ordinary, and for more than
/// `most_pixels` pixels in the file; [`Refusal::Buffer`].
///
/// # Examples
/// ```
/// use pixelfast_jpeg::{Memory, Refusal, luma};
///
/// # let mut compressor = turbojpeg::Compressor::new()?;
/// # let (pixels, format) = ([200; 64 * 48], turbojpeg::PixelFormat::GRAY);
/// # let image = turbojpeg::Image { pixels: &pixels[..], width: 64, pitch: 64, height: 48, format };
/// # compressor.set_subsamp(turbojpeg::Subsamp::Gray)?;
/// # let jpeg = compressor.compress_to_vec(image)?; // 48 rows of 64 pixels, all of level 200
/// let (limit, mut memory) = (1_000_000, Memory::default());
/// assert_eq!(luma(&jpeg, (0, 0), limit, &mut memory, &mut []), Err(Refusal::Size { height: 48, width: 64 }));
///
/// let mut small = vec![0; 12 * 16];
/// luma(&jpeg, (12, 16), limit, &mut memory, &mut small)?;
/// assert_eq!(small, [200; 12 * 16]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn luma(
    data: &[u8],
    (height, width): (usize, usize),
    most_pixels: usize,
    memory: &mut Memory,
    out: &mut [u8],
) -> Result<bool, Refusal> {
    if height.checked_mul(width) != Some(out.len()) {
        return Err(Refusal::Buffer(out.len()));
    }
    let (header, coded) = header::parse(data, &mut memory.tables).ok_or(Refusal::NotPlain)?;
    let own = (header.height, header.width);
    if own.0 * own.1 > most_pixels {
        return Err(Refusal::NotPlain);
    }
    let Memory { coded: scratch, reducer, .. } = memory;
    let done = if own == (height, width) {
        read(&header, coded, scratch, Picture::new(out, width))
    } else {
        let reduction = reducer.start(&header, (height, width));
        let reduction = reduction.ok_or(Refusal::Size { height: own.0, width: own.1 })?;
        read(&header, coded, scratch, reduction).inspect(|_| reducer.finish(out))
    };
    memory.shrink();
    done.ok_or(Refusal::NotPlain)
}

/// Whether the plain JPEG in `data` has a fault that costs no pixel, as [`luma`] says it: found without making pixels.
///
/// # Errors
/// [`Refusal::NotPlain`], as of [`luma`].
///
/// # Examples
/// ```
/// use pixelfast_jpeg::{Memory, has_fault};
///
/// # let (pixels, format) = ([200; 64 * 48], turbojpeg::PixelFormat::GRAY);
/// # let image = turbojpeg::Image { pixels: &pixels[..], width: 64, pitch: 64, height: 48, format };
/// # let mut compressor = turbojpeg::Compressor::new()?;
/// # compressor.set_subsamp(turbojpeg::Subsamp::Gray)?;
/// # let jpeg = compressor.compress_to_vec(image)?;
/// assert_eq!(has_fault(&jpeg, 1_000_000, &mut Memory::default()), Ok(false));
/// let without_end = &jpeg[..jpeg.len() - 2];
/// assert_eq!(has_fault(without_end, 1_000_000, &mut Memory::default()), Ok(true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn has_fault(data: &[u8], most_pixels: usize, memory: &mut Memory) -> Result<bool, Refusal> {
    let (header, coded) = header::parse(data, &mut memory.tables).ok_or(Refusal::NotPlain)?;
    if header.height * header.width > most_pixels {
        return Err(Refusal::NotPlain);
    }
    let done = read(&header, coded, &mut memory.coded, scan::Skipped);
    memory.shrink();
    done.ok_or(Refusal::NotPlain)
}

impl Memory {
    fn shrink(&mut self) {
        if self.coded.capacity() > KEPT_BYTES {
            self.coded = Vec::new();
        }
        if self.reducer.bytes() > KEPT_BYTES {
            self.reducer = reduce::Reducer::default();
        }
    }
}

fn read(header: &Header, coded: &[u8], scratch: &mut Vec<u8>, blocks: impl Blocks) -> Option<bool> {
    let (ends, is_ended) = unstuff(coded, scratch)?;
    let strays = vectorised(Scan::new(header, scratch, &ends, blocks)?)?;
    Some(strays || header.strays || !is_ended)
}

/// Copies the coded bytes without the zeros that hide a 0xff; where each stretch between restart markers ends,
/// and whether the file has an end, too.
fn unstuff(coded: &[u8], into: &mut Vec<u8>) -> Option<(Vec<usize>, bool)> {
    into.clear();
    into.reserve(coded.len());
    let (mut ends, mut rest) = (Vec::new(), coded);
    loop {
        let stop = memchr::memchr(0xff, rest).unwrap_or(rest.len());
        into.extend_from_slice(&rest[..stop]);
        match rest.get(stop + 1).copied().unwrap_or(END_OF_IMAGE) {
            0 => into.push(0xff),
            restart @ 0xd0..=0xd7 if usize::from(restart & 7) == ends.len() % 8 => ends.push(into.len()),
            END_OF_IMAGE => {
                ends.push(into.len());
                into.extend_from_slice(&[0; huffman::AHEAD]);
                return Some((ends, stop + 1 < rest.len()));
            }
            _ => return None,
        }
        rest = &rest[stop + 2..];
    }
}
