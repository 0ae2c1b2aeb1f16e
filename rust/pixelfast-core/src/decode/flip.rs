//! A JPEG turned upside down as it is seen, without loss where its size allows it.

use std::fmt::Display;

use turbojpeg::{Colorspace, PixelFormat, Subsamp, TransformOp};

use super::check_size;
use super::file::Kind;
use super::jpeg;
use super::orientation::{self, Orientation};
use super::tidy::tidied;
use crate::audited::write::{Coding, compressed, transformed};
use crate::{Error, Result};

const START_OF_SCAN: u8 = 0xda;
const COMMENT: u8 = 0xfe;

/// Turns the JPEG in `data` upside down: the new file, and whether nothing was lost.
///
/// What is turned is the picture as it is seen, by its EXIF orientation unless `oriented` says that this means nothing;
/// the new file lies as it is seen. The lossless turn moves the coded blocks and keeps every marker but the orientation,
/// which is 1 then. It needs sides of whole blocks where these are mirrored; other files are decoded, turned and coded
/// again at `quality` with their own color space, subsampling and markers.
///
/// # Errors
/// [`Error::Value`] if `data` is no JPEG that can be decoded whole, or `quality` is not from 1 to 100.
pub fn flip_jpeg(data: &[u8], quality: i32, oriented: bool) -> Result<(Vec<u8>, bool)> {
    let quality = usize::try_from(quality)
        .ok()
        .filter(|quality| (1..=100).contains(quality))
        .ok_or_else(|| Error::Value(format!("quality must be from 1 to 100, not {quality}")))?;
    let header = turbojpeg::read_header(data).map_err(|error| refusal(&error))?;
    check_size(header.height, header.width).map_err(|reason| Error::Value(format!("the JPEG {reason}")))?;
    // What turns a file cannot be told to stop; in coded data these bytes are nothing else.
    let scans = data.windows(2).filter(|pair| *pair == [0xff, START_OF_SCAN]).count();
    if scans > jpeg::most_scans(header.height, header.width) {
        return Err(Error::Value(format!("data is not a JPEG that can be turned: it has {scans} scans")));
    }
    let seen = if oriented { Orientation::of(Kind::Jpeg, data) } else { Orientation::AS_IT_LIES };
    let how = seen.upside_down();
    // A file with a fault that costs no pixel is turned without it.
    let (mut turned, lossless) = turn(data, how, quality).or_else(|error| {
        turn(&tidied(data).ok_or_else(|| refusal(&error))?, how, quality).map_err(|error| refusal(&error))
    })?;
    orientation::set_upright(Kind::Jpeg, &mut turned);
    Ok((turned, lossless))
}

fn turn(data: &[u8], how: Orientation, quality: usize) -> std::result::Result<(Vec<u8>, bool), String> {
    match transform(data, how) {
        Ok(turned) => Ok((turned, true)),
        Err(_) => recode(data, how, quality).map(|recoded| (with_markers_of(data, &recoded), false)),
    }
}

fn refusal(error: &impl Display) -> Error {
    Error::Value(format!("data is not a JPEG that can be turned: {error}"))
}

fn transform(data: &[u8], turn: Orientation) -> std::result::Result<Vec<u8>, String> {
    let turn = match turn.0 {
        2 => TransformOp::Hflip,
        3 => TransformOp::Rot180,
        4 => TransformOp::Vflip,
        5 => TransformOp::Transpose,
        6 => TransformOp::Rot90,
        7 => TransformOp::Transverse,
        8 => TransformOp::Rot270,
        _ => return Ok(data.to_vec()),
    };
    transformed(data, turn)
}

fn recode(data: &[u8], turn: Orientation, quality: usize) -> std::result::Result<Vec<u8>, String> {
    let header = turbojpeg::read_header(data).map_err(|error| error.to_string())?;
    let format = match header.colorspace {
        Colorspace::Gray => PixelFormat::GRAY,
        Colorspace::CMYK | Colorspace::YCCK => PixelFormat::CMYK,
        _ => PixelFormat::RGB,
    };
    let lying = turbojpeg::decompress(data, format).map_err(|error| error.to_string())?;
    let (height, width) = turn.size((lying.height, lying.width));
    let mut pixels = vec![0; lying.pixels.len()];
    turn.turn(&lying.pixels, width, format.size(), &mut pixels);
    let coding = Coding { quality, colorspace: header.colorspace, subsampling: subsampling(header.subsamp, turn) };
    compressed(&pixels, (height, width), format, &coding)
}

/// The file's own subsampling, turned with it, or none where it cannot be written: then no color is lost.
fn subsampling(lying: Subsamp, turn: Orientation) -> Subsamp {
    match lying {
        Subsamp::Unknown => Subsamp::None,
        Subsamp::Sub2x1 if turn.is_across() => Subsamp::Sub1x2,
        Subsamp::Sub1x2 if turn.is_across() => Subsamp::Sub2x1,
        Subsamp::Sub4x1 if turn.is_across() => Subsamp::Sub1x4,
        Subsamp::Sub1x4 if turn.is_across() => Subsamp::Sub4x1,
        own => own,
    }
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
