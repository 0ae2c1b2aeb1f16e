//! JPEG: a plain one's luma by our own reader; anything else by libjpeg-turbo, scaled while it is decoded.

use super::resize::Source;
use super::tidy::tidied;
use super::{Color, Decoded, Finding, SCALE, Scratch, Target, check_size, room, samples};
use crate::audited::{Jpeg, Pixels};

/// A picture that is scaled while it is decoded keeps at least this many times the target's rows and columns. The mean
/// difference to resampling the whole picture was measured on real footage: 0.6 to 1.3 grey levels at twice the target,
/// 0.1 to 0.5 at four times.
const OVERSAMPLING: usize = 4;

/// The scales, in eighths, that are worth it. The library has fast code for these sizes of block only: on the way to
/// 6/8, which is plain C, it takes longer than for the whole picture.
const SCALES: [usize; 4] = [1, 2, 4, 8];

/// Scans of a progressive file times its pixels: beyond this a small, hostile file would take minutes.
const SCAN_PIXELS: usize = 4_000_000_000 / SCALE;

/// Height and width from the header.
pub(super) fn size(data: &[u8]) -> Result<(usize, usize), String> {
    open(data).map(|jpeg| (jpeg.header().height, jpeg.header().width))
}

/// Decodes `data` into `out`, of the target's size and color.
pub(super) fn decode(data: &[u8], target: Target, scratch: &mut Scratch, out: &mut [u8]) -> Decoded {
    let known = with_known_version(data);
    let data = known.as_deref().unwrap_or(data);
    #[cfg(feature = "plain-jpeg")]
    if let Some(done) = super::plain::decode(data, target, scratch, out) {
        return done;
    }
    let done = decode_any(data, target, scratch, out)?;
    #[cfg(feature = "plain-jpeg")]
    let passes = done == Finding::Whole && !super::plain::has_fault(data, scratch);
    #[cfg(not(feature = "plain-jpeg"))]
    let passes = done == Finding::Whole;
    if passes {
        return Ok(done);
    }
    let Some(tidied) = tidied(data) else { return Ok(damaged(done)) };
    if decode_once(&tidied, target, scratch, out) == Ok(Finding::Whole) {
        return Ok(Finding::Harmless);
    }
    decode_any(data, target, scratch, out).map(damaged)
}

/// The same with a JFIF version that the library knows: of the others it warns first, and of the rest no more.
fn with_known_version(data: &[u8]) -> Option<Vec<u8>> {
    let strange = data.get(2..4) == Some(&[0xff, 0xe0]) && data.get(6..11) == Some(b"JFIF\0") && *data.get(11)? != 1;
    strange.then(|| [&data[..11], &[1], &data[12..]].concat())
}

/// What is said of a file that lost pixels, also where the library did not notice.
fn damaged(found: Finding) -> Finding {
    match found {
        Finding::Whole => Finding::Damaged("is damaged: its coded pixels do not end where they should".into()),
        known => known,
    }
}

fn decode_once(data: &[u8], target: Target, scratch: &mut Scratch, out: &mut [u8]) -> Decoded {
    #[cfg(feature = "plain-jpeg")]
    if let Some(done) = super::plain::decode(data, target, scratch, out) {
        return done;
    }
    decode_any(data, target, scratch, out)
}

/// Any JPEG, by libjpeg-turbo.
pub(super) fn decode_any(data: &[u8], target: Target, scratch: &mut Scratch, out: &mut [u8]) -> Decoded {
    let jpeg = open(data)?;
    let header = jpeg.header();
    let eighths =
        if header.lossless || target.color == Color::Grey { 8 } else { eighths(header.height, header.width, target) };
    let (height, width) = header.scaled(eighths);
    let pixels = match (header.cmyk, target.color) {
        (true, _) => Pixels::Cmyk,
        (false, Color::Grey) => Pixels::Grey,
        (false, Color::Rgb) => Pixels::Rgb,
    };
    if (height, width) == (target.height, target.width) && pixels != Pixels::Cmyk {
        return read(&jpeg, eighths, pixels, out);
    }
    let raw = room(&mut scratch.raw, height * width * pixels.channels())?;
    let damage = read(&jpeg, eighths, pixels, raw)?;
    let used = |side: usize| (side * eighths) as f64 / 8.0; // the library rounds the scaled size up
    let (used_height, used_width) = (used(header.height), used(header.width));
    let mut source = Source { pixels: raw, height, width, used_height, used_width };
    if pixels == Pixels::Cmyk {
        let converted = room(&mut scratch.pixels, height * width * target.color.channels())?;
        samples::convert_inverted_cmyk(raw, target.color, converted);
        source.pixels = converted;
    }
    scratch.resizer.resize(&source, target, out)?;
    Ok(damage)
}

fn open(data: &[u8]) -> Result<Jpeg<'_>, String> {
    let jpeg = Jpeg::open(data).map_err(|reason| format!("cannot be decoded: {reason}"))?;
    check_size(jpeg.header().height, jpeg.header().width)?;
    Ok(jpeg)
}

/// The smallest scale that leaves [`OVERSAMPLING`] times the target, the same for every build and machine.
fn eighths(height: usize, width: usize, target: Target) -> usize {
    let enough = |eighths: &usize| {
        height * eighths >= 8 * OVERSAMPLING * target.height && width * eighths >= 8 * OVERSAMPLING * target.width
    };
    SCALES.into_iter().find(enough).unwrap_or(8)
}

/// How many scans a picture of this size may have.
pub(super) fn most_scans(height: usize, width: usize) -> usize {
    (SCAN_PIXELS / (height * width)).clamp(20, 500)
}

/// Decodes, and says what is wrong with the pixels if something is.
fn read(jpeg: &Jpeg<'_>, eighths: usize, pixels: Pixels, into: &mut [u8]) -> Decoded {
    let header = jpeg.header();
    let scans = most_scans(header.height, header.width);
    if header.warning.is_none() && jpeg.decode(eighths, pixels, scans, into) == Ok(None) {
        return Ok(Finding::Whole);
    }
    // Once more over zeros: rows that the decoder does not reach must not show what the buffer held before.
    into.fill(0);
    let outcome = jpeg.again()?.decode(eighths, pixels, scans, into);
    let reason = outcome.map_or_else(Some, |warning| warning.or(header.warning.clone())).unwrap_or_default();
    // Where data ends at once, the decoder still makes up a few blocks: the first two rows of blocks do not count.
    let (_, width) = header.scaled(eighths);
    let made_up = 2 * eighths * width * pixels.channels();
    damage(&reason, into.get(made_up..).filter(|below| !below.is_empty()).unwrap_or(into))
}

/// What is wrong. Pixels that are all the same are what the decoder makes of nothing.
fn damage(reason: &str, pixels: &[u8]) -> Decoded {
    let nothing = pixels.iter().all(|pixel| *pixel == pixels[0]);
    match (nothing, reason.contains("Premature end")) {
        (true, _) => Err(format!("cannot be decoded: {reason}")),
        (false, true) => Ok(Finding::Damaged(format!("is truncated: {reason}"))),
        (false, false) => Ok(Finding::Damaged(format!("is damaged: {reason}"))),
    }
}
