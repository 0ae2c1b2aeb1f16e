//! The pages of a TIFF stack, each taken out as a TIFF of its own, so that it is decoded as a single picture is.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::decode::file;

const SUBFILE: u16 = 254;
const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const STRIP_OFFSETS: u16 = 273;
const STRIP_COUNTS: u16 = 279;
const TILE_OFFSETS: u16 = 324;
const TILE_COUNTS: u16 = 325;
/// Places of further directories, which are not taken along: smaller pictures, EXIF, GPS.
const POINTERS: [u16; 3] = [330, 34_665, 34_853];

/// A page of more bytes than this is no picture of at most 128 million pixels.
const PAGE_LIMIT: u64 = 2 << 30;
/// Bits of the subfile's kind: a smaller copy of another picture, and a mask.
const NO_PICTURE: u64 = 1 | 4;

pub(super) struct Pages {
    little: bool,
    big: bool,
    file_bytes: u64,
    /// Where the directories of the pages begin.
    places: Vec<u64>,
    /// Where all directories begin, in order.
    directories: Vec<u64>,
    /// Whether a further page was announced that is not there.
    cut: bool,
}

struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// Its value, or where it lies.
    field: Vec<u8>,
}

struct Directory {
    entries: Vec<Entry>,
    next: u64,
}

impl Entry {
    fn value_bytes(&self) -> Option<u64> {
        let size = match self.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => return None,
        };
        self.count.checked_mul(size)
    }
}

impl Directory {
    /// Takes its bytes off those that are left of a file, where they are: directories do not lie over each other.
    fn fits(&self, left: &mut u64) -> bool {
        let bytes: usize = self.entries.iter().map(|entry| 8 + entry.field.len()).sum();
        left.checked_sub(2 + bytes as u64).is_some_and(|rest| {
            *left = rest;
            true
        })
    }
}

impl Pages {
    /// Follows the directories from one to the next; no pixel is read.
    pub(super) fn open(file: &mut (impl Read + Seek)) -> Result<Self, String> {
        let file_bytes = file.seek(SeekFrom::End(0)).map_err(file::because)?;
        let damaged = || "cannot be decoded: its TIFF directory is cut off or damaged".to_string();
        let head = read_at(file, 0, 8).ok_or_else(damaged)?;
        let (little, big) = (head[0] == b'I', head[2..4].contains(&43));
        let mut pages = Self { little, big, file_bytes, places: vec![], directories: vec![], cut: false };
        let (at, word) = if big { (8, 8) } else { (4, 4) };
        let mut place = pages.number(&read_at(file, at, word).ok_or_else(damaged)?);
        let (mut seen, mut smaller, mut left) = (HashSet::new(), Vec::new(), 2 * file_bytes);
        while place != 0 {
            let found = pages.directory(file, place).filter(|_| seen.insert(place));
            let Some(directory) = found.filter(|found| found.fits(&mut left)) else {
                pages.cut = true;
                break;
            };
            let one = |tag| directory.entries.iter().find(|entry| entry.tag == tag);
            if one(WIDTH).is_none() || one(HEIGHT).is_none() {
                pages.cut = true;
                break;
            }
            let kind = one(SUBFILE).map_or(0, |entry| pages.number(&entry.field[..4]));
            if kind & NO_PICTURE == 0 { &mut pages.places } else { &mut smaller }.push(place);
            place = directory.next;
        }
        if pages.places.is_empty() {
            pages.places = smaller;
        }
        if pages.places.is_empty() {
            return Err(damaged());
        }
        pages.directories = seen.into_iter().collect();
        pages.directories.sort_unstable();
        Ok(pages)
    }

    /// How many there are; in a stack, one that was announced and is not there counts.
    pub(super) fn length(&self) -> usize {
        self.places.len() + usize::from(self.cut && self.places.len() > 1)
    }

    /// A page as a TIFF of its own; without `pixels` its directory alone has a meaning.
    pub(super) fn page(&self, path: &Path, page: usize, pixels: bool) -> Result<Vec<u8>, String> {
        let place = *self.places.get(page).ok_or("is cut off: the page is not there")?;
        let damaged = || "cannot be decoded: its TIFF directory is cut off or damaged".to_string();
        let mut file = File::open(path).map_err(file::because)?;
        let directory = self.directory(&mut file, place).ok_or_else(damaged)?;
        let mut out = if self.little { b"II".to_vec() } else { b"MM".to_vec() };
        let (mark, word) = if self.big { ([43, 8, 0], 8) } else { ([42, 0, 0], 4) };
        out.extend(self.short(mark[0]));
        out.extend(if self.big { [self.short(mark[1]), self.short(mark[2])].concat() } else { vec![] });
        let start = out.len();
        out.resize(start + word, 0);
        let strips = if pixels { self.copy_strips(&mut file, &directory, &mut out)? } else { None };
        let (mut entries, mut left) = (Vec::new(), 2 * self.file_bytes);
        for entry in directory.entries.iter().filter(|entry| !POINTERS.contains(&entry.tag)) {
            let Some(bytes) = entry.value_bytes() else { continue };
            left = left.checked_sub(bytes).ok_or_else(damaged)?; // else values lie over each other
            let (kind, value) = match (&strips, entry.tag) {
                (Some((starts, _)), STRIP_OFFSETS | TILE_OFFSETS) => (self.long_kind(), self.longs(starts)),
                (Some((_, lengths)), STRIP_COUNTS | TILE_COUNTS) => (self.long_kind(), self.longs(lengths)),
                _ => (entry.kind, self.value(&mut file, entry, bytes).ok_or_else(damaged)?),
            };
            let count = if kind == entry.kind { entry.count } else { (value.len() / word) as u64 };
            entries.extend([&self.short(entry.tag)[..], &self.short(kind), &self.long(count)].concat());
            if value.len() <= word {
                entries.extend(value.iter().chain(&[0; 8]).take(word));
            } else {
                entries.extend(self.long(out.len() as u64));
                out.extend(value);
            }
        }
        let place = self.long(out.len() as u64);
        out[start..start + word].copy_from_slice(&place);
        let count = (entries.len() / (4 + 2 * word)) as u64;
        out.extend(if self.big { self.long(count) } else { self.short(count as u16).to_vec() });
        out.extend(entries);
        out.extend(self.long(0));
        Ok(out)
    }

    /// Appends the strips or tiles to `out`: where each is there, and its length. What the file lacks of one is left
    /// out; a length that is not told is what lies before the next strip or directory.
    #[expect(clippy::type_complexity, reason = "two lists")]
    fn copy_strips(
        &self,
        file: &mut File,
        directory: &Directory,
        out: &mut Vec<u8>,
    ) -> Result<Option<(Vec<u64>, Vec<u64>)>, String> {
        let mut all = |tags: [u16; 2]| {
            let entry = directory.entries.iter().find(|entry| tags.contains(&entry.tag))?;
            let value = self.value(file, entry, entry.value_bytes()?)?;
            let size = value.len() / (entry.count.max(1) as usize);
            Some(value.chunks_exact(size.max(1)).map(|bytes| self.number(bytes)).collect::<Vec<_>>())
        };
        let Some(starts) = all([STRIP_OFFSETS, TILE_OFFSETS]) else { return Ok(None) };
        let told = all([STRIP_COUNTS, TILE_COUNTS]).unwrap_or_default();
        let mut sorted = [&starts[..], &self.directories, &[self.file_bytes]].concat();
        sorted.sort_unstable();
        let (mut places, mut lengths, mut total) = (Vec::new(), Vec::new(), 0);
        for (index, &start) in starts.iter().enumerate() {
            let end = match told.get(index) {
                Some(&told) if told > 0 => start.saturating_add(told).min(self.file_bytes),
                _ => sorted.get(sorted.partition_point(|place| *place <= start)).copied().unwrap_or(start),
            };
            let length = end.saturating_sub(start);
            total += length;
            if total > PAGE_LIMIT.min(2 * self.file_bytes) {
                return Err("cannot be decoded: its strips lie over each other, or are too large".into());
            }
            // One that is not there lies beyond the end here, too.
            places.push(if length == 0 { u64::from(u32::MAX) } else { out.len() as u64 });
            lengths.push(length);
            file.seek(SeekFrom::Start(start)).map_err(file::because)?;
            file.take(length).read_to_end(out).map_err(file::because)?;
        }
        if total == 0 {
            return Err("is cut off: the pixels of the page are not there".into());
        }
        Ok(Some((places, lengths)))
    }

    fn directory(&self, file: &mut (impl Read + Seek), at: u64) -> Option<Directory> {
        let (head, word) = if self.big { (8, 8) } else { (2, 4) };
        let count = (self.number(&read_at(file, at, head)?) as usize).min(4096);
        let size = 4 + 2 * word;
        let entries = read_at(file, at.checked_add(head as u64)?, count * size)?;
        let next = read_at(file, at + (head + count * size) as u64, word).map_or(0, |bytes| self.number(&bytes));
        let entry = |bytes: &[u8]| Entry {
            tag: self.number(&bytes[..2]) as u16,
            kind: self.number(&bytes[2..4]) as u16,
            count: self.number(&bytes[4..4 + word]),
            field: bytes[4 + word..].to_vec(),
        };
        Some(Directory { entries: entries.chunks_exact(size).map(entry).collect(), next })
    }

    fn value(&self, file: &mut File, entry: &Entry, bytes: u64) -> Option<Vec<u8>> {
        if bytes <= entry.field.len() as u64 {
            return Some(entry.field[..bytes as usize].to_vec());
        }
        if bytes > self.file_bytes {
            return None;
        }
        read_at(file, self.number(&entry.field), bytes as usize)
    }

    fn number(&self, bytes: &[u8]) -> u64 {
        let digit = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.little { bytes.iter().rev().fold(0, digit) } else { bytes.iter().fold(0, digit) }
    }

    fn short(&self, value: u16) -> [u8; 2] {
        if self.little { value.to_le_bytes() } else { value.to_be_bytes() }
    }

    /// A number as wide as the file's offsets.
    fn long(&self, value: u64) -> Vec<u8> {
        match (self.big, self.little) {
            (true, true) => value.to_le_bytes().to_vec(),
            (true, false) => value.to_be_bytes().to_vec(),
            (false, true) => (value as u32).to_le_bytes().to_vec(),
            (false, false) => (value as u32).to_be_bytes().to_vec(),
        }
    }

    fn longs(&self, values: &[u64]) -> Vec<u8> {
        values.iter().flat_map(|value| self.long(*value)).collect()
    }

    fn long_kind(&self) -> u16 {
        if self.big { 16 } else { 4 }
    }
}

fn read_at(file: &mut (impl Read + Seek), at: u64, bytes: usize) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(at)).ok()?;
    let mut read = Vec::new();
    file.take(bytes as u64).read_to_end(&mut read).ok()?;
    (read.len() == bytes).then_some(read)
}
