//! TIFF: grey, RGB, palettes and YCbCr of JPEGs, 1 to 32 bits or floating-point, extra samples left out.
//!
//! CMYK goes through the `image` crate. What is not read is named, with what to do about it.

use std::io::Cursor;

use tiff::decoder::{Decoder, Limits};

use super::range::Range;
use super::resize::Source;
use super::tiff_page::Page;
use super::{Color, Decoded, Finding, PIXEL_LIMIT, Scratch, Target, check_size, room, samples};

const WHITE_IS_ZERO: u64 = 0;
const BLACK_IS_ZERO: u64 = 1;
const RGB: u64 = 2;
const PALETTE: u64 = 3;
const CMYK: u64 = 5;
const YCBCR: u64 = 6;

/// A sample format.
const FLOAT: u64 = 3;

const NOT_READ: &str = "which pixelfast does not read";

/// Height and width of the first page.
pub(super) fn size(data: &[u8]) -> Result<(usize, usize), String> {
    let page = Page::first(data)?;
    check_size(page.height, page.width).map(|()| (page.height, page.width))
}

/// Decodes the first page into `out`; `None` where the `image` crate is to do it.
pub(super) fn decode(
    data: &[u8],
    target: Target,
    depth: Option<u32>,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Option<Decoded> {
    match Page::first(data) {
        Ok(page) if page.photometric == CMYK => None,
        Ok(page) => Some(draw(&page, target, depth, scratch, out).map(|()| finding(&page))),
        Err(reason) => Some(Err(reason)),
    }
}

fn finding(page: &Page<'_>) -> Finding {
    if page.ends_early() { Finding::Damaged("is truncated: its pixels end early".into()) } else { Finding::Whole }
}

fn draw(
    page: &Page<'_>,
    target: Target,
    depth: Option<u32>,
    scratch: &mut Scratch,
    out: &mut [u8],
) -> Result<(), String> {
    read(page, &mut scratch.raw)?;
    if (page.height, page.width) == (target.height, target.width) {
        return convert(page, &scratch.raw, depth, target.color, out);
    }
    let pixels = room(&mut scratch.pixels, page.height * page.width * target.color.channels())?;
    convert(page, &scratch.raw, depth, target.color, pixels)?;
    scratch.resizer.resize(&Source::whole(pixels, page.height, page.width), target, out)
}

/// Refuses what is not read, by its name.
fn check_kind(page: &Page<'_>) -> Result<(), String> {
    let compression = match page.compression {
        1 | 4 | 5 | 7 | 8 | 32_773 | 32_946 => None,
        2 => Some("CCITT RLE"),
        3 => Some("CCITT group 3"),
        6 => Some("old-style JPEG"),
        34_712 => Some("JPEG 2000"),
        34_887 => Some("LERC"),
        34_925 => Some("LZMA"),
        50_000 | 34_926 => Some("zstd"),
        50_001 | 34_927 => Some("WebP"),
        50_002 => Some("JPEG XL"),
        _ => Some("unknown"),
    };
    if let Some(name) = compression {
        let number = if name == "unknown" { format!(" ({})", page.compression) } else { String::new() };
        return Err(format!("is a TIFF with {name} compression{number}, {NOT_READ}: convert it with tiffcp -c lzw"));
    }
    let kind = match (page.photometric, page.format, page.bits) {
        (_, FLOAT, bits) if !matches!(bits, 16 | 32 | 64) => {
            return Err(refused(&format!("floating-point samples of {bits} bits")));
        }
        (_, 2, _) => "samples with a sign",
        (_, 1 | 4, bits @ (0 | 17..=31 | 33..)) => return Err(refused(&format!("{bits} bits a sample"))),
        (_, 1 | 4, 9..=15) if page.predicted() => "packed samples and a predictor",
        (RGB, ..) if page.samples < 3 => "fewer than three samples a pixel for RGB",
        (YCBCR, ..) if page.samples < 3 || page.bits != 8 || page.subsampled() => "subsampled YCbCr",
        (PALETTE, _, bits) if bits > 8 || page.palette().len() < 3 << bits => "a palette that is too short",
        (WHITE_IS_ZERO | BLACK_IS_ZERO | RGB, FLOAT, _) => return Ok(()),
        (WHITE_IS_ZERO | BLACK_IS_ZERO | RGB | PALETTE | YCBCR, 1 | 4, _) => return Ok(()),
        (4, ..) => "a transparency mask alone",
        (8..=10, ..) => "Lab colors",
        (photometric, ..) => return Err(refused(&format!("colors of kind {photometric}"))),
    };
    Err(refused(kind))
}

fn refused(kind: &str) -> String {
    format!("is a TIFF with {kind}, {NOT_READ}: convert it to 8 or 16 bits, grey or RGB, the same way for all frames")
}

/// Reads the samples of all planes into `buffer`, as they lie in the file, in this machine's order of bytes.
fn read(page: &Page<'_>, buffer: &mut Vec<u8>) -> Result<(), String> {
    check_size(page.height, page.width)?;
    check_kind(page)?;
    let because = |error: tiff::TiffError| format!("cannot be decoded: {error}");
    let planes = if page.planar { page.samples } else { 1 };
    let limit = 8 * PIXEL_LIMIT;
    let bytes = page.row_bytes().checked_mul(page.height).and_then(|plane| plane.checked_mul(planes));
    let bytes = bytes.filter(|bytes| *bytes > 0 && *bytes <= limit);
    let bytes = bytes.ok_or_else(|| refused(&format!("{} samples a pixel", page.samples)))?;
    let mut limits = Limits::default();
    (limits.decoding_buffer_size, limits.ifd_value_size, limits.intermediate_buffer_size) = (limit, limit, limit);
    let written = page.rewritten(matches!(page.bits, 9..=15))?;
    let mut decoder = Decoder::new(Cursor::new(written)).map_err(because)?.with_limits(limits);
    let into = room(buffer, bytes)?;
    into.fill(0);
    decoder.read_image_bytes(into).map_err(because)
}

/// The deepest sample of the first page, and how many bits it says that they use; `None` where none has more than 8.
pub(super) fn range(data: &[u8], buffer: &mut Vec<u8>) -> Result<Option<Range>, String> {
    let page = Page::first(data)?;
    let color = match page.photometric {
        WHITE_IS_ZERO | BLACK_IS_ZERO => 1,
        RGB => 3,
        _ => return Ok(None),
    };
    if page.bits <= 8 {
        return Ok(None);
    }
    read(&page, buffer)?;
    let (place, float) = (places(&page), page.format == FLOAT);
    let pixels = 0..page.height * page.width;
    let places = pixels.flat_map(|index| (0..color).map(move |channel| place(index, channel)));
    let values = places.map(|place| match float {
        true => real(buffer, place, page.bits),
        false => f64::from(sample(buffer, place, page.bits)),
    });
    let largest = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    Ok(Some(Range { largest, bits: page.bits as u32, declared: if float { 0 } else { page.declared() }, float }))
}

/// Where the sample of a pixel and channel starts in the pixels that were read, in bits.
fn places(page: &Page<'_>) -> impl Fn(usize, usize) -> usize + Copy + use<> {
    let (width, row, pixel) = (page.width, page.row_bytes() * 8, page.pixel_bits());
    let apart = if page.planar { row * page.height } else { page.bits };
    let padding = row - width * pixel;
    // Rows of whole bytes need no division, which takes longer than all the rest.
    move |index, channel| index * pixel + channel * apart + if padding == 0 { 0 } else { index / width * padding }
}

/// Writes the pixels of `raw`, whose samples use `depth` bits, to `out` as bytes of `color`; fewer bits than 8 are
/// spread over all of 0 to 255.
fn convert(page: &Page<'_>, raw: &[u8], depth: Option<u32>, color: Color, out: &mut [u8]) -> Result<(), String> {
    let (place, bits, white) = (places(page), page.bits, (1 << page.bits.min(8)) - 1);
    let shift = samples::shift(bits.max(8) as u32, depth);
    let number = |index, channel| sample(raw, place(index, channel), bits);
    match bits {
        _ if page.format == FLOAT => {
            paint(page, raw, color, out, |index, channel| {
                samples::float(real(raw, place(index, channel), bits), depth)
            });
        }
        8 => paint(page, raw, color, out, |index, channel| raw[place(index, channel) / 8]),
        9.. => paint(page, raw, color, out, |index, channel| samples::whole(number(index, channel), shift)),
        _ => paint(page, raw, color, out, |index, channel| ((number(index, channel) * 255 + white / 2) / white) as u8),
    }
    Ok(())
}

/// Writes the pixels, whose samples are bytes by `byte`, as their color is told.
fn paint(page: &Page<'_>, raw: &[u8], color: Color, out: &mut [u8], byte: impl Fn(usize, usize) -> u8) {
    let place = places(page);
    let pixels = 0..page.height * page.width;
    match page.photometric {
        WHITE_IS_ZERO => samples::write(pixels.map(|index| [255 - byte(index, 0); 3]), color, out),
        BLACK_IS_ZERO => samples::write(pixels.map(|index| [byte(index, 0); 3]), color, out),
        PALETTE => {
            let colors = colors(page);
            samples::write(pixels.map(|index| colors[sample(raw, place(index, 0), page.bits) as usize]), color, out);
        }
        YCBCR if color == Color::Grey => samples::write(pixels.map(|index| [byte(index, 0); 3]), color, out),
        YCBCR => samples::write(pixels.map(|index| rgb([0, 1, 2].map(|channel| byte(index, channel)))), color, out),
        _ => samples::write(pixels.map(|index| [0, 1, 2].map(|channel| byte(index, channel))), color, out),
    }
}

/// The sample of `bits` that starts at bit `place`: packed from the upper bit down, or as this machine has its bytes.
fn sample(raw: &[u8], place: usize, bits: usize) -> u32 {
    let at = place / 8;
    match bits {
        8 => u32::from(raw[at]),
        16 => u32::from(u16::from_ne_bytes([raw[at], raw[at + 1]])),
        32 => u32::from_ne_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]]),
        _ => {
            let three =
                (0..3).fold(0, |number, next| number << 8 | u32::from(raw.get(at + next).copied().unwrap_or(0)));
            three >> (24 - place % 8 - bits) & ((1 << bits) - 1)
        }
    }
}

/// The floating-point sample that starts at bit `place`.
fn real(raw: &[u8], place: usize, bits: usize) -> f64 {
    let at = &raw[place / 8..][..bits / 8];
    match *at {
        [a, b] => half(u16::from_ne_bytes([a, b])),
        [a, b, c, d] => f32::from_ne_bytes([a, b, c, d]).into(),
        [a, b, c, d, e, f, g, h] => f64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::NAN,
    }
}

/// An IEEE number of 16 bits.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// The palette as RGB bytes. Some writers have its 16 bits hold 8, which libtiff tells as well: none is above 255.
fn colors(page: &Page<'_>) -> Vec<[u8; 3]> {
    let (count, values) = (1 << page.bits, page.palette());
    let shift = if values.iter().all(|value| *value < 256) { 0 } else { 8 };
    (0..count).map(|index| [0, 1, 2].map(|channel| (values[channel * count + index] >> shift) as u8)).collect()
}

/// Full-range YCbCr to RGB, as in JFIF.
fn rgb([luma, blue, red]: [u8; 3]) -> [u8; 3] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    [luma + 1.402 * red, luma - 0.344_136 * blue - 0.714_136 * red, luma + 1.772 * blue]
        .map(|value| value.round() as u8)
}
