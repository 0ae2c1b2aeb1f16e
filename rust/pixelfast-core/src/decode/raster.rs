//! PNG, BMP, WebP and TIFF in CMYK through the `image` crate.
//!
//! Of a damaged PNG or BMP the rows before the damage are used; a damaged TIFF or WebP is unreadable, as its decoder
//! gives all or nothing. Of an animation the first picture is read.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::{bmp::BmpDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder};
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, Limits};

use super::resize::Source;
use super::samples::{self, Layout};
use super::{Decoded, Finding, PIXEL_LIMIT, Scratch, Target, check_size, png_rows, room, tiff};

/// Bytes that a decoder may reserve by itself: the largest image that is allowed, at 8 bytes a pixel.
const ALLOCATION_LIMIT: u64 = 8 * PIXEL_LIMIT as u64;

/// Height and width from the header.
pub(super) fn size(format: ImageFormat, data: &[u8]) -> Result<(usize, usize), String> {
    match format {
        ImageFormat::Tiff => guarded(|| tiff::size(data)),
        _ => guarded(|| size_of(&open(format, data)?)),
    }
}

pub(super) fn decode(
    format: ImageFormat,
    data: &[u8],
    target: Target,
    depth: Option<u32>,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Decoded {
    if format == ImageFormat::Tiff
        && let Some(done) = guarded(|| Ok(tiff::decode(data, target, depth, scratch, out)))?
    {
        return done;
    }
    // What a TIFF's CMYK becomes uses all bits.
    let depth = depth.filter(|_| format == ImageFormat::Png);
    let (height, width, layout, finding) = guarded(|| read(format, data, &mut scratch.raw))?;
    let raw = &scratch.raw[..height * width * layout.bytes()];
    if (height, width) == (target.height, target.width) {
        samples::convert(raw, layout, depth, target.color, out);
        return Ok(finding);
    }
    let pixels = room(&mut scratch.pixels, height * width * target.color.channels())?;
    samples::convert(raw, layout, depth, target.color, pixels);
    scratch.resizer.resize(&Source::whole(pixels, height, width), target, out)?;
    Ok(finding)
}

/// Runs `work`; a panic in a decoder becomes a reason like any other.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("cannot be decoded: its decoder gave up".into()))
}

fn open(format: ImageFormat, data: &[u8]) -> Result<Box<dyn ImageDecoder + '_>, String> {
    check_png_header(data)?;
    let data = Cursor::new(data);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(ALLOCATION_LIMIT);
    Ok(match format {
        ImageFormat::Png => Box::new(PngDecoder::with_limits(data, limits).map_err(because)?),
        ImageFormat::Bmp => Box::new(BmpDecoder::new(data).map_err(because)?),
        ImageFormat::WebP => Box::new(WebPDecoder::new(data).map_err(because)?),
        ImageFormat::Tiff => {
            let mut decoder = TiffDecoder::new(data).map_err(because)?;
            size_of(&decoder)?;
            decoder.set_limits(limits).map_err(because)?;
            Box::new(decoder)
        }
        other => return Err(format!("is of a kind that is not read ({other:?})")),
    })
}

/// Refuses a PNG by the size in its first chunk: the decoder wants to see more of the file before it tells the size.
fn check_png_header(data: &[u8]) -> Result<(), String> {
    let Some((b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", rest)) = data.split_first_chunk() else { return Ok(()) };
    let Some((width, rest)) = rest.split_first_chunk() else { return Ok(()) };
    let Some((height, _)) = rest.split_first_chunk() else { return Ok(()) };
    check_size(u32::from_be_bytes(*height) as usize, u32::from_be_bytes(*width) as usize)
}

fn because(error: ImageError) -> String {
    format!("cannot be decoded: {error}")
}

/// Reads the samples into `buffer`: how many rows and columns, how they lie, and what is wrong with them.
pub(super) fn read(
    format: ImageFormat,
    data: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<(usize, usize, Layout, Finding), String> {
    let decoder = open(format, data)?;
    let (height, width) = size_of(&decoder)?;
    let mut layout = layout(decoder.color_type())?;
    let into = room(buffer, height * width * layout.bytes())?;
    into.fill(0);
    let Err(error) = decoder.read_image(into) else {
        return Ok((height, width, layout, Finding::Whole));
    };
    if format == ImageFormat::Png {
        into.fill(0);
        // The PNG decoder turns its big-endian samples only once it has all of them.
        layout.upper = 0;
        if png_rows::fill(data, into, ALLOCATION_LIMIT as usize) {
            return Ok((height, width, layout, Finding::Harmless));
        }
    }
    if into.iter().all(|byte| *byte == 0) {
        return Err(because(error));
    }
    Ok((height, width, layout, Finding::Damaged(format!("is truncated or damaged: {error}"))))
}

fn size_of(decoder: &impl ImageDecoder) -> Result<(usize, usize), String> {
    let (width, height) = decoder.dimensions();
    let (height, width) = (height as usize, width as usize);
    check_size(height, width).map(|()| (height, width))
}

fn layout(kind: ColorType) -> Result<Layout, String> {
    let stride = match kind {
        ColorType::L8 | ColorType::La8 | ColorType::Rgb8 | ColorType::Rgba8 => 1,
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => 2,
        other => return Err(format!("holds pixels of a kind that is not read ({other:?})")),
    };
    let upper = if cfg!(target_endian = "little") { stride - 1 } else { 0 };
    Ok(Layout { channels: kind.channel_count().into(), stride, upper })
}
