//! PNG, BMP, TIFF and WebP through the `image` crate.
//!
//! Of a damaged PNG or BMP the rows before the damage are used; a damaged TIFF or WebP is unreadable, as its decoder
//! gives all or nothing. Of an animation the first picture is read.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::{bmp::BmpDecoder, png::PngDecoder, tiff::TiffDecoder, webp::WebPDecoder};
use image::{ColorType, ImageDecoder, ImageError, ImageFormat, Limits};

use super::resize::Source;
use super::samples::{self, Layout};
use super::{Decoded, PIXEL_LIMIT, Scratch, Target, check_size, room};

/// Bytes that a decoder may reserve by itself: the largest image that is allowed, at 8 bytes a pixel.
const ALLOCATION_LIMIT: u64 = 8 * PIXEL_LIMIT as u64;

/// Height and width from the header.
pub(super) fn size(format: ImageFormat, data: &[u8]) -> Result<(usize, usize), String> {
    guarded(|| visit(format, data, Measure))
}

/// Decodes `data` into `out`, of the target's size and color.
pub(super) fn decode(
    format: ImageFormat,
    data: &[u8],
    target: Target,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Decoded {
    let raw = &mut scratch.raw;
    let Samples { height, width, layout, damage } = guarded(|| visit(format, data, Read(format, raw)))?;
    let raw = &scratch.raw[..height * width * layout.channels * layout.stride];
    if (height, width) == (target.height, target.width) {
        samples::convert(raw, layout, target.color, out);
        return Ok(damage);
    }
    let pixels = room(&mut scratch.pixels, height * width * target.color.channels())?;
    samples::convert(raw, layout, target.color, pixels);
    scratch.resizer.resize(&Source::whole(pixels, height, width), target, out)?;
    Ok(damage)
}

/// Runs `work`; a panic in a decoder becomes a reason like any other.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("cannot be decoded: its decoder gave up".into()))
}

/// What is done with an opened image.
trait Visitor {
    type Output;
    fn visit(self, decoder: impl ImageDecoder) -> Result<Self::Output, String>;
}

fn visit<V: Visitor>(format: ImageFormat, data: &[u8], visitor: V) -> Result<V::Output, String> {
    check_png_header(data)?;
    let data = Cursor::new(data);
    let limits = || {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(ALLOCATION_LIMIT);
        limits
    };
    match format {
        ImageFormat::Png => visitor.visit(PngDecoder::with_limits(data, limits()).map_err(because)?),
        ImageFormat::Bmp => visitor.visit(BmpDecoder::new(data).map_err(because)?),
        ImageFormat::WebP => visitor.visit(WebPDecoder::new(data).map_err(because)?),
        ImageFormat::Tiff => {
            let mut decoder = TiffDecoder::new(data).map_err(because)?;
            size_of(&decoder)?;
            decoder.set_limits(limits()).map_err(because)?;
            visitor.visit(decoder)
        }
        other => Err(format!("is of a kind that is not read ({other:?})")),
    }
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

struct Measure;

impl Visitor for Measure {
    type Output = (usize, usize);

    fn visit(self, decoder: impl ImageDecoder) -> Result<(usize, usize), String> {
        size_of(&decoder)
    }
}

/// Reads the samples of a file of this format into its buffer.
struct Read<'a>(ImageFormat, &'a mut Vec<u8>);

/// What was read into the buffer.
struct Samples {
    height: usize,
    width: usize,
    layout: Layout,
    damage: Option<String>,
}

impl Visitor for Read<'_> {
    type Output = Samples;

    fn visit(self, decoder: impl ImageDecoder) -> Result<Samples, String> {
        let Self(format, buffer) = self;
        let (height, width) = size_of(&decoder)?;
        let mut layout = layout(decoder.color_type())?;
        let into = room(buffer, height * width * layout.channels * layout.stride)?;
        into.fill(0);
        let Err(error) = decoder.read_image(into) else {
            return Ok(Samples { height, width, layout, damage: None });
        };
        if into.iter().all(|byte| *byte == 0) {
            return Err(because(error));
        }
        // The PNG decoder turns its big-endian samples only once it has all of them.
        if format == ImageFormat::Png {
            layout.upper = 0;
        }
        Ok(Samples { height, width, layout, damage: Some(format!("is truncated or damaged: {error}")) })
    }
}

fn size_of(decoder: &impl ImageDecoder) -> Result<(usize, usize), String> {
    let (width, height) = decoder.dimensions();
    let (height, width) = (height as usize, width as usize);
    check_size(height, width).map(|()| (height, width))
}

fn layout(kind: ColorType) -> Result<Layout, String> {
    let (channels, stride) = match kind {
        ColorType::L8 => (1, 1),
        ColorType::La8 => (2, 1),
        ColorType::Rgb8 => (3, 1),
        ColorType::Rgba8 => (4, 1),
        ColorType::L16 => (1, 2),
        ColorType::La16 => (2, 2),
        ColorType::Rgb16 => (3, 2),
        ColorType::Rgba16 => (4, 2),
        other => return Err(format!("holds pixels of a kind that is not read ({other:?})")),
    };
    let upper = if cfg!(target_endian = "little") { stride - 1 } else { 0 };
    Ok(Layout { channels, stride, upper })
}
