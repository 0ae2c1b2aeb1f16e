//! The headers of a plain JPEG; anything out of the ordinary is left to libjpeg-turbo.

use std::rc::Rc;

use crate::huffman::{Table, Tables};

const MARKER: u8 = 0xff;
const START_OF_IMAGE: u8 = 0xd8;
const QUANTISATION: u8 = 0xdb;
const HUFFMAN: u8 = 0xc4;
const BASELINE: u8 = 0xc0;
const EXTENDED: u8 = 0xc1;
const RESTART_INTERVAL: u8 = 0xdd;
const START_OF_SCAN: u8 = 0xda;
const APPLICATION_0: u8 = 0xe0;
const APPLICATION_14: u8 = 0xee;
const APPLICATION_15: u8 = 0xef;
const COMMENT: u8 = 0xfe;

/// Symbols of a code table that the library takes.
const MOST_SYMBOLS: usize = 256;

/// Code tables of a file: eight have a place, and who defines some again and again means harm.
const MOST_TABLES: usize = 16;

/// Blocks of a unit of the scan, as the standard limits them.
const MOST_BLOCKS: usize = 10;

/// Where the coefficients of a file's order (zigzag) stand in a block of rows.
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// A component of the picture: its blocks in a unit of the scan, and its tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Component {
    id: u8,
    pub across: usize,
    pub down: usize,
    quantisation: usize,
    pub dc: usize,
    pub ac: usize,
}

/// Everything that stands before the coded pixels.
#[derive(Default)]
pub(super) struct Header {
    pub height: usize,
    pub width: usize,
    /// Luma, then, in a color picture, two more.
    pub components: Vec<Component>,
    /// Units between restart markers; 0 means no markers.
    pub restart: usize,
    quantisation: [Option<[u16; 64]>; 4],
    pub dc: [Option<Rc<Table>>; 4],
    pub ac: [Option<Rc<Table>>; 4],
    /// How many code tables were defined.
    tables: usize,
    jfif: bool,
    adobe_transform: Option<u8>,
    /// Whether bytes between two segments belong to neither.
    pub strays: bool,
}

/// Reads the headers: what they say, and the coded pixels. `None` for anything but a grey or YCbCr picture of 8 bits,
/// Huffman-coded in one baseline scan, its luma as fine as any component.
pub(super) fn parse<'a>(data: &'a [u8], known: &mut Tables) -> Option<(Header, &'a [u8])> {
    let mut rest = data.strip_prefix(&[MARKER, START_OF_IMAGE])?;
    let mut header = Header::default();
    loop {
        rest = header.find_marker(rest)?;
        let (&[MARKER, kind, high, low], _) = rest.split_first_chunk()? else { return None };
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..length)?;
        rest = &rest[length..];
        match kind {
            QUANTISATION => header.read_quantisation(segment)?,
            HUFFMAN => header.read_huffman(segment, known)?,
            BASELINE | EXTENDED => header.read_frame(segment)?,
            RESTART_INTERVAL => header.restart = usize::from(u16::from_be_bytes(segment.try_into().ok()?)),
            START_OF_SCAN => return header.finish(segment).map(|header| (header, rest)),
            APPLICATION_0 => header.jfif |= segment.len() >= 14 && segment.starts_with(b"JFIF\0"),
            APPLICATION_14 if segment.starts_with(b"Adobe") => header.adobe_transform = Some(*segment.get(11)?),
            APPLICATION_0..=APPLICATION_15 | COMMENT => {}
            _ => return None,
        }
    }
}

impl Header {
    /// What is left from the next marker on. The standard lets it be filled up in front; other bytes are strays.
    fn find_marker<'a>(&mut self, rest: &'a [u8]) -> Option<&'a [u8]> {
        let mut at = memchr::memchr(MARKER, rest)?;
        self.strays |= at > 0;
        loop {
            match *rest.get(at + 1)? {
                MARKER => at += 1,
                0 => {
                    self.strays = true;
                    at += 2 + memchr::memchr(MARKER, rest.get(at + 2..)?)?;
                }
                _ => return rest.get(at..),
            }
        }
    }

    /// Luma's quantisation steps, in the file's order.
    pub(super) fn steps(&self) -> Option<&[u16; 64]> {
        self.quantisation.get(self.components.first()?.quantisation)?.as_ref()
    }

    /// Units of the scan: down and across.
    pub(super) fn units(&self) -> (usize, usize) {
        let Component { across, down, .. } = self.components.first().copied().unwrap_or_default();
        (self.height.div_ceil(8 * down.max(1)), self.width.div_ceil(8 * across.max(1)))
    }

    /// Luma's blocks, those beyond the picture's edges included: down and across.
    pub(super) fn blocks(&self) -> (usize, usize) {
        let Component { across, down, .. } = self.components.first().copied().unwrap_or_default();
        let (units_down, units_across) = self.units();
        (units_down * down, units_across * across)
    }

    fn read_quantisation(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let wide = match kind >> 4 {
                0 => 1,
                1 => 2,
                _ => return None,
            };
            let (steps, after) = rest.split_at_checked(64 * wide)?;
            let step = |step: &[u8]| step.iter().fold(0, |sum, &byte| sum << 8 | u16::from(byte));
            let mut table = [0; 64];
            table.iter_mut().zip(steps.chunks_exact(wide)).for_each(|(into, from)| *into = step(from));
            *self.quantisation.get_mut(usize::from(kind & 15))? = Some(table);
            segment = after;
        }
        Some(())
    }

    fn read_huffman(&mut self, mut segment: &[u8], known: &mut Tables) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let total: usize = rest.get(..16)?.iter().map(|&count| usize::from(count)).sum();
            let (definition, after) = rest.split_at_checked(16 + total)?;
            self.tables += 1;
            if total > MOST_SYMBOLS || self.tables > MOST_TABLES {
                return None;
            }
            let tables = match kind >> 4 {
                0 if definition[16..].iter().all(|&symbol| symbol < 16) => &mut self.dc,
                1 => &mut self.ac,
                _ => return None,
            };
            *tables.get_mut(usize::from(kind & 15))? = Some(known.get(definition)?);
            segment = after;
        }
        Some(())
    }

    fn read_frame(&mut self, segment: &[u8]) -> Option<()> {
        let (&[8, h0, h1, w0, w1, count], components) = segment.split_first_chunk()? else { return None };
        if !self.components.is_empty() || ![1, 3].contains(&count) || components.len() != 3 * usize::from(count) {
            return None;
        }
        self.height = usize::from(u16::from_be_bytes([h0, h1]));
        self.width = usize::from(u16::from_be_bytes([w0, w1]));
        self.components = components.chunks_exact(3).map(component).collect();
        Some(())
    }

    /// Reads the scan's header and checks that all is there and as plain as it must be.
    fn finish(mut self, segment: &[u8]) -> Option<Self> {
        let (&count, rest) = segment.split_first()?;
        let (choices, spectrum) = rest.split_at_checked(2 * usize::from(count))?;
        if spectrum != [0, 63, 0] || usize::from(count) != self.components.len() || self.height * self.width == 0 {
            return None;
        }
        for (component, choice) in self.components.iter_mut().zip(choices.chunks_exact(2)) {
            (component.dc, component.ac) = (usize::from(choice[1] >> 4), usize::from(choice[1] & 15));
            if choice[0] != component.id {
                return None;
            }
        }
        (self.is_luma_first() && self.has_few_blocks() && self.has_tables()).then_some(self)
    }

    /// libjpeg-turbo's own rule for the color space, as far as it is sure.
    fn is_luma_first(&mut self) -> bool {
        let sampled = |component: &Component| (1..=4).contains(&component.across) && (1..=4).contains(&component.down);
        if !self.components.iter().all(sampled) {
            return false;
        }
        let [luma, others @ ..] = &mut self.components[..] else { return false };
        if others.is_empty() {
            (luma.across, luma.down) = (1, 1);
            return true;
        }
        let ids = [luma.id, others[0].id, others[1].id];
        let finest = others.iter().all(|other| other.across <= luma.across && other.down <= luma.down);
        let ycbcr = self.jfif || self.adobe_transform.map_or(ids == [1, 2, 3], |transform| transform == 1);
        finest && ycbcr
    }

    fn has_few_blocks(&self) -> bool {
        self.components.iter().map(|one| one.across * one.down).sum::<usize>() <= MOST_BLOCKS
    }

    fn has_tables(&self) -> bool {
        let has = |tables: &[Option<Rc<Table>>; 4], index: usize| tables.get(index).is_some_and(Option::is_some);
        let quantised = |one: &Component| matches!(self.quantisation.get(one.quantisation), Some(Some(_)));
        self.components.iter().all(|one| quantised(one) && has(&self.dc, one.dc) && has(&self.ac, one.ac))
    }
}

fn component(bytes: &[u8]) -> Component {
    let (across, down) = (usize::from(bytes[1] >> 4), usize::from(bytes[1] & 15));
    Component { id: bytes[0], across, down, quantisation: usize::from(bytes[2]), dc: 0, ac: 0 }
}
