//! How a picture is turned to be seen as it was taken: the orientation of EXIF, which TIFF has as a tag of its own.
//!
//! What is damaged or makes no sense counts as "as it lies": no picture is lost for it.

use std::ops::Range;

use image::ImageFormat;

use super::file::{self, Kind};

/// The tag's number.
const ORIENTATION: usize = 274;
const SHORT: usize = 3;
const LONG: usize = 4;

const EXIF: &[u8] = b"Exif\0\0";

/// From the pixels of a file to those that a viewer shows, from 1 to 8 as EXIF numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(pub u8);

impl Orientation {
    pub(super) const AS_IT_LIES: Self = Self(1);

    /// What the file says.
    pub(super) fn of(kind: Kind, data: &[u8]) -> Self {
        Tag::find(kind, data).map_or(Self::AS_IT_LIES, |tag| tag.value())
    }

    /// What is seen of it, turned upside down.
    pub(super) fn upside_down(self) -> Self {
        Self(if self.is_across() { 13 - self.0 } else { 5 - self.0 })
    }

    /// Whether rows become columns.
    pub(super) fn is_across(self) -> bool {
        self.0 >= 5
    }

    /// Height and width as they lie for those that are seen, and the other way round.
    pub(super) fn size(self, (height, width): (usize, usize)) -> (usize, usize) {
        if self.is_across() { (width, height) } else { (height, width) }
    }

    /// Writes the rows of `lying`, pixels of `channels` bytes, to `out` as they are seen, `width` pixels a row.
    pub(super) fn turn(self, lying: &[u8], width: usize, channels: usize, out: &mut [u8]) {
        let height = out.len() / (width * channels);
        let (rows, columns) = self.size((height, width));
        for (y, row) in out.chunks_exact_mut(width * channels).enumerate() {
            for (x, pixel) in row.chunks_exact_mut(channels).enumerate() {
                let (row, column) = self.size((y, x));
                let row = if matches!(self.0, 3 | 4 | 6 | 7) { rows - 1 - row } else { row };
                let column = if matches!(self.0, 2 | 3 | 7 | 8) { columns - 1 - column } else { column };
                let from = channels * (row * columns + column);
                pixel.copy_from_slice(&lying[from..from + channels]);
            }
        }
    }
}

/// The number from 1 to 8 that an image file gives its orientation (1 where it gives none), and the file with 1 in its
/// place.
///
/// A PNG or WebP stays as it is: its bytes have a checksum, and who reads their pixels does not turn them.
#[must_use]
pub fn laid_upright(mut data: Vec<u8>) -> (u8, Vec<u8>) {
    let Ok(kind) = file::kind(&data) else { return (1, data) };
    let Orientation(number) = Orientation::of(kind, &data);
    if matches!(kind, Kind::Jpeg | Kind::Raster(ImageFormat::Tiff)) {
        set_upright(kind, &mut data);
    }
    (number, data)
}

/// Puts 1 in place of a JPEG's or TIFF's orientation, if it has any.
pub(super) fn set_upright(kind: Kind, data: &mut [u8]) {
    if let Some(tag) = Tag::find(kind, data) {
        tag.set_upright(data);
    }
}

/// Where a file's orientation stands, and what it says.
struct Tag {
    /// Of the entry in the file: the tag's number, its type, how many values, the first value.
    at: usize,
    layout: Layout,
    /// The value, if it is one number.
    number: Option<usize>,
}

/// How the numbers of a TIFF, which EXIF is, too, lie: big-endian or little, BigTIFF's of 8 bytes or the old ones of 4.
#[derive(Clone, Copy)]
struct Layout {
    big_endian: bool,
    word: usize,
}

impl Layout {
    fn number(self, data: &[u8], at: usize, bytes: usize) -> Option<usize> {
        let found = data.get(at..at.checked_add(bytes)?)?;
        let digit = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        let number = if self.big_endian { found.iter().fold(0, digit) } else { found.iter().rev().fold(0, digit) };
        usize::try_from(number).ok()
    }

    fn write(self, data: &mut [u8], number: u8) {
        data.fill(0);
        let place = if self.big_endian { data.len() - 1 } else { 0 };
        data[place] = number;
    }
}

impl Tag {
    fn find(kind: Kind, data: &[u8]) -> Option<Self> {
        let place = match kind {
            Kind::Jpeg => in_jpeg(data)?,
            Kind::Raster(ImageFormat::Png) => in_png(data)?,
            Kind::Raster(ImageFormat::WebP) => in_webp(data)?,
            Kind::Raster(ImageFormat::Tiff) => 0..data.len(),
            Kind::Raster(_) => return None,
        };
        // Readers of TIFF take any whole number, those of EXIF only what it should be.
        let types = if kind == Kind::Raster(ImageFormat::Tiff) { &[SHORT, LONG][..] } else { &[SHORT] };
        let tag = Self::in_directory(data.get(place.clone())?, types)?;
        Some(Self { at: place.start + tag.at, ..tag })
    }

    /// In the first directory.
    fn in_directory(tiff: &[u8], types: &[usize]) -> Option<Self> {
        let big_endian = match tiff.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let (word, counted, size) = match (Layout { big_endian, word: 4 }).number(tiff, 2, 2)? {
            42 => (4, 2, 12),
            43 => (8, 8, 20),
            _ => return None,
        };
        let layout = Layout { big_endian, word };
        let directory = layout.number(tiff, word, word)?;
        let count = layout.number(tiff, directory, counted)?.min(tiff.len() / size);
        let mut entries = (0..count).map(|index| directory + counted + index * size);
        let at = entries.find(|at| layout.number(tiff, *at, 2) == Some(ORIENTATION))?;
        let entry = tiff.get(at..at + size)?;
        let kind = layout.number(entry, 2, 2).filter(|kind| types.contains(kind));
        let single = kind.filter(|_| layout.number(entry, 4, word) == Some(1));
        let number = single.and_then(|kind| layout.number(entry, 4 + word, if kind == SHORT { 2 } else { 4 }));
        Some(Self { at, layout, number })
    }

    fn value(&self) -> Orientation {
        let number = self.number.filter(|number| (1..=8).contains(number));
        number.map_or(Orientation::AS_IT_LIES, |number| Orientation(number as u8))
    }

    fn set_upright(&self, data: &mut [u8]) {
        let Layout { word, .. } = self.layout;
        let entry = &mut data[self.at..][..4 + 2 * word];
        self.layout.write(&mut entry[2..4], SHORT as u8);
        self.layout.write(&mut entry[4..4 + word], 1);
        self.layout.write(&mut entry[4 + word..6 + word], 1);
        entry[6 + word..].fill(0);
    }
}

/// Where the TIFF of the first EXIF segment before the coded pixels lies.
fn in_jpeg(data: &[u8]) -> Option<Range<usize>> {
    let mut at = 2;
    loop {
        at += data.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match data[at..] {
            [_, 0xff, ..] => at += 1,
            [_, 0 | 1 | 0xd0..=0xd8, ..] => at += 2,
            [_, 0xd9 | 0xda, ..] => return None,
            [_, kind, high, low, ..] => {
                let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
                if kind == 0xe1 && data.get(at + 4..end)?.starts_with(EXIF) {
                    return Some(at + 4 + EXIF.len()..end);
                }
                at = end.max(at + 4);
            }
            _ => return None,
        }
    }
}

/// Where the TIFF in a PNG's eXIf chunk lies, which may also stand behind the pixels.
fn in_png(data: &[u8]) -> Option<Range<usize>> {
    let mut at: usize = 8;
    loop {
        let (length, rest) = data.get(at..)?.split_first_chunk()?;
        let end = at.checked_add(8)?.checked_add(u32::from_be_bytes(*length) as usize)?;
        match rest.get(..4)? {
            b"eXIf" => return Some(at + 8..end),
            b"IEND" => return None,
            _ => at = end.checked_add(4)?,
        }
    }
}

/// Where the TIFF in a WebP's EXIF chunk lies.
fn in_webp(data: &[u8]) -> Option<Range<usize>> {
    let mut at: usize = 12;
    loop {
        let (kind, rest) = data.get(at..)?.split_first_chunk()?;
        let length = u32::from_le_bytes(*rest.first_chunk()?) as usize;
        let (start, end) = (at + 8, at.checked_add(8)?.checked_add(length)?);
        if kind == b"EXIF" {
            let prefixed = data.get(start..)?.starts_with(EXIF);
            return Some(if prefixed { start + EXIF.len()..end } else { start..end });
        }
        at = end.checked_add(length % 2)?;
    }
}
