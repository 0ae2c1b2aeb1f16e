//! A JPEG turned upside down, without loss where its height allows it.

use turbojpeg::{Colorspace, Compressor, PixelFormat, Subsamp, Transform, TransformOp, Transformer};

use super::check_size;
use super::tidy::tidied;
use crate::{Error, Result};

const START_OF_SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;

/// Turns the JPEG in `data` upside down: the new file, and whether nothing was lost.
///
/// The lossless turn moves the coded blocks and keeps every marker. It needs a height of whole blocks; other files are
/// decoded, turned and coded again at `quality` with their own color space, subsampling and markers.
///
/// # Errors
/// [`Error::Value`] if `data` is no JPEG that can be decoded whole, or `quality` is not from 1 to 100.
pub fn flip_jpeg(data: &[u8], quality: i32) -> Result<(Vec<u8>, bool)> {
    if !(1..=100).contains(&quality) {
        return Err(Error::Value(format!("quality must be from 1 to 100, not {quality}")));
    }
    let header = turbojpeg::read_header(data).map_err(|error| refusal(&error))?;
    check_size(header.height, header.width).map_err(|reason| Error::Value(format!("the JPEG {reason}")))?;
    // A file with a fault that costs no pixel is turned without it.
    turn(data, quality)
        .or_else(|error| turn(&tidied(data).ok_or_else(|| refusal(&error))?, quality).map_err(|error| refusal(&error)))
}

fn turn(data: &[u8], quality: i32) -> turbojpeg::Result<(Vec<u8>, bool)> {
    match transform(data) {
        Ok(flipped) => Ok((flipped, true)),
        Err(_) => recode(data, quality).map(|recoded| (with_markers_of(data, &recoded), false)),
    }
}

fn refusal(error: &turbojpeg::Error) -> Error {
    Error::Value(format!("data is not a JPEG that can be turned: {error}"))
}

fn transform(data: &[u8]) -> turbojpeg::Result<Vec<u8>> {
    let mut flip = Transform::op(TransformOp::Vflip);
    flip.perfect = true;
    Transformer::new()?.transform_to_vec(&flip, data)
}

fn recode(data: &[u8], quality: i32) -> turbojpeg::Result<Vec<u8>> {
    let header = turbojpeg::read_header(data)?;
    let format = match header.colorspace {
        Colorspace::Gray => PixelFormat::GRAY,
        Colorspace::CMYK | Colorspace::YCCK => PixelFormat::CMYK,
        _ => PixelFormat::RGB,
    };
    let mut image = turbojpeg::decompress(data, format)?;
    image.pixels = image.pixels.chunks_exact(image.pitch).rev().flatten().copied().collect();
    let mut compressor = Compressor::new()?;
    compressor.set_quality(quality)?;
    compressor.set_colorspace(header.colorspace)?;
    // The file's own, or none where it cannot be written: then no color is lost.
    compressor.set_subsamp(if header.subsamp == Subsamp::Unknown { Subsamp::None } else { header.subsamp })?;
    compressor.compress_to_vec(image.as_deref())
}

/// `recoded` with the markers of `data` (EXIF, ICC profile, comments) after its own.
fn with_markers_of(data: &[u8], recoded: &[u8]) -> Vec<u8> {
    let end = segments(recoded).take_while(|segment| is_application(segment)).map(<[u8]>::len).sum::<usize>() + 2;
    let kept = segments(data).filter(|segment| is_kept(segment)).collect::<Vec<_>>().concat();
    [&recoded[..end], &kept, &recoded[end..]].concat()
}

/// Marker segments from the start of a JPEG (after its first two bytes) to its first scan, each with its marker.
fn segments(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data.get(2..).unwrap_or_default();
    std::iter::from_fn(move || {
        let &[0xff, marker, high, low, ..] = rest else { return None };
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == START_OF_SCAN || length > rest.len() {
            return None;
        }
        let (segment, after) = rest.split_at(length);
        rest = after;
        Some(segment)
    })
}

fn is_application(segment: &[u8]) -> bool {
    (0xe0..=0xef).contains(&segment[1])
}

/// All but JFIF (APP0) and Adobe (APP14): those tell how the pixels are coded, and the new file has its own.
fn is_kept(segment: &[u8]) -> bool {
    segment[1] == COMMENT || (is_application(segment) && ![0xe0, 0xee].contains(&segment[1]))
}
