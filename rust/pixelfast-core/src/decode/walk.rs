//! The scans of a Huffman-coded JPEG, walked through code by code: where the data of each end, and whether all of its
//! blocks are there. No pixel is made; for the rare file that something is wrong with.

use super::PIXEL_LIMIT;

/// More bytes than these after a scan's last block are no strays but the rest of what was read wrong.
const MOST_STRAYS: usize = 64;

/// Components of a picture that the library makes pixels of.
const MOST_COMPONENTS: usize = 4;

/// So many ones that fill the last byte are hardly there by chance.
const SURE: u32 = 5;

/// How many codes there are of each length, and their symbols.
#[derive(Clone)]
struct Table([u8; 16], Vec<u8>);

struct Component {
    id: u8,
    across: usize,
    down: usize,
    /// By block, which of its coefficients are no zeros so far; only in a progressive picture.
    seen: Vec<u64>,
}

/// What the segments so far say.
#[derive(Default)]
pub(super) struct Walk {
    height: usize,
    width: usize,
    progressive: bool,
    components: Vec<Component>,
    tables: [[Option<Table>; 4]; 2],
    restart: usize,
}

/// The header of a scan: for each component its index and the numbers of its two tables; first and last frequency;
/// whether an earlier scan brought upper bits.
struct Scan {
    components: Vec<(usize, usize, usize)>,
    first: usize,
    last: usize,
    refines: bool,
}

/// The bits of coded data up to the next marker.
#[derive(Clone)]
struct Bits<'a> {
    data: &'a [u8],
    /// The next byte, and how many bits of the one before are left.
    at: usize,
    left: u32,
}

impl Walk {
    /// Takes in a segment; `None` where it is no header of a picture of Huffman codes.
    pub(super) fn follow(&mut self, kind: u8, segment: &[u8]) -> Option<()> {
        match kind {
            0xc0..=0xc2 => self.frame(segment, kind == 0xc2)?,
            0xc4 => self.define(segment)?,
            0xdd => self.restart = usize::from(u16::from_be_bytes(*segment.first_chunk()?)),
            _ => {}
        }
        Some(())
    }

    fn frame(&mut self, segment: &[u8], progressive: bool) -> Option<()> {
        let (&[_, h0, h1, w0, w1, _], components) = segment.split_first_chunk()?;
        self.height = usize::from(u16::from_be_bytes([h0, h1]));
        self.width = usize::from(u16::from_be_bytes([w0, w1]));
        let taken = self.components.is_empty() && components.len() <= 3 * MOST_COMPONENTS;
        if !taken || self.height * self.width > PIXEL_LIMIT {
            return None;
        }
        self.progressive = progressive;
        let component = |one: &[u8]| {
            let (across, down) = (usize::from(one[1] >> 4), usize::from(one[1] & 15));
            let sampled = (1..=4).contains(&across) && (1..=4).contains(&down);
            sampled.then_some(Component { id: one[0], across, down, seen: Vec::new() })
        };
        self.components = components.chunks_exact(3).map(component).collect::<Option<_>>()?;
        let (down, across) = self.units();
        for one in self.components.iter_mut().filter(|_| progressive) {
            one.seen = vec![0; down * one.down * across * one.across];
        }
        Some(())
    }

    fn define(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, after) = rest.split_at_checked(total)?;
            let table = self.tables.get_mut(usize::from(kind >> 4))?.get_mut(usize::from(kind & 15))?;
            *table = Some(Table(*counts, symbols.to_vec()));
            segment = after;
        }
        Some(())
    }

    /// The most of the components' samplings: down and across.
    fn finest(&self) -> (usize, usize) {
        let most = |side: fn(&Component) -> usize| self.components.iter().map(side).max().unwrap_or(1);
        (most(|one| one.down), most(|one| one.across))
    }

    /// Units of a scan of all components: down and across.
    fn units(&self) -> (usize, usize) {
        let (down, across) = self.finest();
        (self.height.div_ceil(8 * down), self.width.div_ceil(8 * across))
    }

    fn scan_header(&self, segment: &[u8]) -> Option<Scan> {
        let (&count, rest) = segment.split_first()?;
        let (chosen, &[first, last, bits]) = rest.split_at_checked(2 * usize::from(count))? else { return None };
        let component = |one: &[u8]| {
            let index = self.components.iter().position(|component| component.id == one[0])?;
            Some((index, usize::from(one[1] >> 4), usize::from(one[1] & 15)))
        };
        let components = chosen.chunks_exact(2).map(component).collect::<Option<Vec<_>>>()?;
        let (first, last) = (usize::from(first), usize::from(last));
        let valid = !components.is_empty() && first <= last && last < 64 && (first == 0 || components.len() == 1);
        let valid = valid && if self.progressive { first > 0 || last == 0 } else { (first, last) == (0, 63) };
        valid.then_some(Scan { components, first, last, refines: bits >> 4 > 0 })
    }

    /// Walks through the scan of header `segment` and copies its data without strays to `into`: how many bytes of
    /// `coded` there are before the marker after it. `None` where a block is missing or cannot be told.
    pub(super) fn scan(&mut self, segment: &[u8], coded: &[u8], into: &mut Vec<u8>) -> Option<usize> {
        let scan = self.scan_header(segment)?;
        let (down, across) = match scan.components[..] {
            [(index, ..)] => {
                let (one, (finest_down, finest_across)) = (&self.components[index], self.finest());
                let blocks = |side: usize, own: usize, finest: usize| (side * own).div_ceil(8 * finest);
                (blocks(self.height, one.down, finest_down), blocks(self.width, one.across, finest_across))
            }
            _ => self.units(),
        };
        let (units, mut at, mut done) = (down * across, 0, 0);
        let restart = if self.restart == 0 { units } else { self.restart };
        loop {
            let (mut bits, mut run) = (Bits { data: coded, at, left: 0 }, 0);
            let end = (done + restart).min(units);
            for unit in done..end {
                self.unit(&scan, &mut bits, &mut run, (unit / across, unit % across))?;
            }
            let marker = bits.marker();
            if marker > bits.at && (run > 0 || !bits.is_filled() || self.goes_on(&scan, bits.clone())) {
                return None;
            }
            into.extend_from_slice(coded.get(at..bits.at)?);
            if end == units {
                return (marker - bits.at <= MOST_STRAYS).then_some(marker);
            }
            let restart_marker = [0xff, 0xd0 + (done / restart % 8) as u8];
            if marker - bits.at > MOST_STRAYS || !coded.get(marker..)?.starts_with(&restart_marker) {
                return None;
            }
            into.extend_from_slice(&restart_marker);
            (at, done) = (marker + 2, end);
        }
    }

    /// Whether earlier blocks were read wrong: what follows the last one is more whole blocks, or the same byte as
    /// before, again and again.
    fn goes_on(&mut self, scan: &Scan, mut bits: Bits<'_>) -> bool {
        let (start, marker, mut run) = (bits.at, bits.marker(), 0);
        let padding = &bits.data[start.saturating_sub(1)..marker];
        if padding.len() > 2 && padding.iter().all(|byte| *byte == padding[0]) {
            return true;
        }
        if bits.left >= SURE {
            return false;
        }
        let kept: Vec<_> = self.components.iter_mut().map(|one| std::mem::take(&mut one.seen)).collect();
        let mut whole = true;
        while whole && bits.at < marker {
            whole = self.unit(scan, &mut bits, &mut run, (0, 0)).is_some();
        }
        self.components.iter_mut().zip(kept).for_each(|(one, kept)| one.seen = kept);
        whole && bits.is_filled() && run == 0
    }

    /// One unit of a scan: a block, or some of each component.
    fn unit(&mut self, scan: &Scan, bits: &mut Bits<'_>, run: &mut usize, (row, column): (usize, usize)) -> Option<()> {
        let pitch = self.units().1;
        let single = scan.components.len() == 1;
        for &(index, dc, ac) in &scan.components {
            let Component { across, down, .. } = self.components[index];
            let (high, wide) = if single { (1, 1) } else { (down, across) };
            for block in 0..high * wide {
                let place = (row * high + block / wide) * pitch * across + column * wide + block % wide;
                let seen = self.components[index].seen.get(place).copied().unwrap_or_default();
                let seen = self.block(scan, bits, run, (dc, ac), seen)?;
                self.components[index].seen.get_mut(place).into_iter().for_each(|into| *into = seen);
            }
        }
        Some(())
    }

    /// One block, of which `seen` coefficients are no zeros so far: which ones are after it.
    fn block(
        &self,
        scan: &Scan,
        bits: &mut Bits<'_>,
        run: &mut usize,
        (dc, ac): (usize, usize),
        mut seen: u64,
    ) -> Option<u64> {
        if scan.first == 0 && scan.refines {
            bits.take(1)?;
            return Some(seen);
        }
        if scan.first == 0 {
            let size = bits.symbol(self.tables[0].get(dc)?.as_ref()?)?;
            bits.take(u32::from(size))?;
        }
        let mut next = scan.first.max(1);
        while next <= scan.last && *run == 0 {
            let symbol = bits.symbol(self.tables[1].get(ac)?.as_ref()?)?;
            let (mut zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 && zeros < 15 {
                let more = if self.progressive { bits.take(zeros as u32)? } else { 0 };
                *run = if self.progressive { (1 << zeros) + more } else { 1 };
                break;
            }
            bits.take(size)?;
            if scan.refines {
                while next <= scan.last && (seen >> next & 1 == 1 || zeros > 0) {
                    if seen >> next & 1 == 1 {
                        bits.take(1)?;
                    } else {
                        zeros -= 1;
                    }
                    next += 1;
                }
            } else {
                next += zeros;
            }
            if next > scan.last {
                return None;
            }
            seen |= u64::from(size > 0) << next;
            next += 1;
        }
        if *run > 0 {
            let rest = if scan.refines { (next..=scan.last).filter(|at| seen >> at & 1 == 1).count() } else { 0 };
            (0..rest).try_for_each(|_| bits.take(1).map(drop))?;
            *run -= 1;
        }
        Some(seen)
    }
}

impl Bits<'_> {
    /// The next `count` bits as a number.
    fn take(&mut self, count: u32) -> Option<usize> {
        let mut number = 0;
        for _ in 0..count {
            if self.left == 0 {
                self.at += match self.data.get(self.at..)? {
                    [0xff, 0, ..] => 2,
                    [0xff, ..] | [] => return None,
                    _ => 1,
                };
                self.left = 8;
            }
            self.left -= 1;
            number = number << 1 | usize::from(self.byte() >> self.left & 1);
        }
        Some(number)
    }

    /// The byte that was begun last.
    fn byte(&self) -> u8 {
        match self.data[..self.at] {
            [.., 0xff, 0] => 0xff,
            [.., byte] => byte,
            [] => 0xff,
        }
    }

    fn symbol(&mut self, Table(counts, symbols): &Table) -> Option<u8> {
        let (mut code, mut first, mut before) = (0, 0, 0);
        for &count in counts {
            code = code << 1 | self.take(1)?;
            first <<= 1;
            if code < first + usize::from(count) {
                return symbols.get(before + code.checked_sub(first)?).copied();
            }
            (first, before) = (first + usize::from(count), before + usize::from(count));
        }
        None
    }

    /// Whether the bits that are left of the last byte are those that fill it.
    fn is_filled(&self) -> bool {
        self.byte().trailing_ones() >= self.left
    }

    /// Where the next marker stands, or the end.
    fn marker(&self) -> usize {
        let rest = &self.data[self.at..];
        let half = rest.len() - usize::from(rest.last() == Some(&0xff));
        self.at + rest.windows(2).position(|pair| pair[0] == 0xff && ![0, 0xff].contains(&pair[1])).unwrap_or(half)
    }
}
