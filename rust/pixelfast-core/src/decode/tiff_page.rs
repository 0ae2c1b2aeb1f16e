//! A page of a TIFF as its directory describes it, written anew as a small TIFF that the `tiff` crate reads.
//!
//! The crate refuses baseline kinds (palettes, extra samples, packed depths, no StripByteCounts) and takes no notice of
//! FillOrder. So the page is given to it as plain samples without a meaning, which `tiff.rs` then puts into them.

use std::collections::BTreeMap;

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_COUNTS: u16 = 279;
const MAX_SAMPLE: u16 = 281;
const PLANAR: u16 = 284;
const PREDICTOR: u16 = 317;
const COLOR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_COUNTS: u16 = 325;
const SAMPLE_FORMAT: u16 = 339;
const JPEG_TABLES: u16 = 347;
const SUBSAMPLING: u16 = 530;

/// What is read of a page; of all else, however much it is, nothing is kept.
const KNOWN: [u16; 21] = [
    WIDTH,
    HEIGHT,
    BITS,
    COMPRESSION,
    PHOTOMETRIC,
    FILL_ORDER,
    STRIP_OFFSETS,
    SAMPLES,
    ROWS_PER_STRIP,
    STRIP_COUNTS,
    MAX_SAMPLE,
    PLANAR,
    PREDICTOR,
    COLOR_MAP,
    TILE_WIDTH,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_COUNTS,
    SAMPLE_FORMAT,
    JPEG_TABLES,
    SUBSAMPLING,
];

const JPEG: u64 = 7;

/// A directory's entries, by tag.
pub(super) struct Page<'a> {
    data: &'a [u8],
    little: bool,
    fields: BTreeMap<u16, Vec<u64>>,
    pub height: usize,
    pub width: usize,
    pub bits: usize,
    /// Samples of a pixel, those beyond its color among them.
    pub samples: usize,
    pub photometric: u64,
    pub compression: u64,
    /// 1 whole numbers from 0, 2 with a sign, 3 floating-point.
    pub format: u64,
    pub planar: bool,
}

/// Where numbers lie: little-endian or big, and BigTIFF's of 8 bytes or the old ones of 4.
struct Reader<'a> {
    data: &'a [u8],
    little: bool,
    big: bool,
}

impl Reader<'_> {
    fn number(&self, at: usize, bytes: usize) -> Option<u64> {
        let found = self.data.get(at..at.checked_add(bytes)?)?;
        let digit = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.little { found.iter().rev().fold(0, digit) } else { found.iter().fold(0, digit) })
    }

    /// The values of the entry at `at`: whole numbers, bytes of text and of no kind; none for any other type.
    fn values(&self, at: usize) -> Option<Vec<u64>> {
        let word = if self.big { 8 } else { 4 };
        let (kind, count) = (self.number(at + 2, 2)?, usize::try_from(self.number(at + 4, word)?).ok()?);
        let size = match kind {
            1 | 2 | 7 => 1,
            3 => 2,
            4 | 13 => 4,
            16 | 18 => 8,
            _ => return Some(Vec::new()),
        };
        let bytes = count.checked_mul(size).filter(|&bytes| bytes <= self.data.len())?;
        let place = at + 4 + word;
        let start = if bytes <= word { place } else { usize::try_from(self.number(place, word)?).ok()? };
        (0..count).map(|index| self.number(start.checked_add(index * size)?, size)).collect()
    }

    fn first_directory(&self) -> Option<BTreeMap<u16, Vec<u64>>> {
        let (head, word) = if self.big { (8, 8) } else { (4, 2) };
        let start = usize::try_from(self.number(head, head)?).ok()?;
        let count = usize::try_from(self.number(start, word)?).ok()?.min(4096);
        let entry = if self.big { 20 } else { 12 };
        let first = start.checked_add(word)?;
        let (mut fields, mut left) = (BTreeMap::new(), self.data.len());
        for at in (0..count).map(|index| first + index * entry) {
            let tag = self.number(at, 2)? as u16;
            if KNOWN.contains(&tag) {
                let values = self.values(at)?;
                left = left.checked_sub(values.len())?; // else they lie over each other
                fields.insert(tag, values);
            }
        }
        Some(fields)
    }
}

impl<'a> Page<'a> {
    /// Reads the first directory; `Err` is the end of a sentence that starts with the file's name.
    pub(super) fn first(data: &'a [u8]) -> Result<Self, String> {
        let little = data.starts_with(b"II");
        let big = data.get(2..4).is_some_and(|mark| mark.contains(&43));
        let damaged = || "cannot be decoded: its TIFF directory is cut off or damaged".to_string();
        let fields = Reader { data, little, big }.first_directory().ok_or_else(damaged)?;
        let one = |tag: u16, usual: u64| fields.get(&tag).and_then(|values| values.first().copied()).unwrap_or(usual);
        let bits = fields.get(&BITS).filter(|bits| !bits.is_empty()).map_or(&[1][..], Vec::as_slice);
        if bits.iter().any(|other| *other != bits[0]) {
            return Err(format!("is a TIFF whose samples have several depths ({bits:?} bits), which is not read"));
        }
        let samples = one(SAMPLES, 1) as usize;
        Ok(Self {
            data,
            little,
            height: one(HEIGHT, 0) as usize,
            width: one(WIDTH, 0) as usize,
            bits: bits[0] as usize,
            samples,
            photometric: one(PHOTOMETRIC, if samples < 3 { 1 } else { 2 }),
            compression: one(COMPRESSION, 1),
            format: one(SAMPLE_FORMAT, 1),
            planar: one(PLANAR, 1) == 2 && samples > 1,
            fields,
        })
    }

    /// Whether chroma has its own, smaller size; a JPEG's is spread by its decoder.
    pub(super) fn subsampled(&self) -> bool {
        let sizes = self.fields.get(&SUBSAMPLING).map_or(&[2, 2][..], Vec::as_slice);
        self.compression != JPEG && sizes.iter().any(|size| *size != 1)
    }

    pub(super) fn predicted(&self) -> bool {
        self.one(PREDICTOR, 1) != 1
    }

    /// The bits that samples are said to use, beyond that they have them; 0 where nothing is said. The largest that
    /// they can be is what `MaxSampleValue` is where it is left out, so it says nothing.
    pub(super) fn declared(&self) -> u32 {
        let most = self.fields.get(&MAX_SAMPLE).and_then(|values| values.iter().max()).copied().unwrap_or(0);
        match self.bits {
            9..=15 => self.bits as u32,
            bits if most < (1 << bits.min(63)) - 1 => u64::BITS - most.leading_zeros(),
            _ => 0,
        }
    }

    /// The palette: reds, then greens, then blues, 16 bits each.
    pub(super) fn palette(&self) -> &[u64] {
        self.fields.get(&COLOR_MAP).map_or(&[], Vec::as_slice)
    }

    /// Bits from one sample to the next pixel's in a row as it is stored.
    pub(super) fn pixel_bits(&self) -> usize {
        self.bits * if self.planar { 1 } else { self.samples }
    }

    /// Bytes of a row as it is stored, of a plane's where planes lie apart.
    pub(super) fn row_bytes(&self) -> usize {
        (self.width * self.pixel_bits()).div_ceil(8)
    }

    /// The page alone as a TIFF of grey samples; `bytes` has packed samples stand as the bytes that they lie in.
    pub(super) fn rewritten(&self, bytes: bool) -> Result<Vec<u8>, String> {
        let tiled = self.fields.contains_key(&TILE_OFFSETS);
        let (offsets, counts) = if tiled { (TILE_OFFSETS, TILE_COUNTS) } else { (STRIP_OFFSETS, STRIP_COUNTS) };
        let mut out = if self.little { b"II*\0\0\0\0\0".to_vec() } else { b"MM\0*\0\0\0\0".to_vec() };
        let mut lengths = Vec::new();
        let mut starts = Vec::new();
        for piece in self.pieces(offsets, counts)? {
            starts.push(out.len() as u64);
            lengths.push(piece.len() as u64);
            out.extend_from_slice(piece);
        }
        if self.one(FILL_ORDER, 1) == 2 && self.compression != JPEG {
            out[8..].iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        let (bits, samples, width) = match bytes {
            false => (self.bits, self.samples, self.width),
            true => (8, if self.planar { self.samples } else { 1 }, self.row_bytes()),
        };
        let mut fields = BTreeMap::from([
            (WIDTH, vec![width as u64]),
            (HEIGHT, vec![self.height as u64]),
            (BITS, vec![bits as u64]),
            (COMPRESSION, vec![self.compression]),
            (PHOTOMETRIC, vec![1]),
            (SAMPLES, vec![samples as u64]),
            (PLANAR, vec![1 + u64::from(self.planar)]),
            (SAMPLE_FORMAT, vec![self.format]),
            (PREDICTOR, vec![self.one(PREDICTOR, 1)]),
            (offsets, starts),
            (counts, lengths),
        ]);
        if tiled {
            let across = self.one(TILE_WIDTH, 0);
            let across = if bytes { across * self.pixel_bits() as u64 / 8 } else { across };
            fields.extend([(TILE_WIDTH, vec![across]), (TILE_HEIGHT, vec![self.one(TILE_HEIGHT, 0)])]);
        } else {
            fields.insert(ROWS_PER_STRIP, vec![self.rows_per_strip() as u64]);
        }
        if let Some(tables) = self.fields.get(&JPEG_TABLES) {
            fields.insert(JPEG_TABLES, tables.clone());
        }
        self.write(fields, &mut out);
        Ok(out)
    }

    fn one(&self, tag: u16, usual: u64) -> u64 {
        self.fields.get(&tag).and_then(|values| values.first().copied()).unwrap_or(usual)
    }

    fn rows_per_strip(&self) -> usize {
        (self.one(ROWS_PER_STRIP, u64::MAX).min(self.height as u64) as usize).max(1)
    }

    /// The bytes of each strip or tile. Where its length is not told it is computed, as libtiff does: what its rows
    /// take where they are not compressed, else all that follows.
    fn pieces(&self, offsets: u16, counts: u16) -> Result<Vec<&'a [u8]>, String> {
        let starts = self.fields.get(&offsets).ok_or("cannot be decoded: it does not say where its pixels lie")?;
        let told = self.fields.get(&counts).map_or(&[][..], Vec::as_slice);
        let strips = self.height.div_ceil(self.rows_per_strip());
        let piece = |(index, &start): (usize, &u64)| {
            let start = usize::try_from(start).unwrap_or(usize::MAX).min(self.data.len());
            let rows = self.rows_per_strip().min(self.height - index % strips.max(1) * self.rows_per_strip());
            let length = match told.get(index) {
                Some(&told) if told > 0 => usize::try_from(told).unwrap_or(usize::MAX),
                _ if self.compression == 1 && offsets == STRIP_OFFSETS => rows * self.row_bytes(),
                _ => usize::MAX,
            };
            &self.data[start..start.saturating_add(length).min(self.data.len())]
        };
        let pieces: Vec<_> = starts.iter().enumerate().map(piece).collect();
        if pieces.iter().map(|piece| piece.len()).sum::<usize>() > 2 * self.data.len() {
            return Err("cannot be decoded: its strips lie over each other".into());
        }
        Ok(pieces)
    }

    /// Whether strips that are not compressed end before their last row: the file is cut off, or tells them wrongly.
    pub(super) fn ends_early(&self) -> bool {
        if self.compression != 1 || self.fields.contains_key(&TILE_OFFSETS) {
            return false;
        }
        let (most, strips) = (self.rows_per_strip(), self.height.div_ceil(self.rows_per_strip()).max(1));
        let needed = |index: usize| most.min(self.height - index % strips * most) * self.row_bytes();
        self.pieces(STRIP_OFFSETS, STRIP_COUNTS)
            .is_ok_and(|pieces| pieces.iter().enumerate().any(|(index, piece)| piece.len() < needed(index)))
    }

    /// Appends the directory, every value as a LONG but the JPEG tables, and lets the header name it.
    fn write(&self, fields: BTreeMap<u16, Vec<u64>>, out: &mut Vec<u8>) {
        let long = |value: u64| if self.little { (value as u32).to_le_bytes() } else { (value as u32).to_be_bytes() };
        let short = |value: u16| if self.little { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut directory = short(fields.len() as u16).to_vec();
        for (tag, values) in fields {
            let bytes = match tag {
                JPEG_TABLES => values.iter().map(|value| *value as u8).collect(),
                _ => values.iter().flat_map(|value| long(*value)).collect::<Vec<_>>(),
            };
            directory.extend([short(tag), short(if tag == JPEG_TABLES { 7 } else { 4 })].concat());
            directory.extend(long(values.len() as u64));
            if bytes.len() <= 4 {
                directory.extend(bytes.iter().chain(&[0; 4]).take(4));
            } else {
                directory.extend(long(out.len() as u64));
                out.extend(bytes);
            }
        }
        directory.extend([0; 4]);
        let place = long(out.len() as u64);
        out[4..8].copy_from_slice(&place);
        out.extend(directory);
    }
}
