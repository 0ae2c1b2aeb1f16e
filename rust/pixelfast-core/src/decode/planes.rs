//! Frames that a video decoder left in its own memory: to grey or RGB of one size, full range, as they are seen.

use rayon::prelude::*;

use super::orientation::Orientation;
use super::resize::Source;
use super::samples::{self, Layout};
use super::shrink::{self, Shrink};
use super::worker::{Worker, room, with_worker};
use super::{Color, Target, check_size};
use crate::{Cancel, Error, Result};

/// What the decoder's planes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples {
    /// Luma, one byte a pixel.
    Byte,
    /// Luma, two bytes a pixel, the lower first, of which so many bits are used: 9 to 16.
    Word(u32),
    /// Red, green and blue, one byte each.
    Rgb,
}

/// Planes of equal geometry, one a frame.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// The bytes of each.
    pub pixels: &'a [&'a [u8]],
    /// Bytes from one row to the next.
    pub line: usize,
    /// Rows, as they lie.
    pub height: usize,
    /// Columns, as they lie.
    pub width: usize,
    /// What a pixel is.
    pub samples: Samples,
    /// Whether luma runs from 16 to 235, of 8 bits.
    pub limited: bool,
    /// How they are turned to be seen as they were taken, from 1 to 8 as EXIF numbers it.
    pub orientation: u8,
}

/// Resizes each plane into its frame of `out`, u8 N x H x W or N x H x W x 3; luma cannot become RGB.
///
/// With `alone` the caller's thread does all of it.
///
/// # Errors
/// [`Error::Shape`] where sizes do not fit together; [`Error::Value`] for more pixels than are taken, for bits or an
/// orientation that there are not, and where color is wanted of luma; [`Error::Cancelled`].
pub fn resize_planes(planes: &Planes<'_>, target: Target, out: &mut [u8], alone: bool, cancel: &Cancel) -> Result<()> {
    let turn = check(planes, target, out.len())?;
    let (height, width) = turn.size((target.height, target.width));
    let small = Target { height, width, color: target.color };
    let shrink = Shrink::new((planes.height, planes.width), (height, width));
    let bytes = height * width * target.color.channels();
    let one = |(pixels, out): (&&[u8], &mut [u8])| {
        cancel.check()?;
        with_worker(|worker| {
            let done = if turn == Orientation::AS_IT_LIES {
                resize(planes, &shrink, pixels, small, worker, out)
            } else {
                let mut lying = std::mem::take(&mut worker.scratch.lying);
                let done = room(&mut lying, bytes).and_then(|room| {
                    resize(planes, &shrink, pixels, small, worker, room)?;
                    turn.turn(room, target.width, target.color.channels(), out);
                    Ok(())
                });
                worker.scratch.lying = lying;
                done
            };
            done.map_err(Error::Value)
        })
    };
    if alone {
        return planes.pixels.iter().zip(out.chunks_exact_mut(bytes)).try_for_each(one);
    }
    planes.pixels.par_iter().zip(out.par_chunks_exact_mut(bytes)).with_max_len(1).try_for_each(one)
}

fn check(planes: &Planes<'_>, target: Target, out: usize) -> Result<Orientation> {
    let &Planes { pixels, line, height, width, samples, orientation, .. } = planes;
    let (bytes, shape) = match samples {
        Samples::Byte => (1, true),
        Samples::Word(bits) => (2, (9..=16).contains(&bits)),
        Samples::Rgb => (3, true),
    };
    if !shape || !(1..=8).contains(&orientation) || (target.color == Color::Rgb && samples != Samples::Rgb) {
        return Err(Error::Value(format!("{samples:?} in orientation {orientation} cannot become {:?}", target.color)));
    }
    check_size(height, width).map_err(Error::Value)?;
    let row = width * bytes;
    let enough = (height - 1).checked_mul(line).and_then(|rows| rows.checked_add(row));
    let frame = target.bytes().filter(|bytes| *bytes > 0 && out == bytes * pixels.len());
    match (enough, frame) {
        (Some(enough), Some(_)) if line >= row && pixels.iter().all(|plane| plane.len() >= enough) => {
            Ok(Orientation(orientation))
        }
        _ => Err(Error::Shape(format!("{} planes of {height}x{width}, rows {line} bytes apart", pixels.len()))),
    }
}

fn resize(
    planes: &Planes<'_>,
    shrink: &Shrink,
    pixels: &[u8],
    target: Target,
    worker: &mut Worker,
    out: &mut [u8],
) -> std::result::Result<(), String> {
    let &Planes { line, height, width, samples, .. } = planes;
    let limited = planes.limited && samples != Samples::Rgb;
    let scratch = &mut worker.scratch;
    let far = height > shrink::MOST * target.height || width > shrink::MOST * target.width;
    if samples == Samples::Byte && !far {
        shrink.run(pixels, line, limited, &mut scratch.sums, out);
        return Ok(());
    }
    let row_bytes = width * target.color.channels();
    let tight = room(&mut scratch.pixels, height * row_bytes)?;
    for (row, bytes) in pixels.chunks(line).zip(tight.chunks_exact_mut(row_bytes)) {
        match samples {
            Samples::Byte => bytes.copy_from_slice(&row[..width]),
            Samples::Word(bits) => {
                let samples = row.as_chunks::<2>().0.iter().zip(bytes);
                samples.for_each(|(sample, byte)| *byte = rounded(u16::from_le_bytes(*sample), bits));
            }
            Samples::Rgb => {
                let layout = Layout { channels: 3, stride: 1, upper: 0 };
                samples::convert(&row[..width * 3], layout, None, target.color, bytes);
            }
        }
    }
    if !far && target.color == Color::Grey {
        shrink.run(tight, width, limited, &mut scratch.sums, out);
        return Ok(());
    }
    scratch.resizer.resize(&Source::whole(tight, height, width), target, out)?;
    if limited {
        out.iter_mut().for_each(|level| *level = ((f32::from(*level) - 16.0) * (255.0 / 219.0)).round() as u8);
    }
    Ok(())
}

/// A sample of `bits` bits as one of 8, to the nearest.
fn rounded(sample: u16, bits: u32) -> u8 {
    let half = 1 << (bits - 9);
    ((u32::from(sample) + half) >> (bits - 8)).min(255) as u8
}
