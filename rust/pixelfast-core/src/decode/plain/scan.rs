//! From coded bits to pixels: every block of luma is transformed, blocks of color are skipped over.

use std::ops::Range;

use super::header::{Component, Header, ZIGZAG};
use super::huffman::{Bits, Table};
use super::idct;
use crate::decode::audited::Work;

/// A component with its code tables.
struct Coded<'a> {
    component: Component,
    dc: &'a Table,
    ac: &'a Table,
}

/// A scan, and the picture that it is read into.
///
/// A unit of the scan holds some blocks of each component: for 4:2:0, four of luma and one of either color.
pub(super) struct Scan<'a> {
    luma: Coded<'a>,
    colors: Vec<Coded<'a>>,
    steps: [i16; 64],
    restart: usize,
    units: usize,
    units_across: usize,
    width: usize,
    out: &'a mut [u8],
}

impl<'a> Scan<'a> {
    pub(super) fn new(header: &'a Header, out: &'a mut [u8]) -> Option<Self> {
        let coded = |&component: &Component| {
            let (dc, ac) = (header.dc.get(component.dc)?, header.ac.get(component.ac)?);
            Some(Coded { component, dc: dc.as_deref()?, ac: ac.as_deref()? })
        };
        let mut components = header.components.iter().map(coded);
        let luma = components.next()??;
        let colors = components.collect::<Option<_>>()?;
        let mut steps = [0; 64];
        for (into, &from) in steps.iter_mut().zip(header.steps()?) {
            *into = i16::try_from(from).ok()?;
        }
        let units_across = header.width.div_ceil(8 * luma.component.across);
        let units = units_across * header.height.div_ceil(8 * luma.component.down);
        let restart = if header.restart == 0 { units } else { header.restart };
        Some(Self { luma, colors, steps, restart, units, units_across, width: header.width, out })
    }

    /// Reads units from one restart marker to the next.
    #[inline(always)]
    fn stretch(&mut self, data: &[u8], units: Range<usize>) -> Option<()> {
        let mut bits = Bits::new(data);
        let mut first = 0;
        let Component { across, down, .. } = self.luma.component;
        for unit in units {
            let (row, column) = (unit / self.units_across, unit % self.units_across);
            for (down_in, across_in) in (0..down).flat_map(|down| (0..across).map(move |across| (down, across))) {
                let mut block = [0; 64];
                let flat = self.read_block(&mut bits, &mut first, &mut block)?;
                self.store(&block, flat, 8 * (row * down + down_in), 8 * (column * across + across_in));
            }
            for color in &self.colors {
                for _ in 0..color.component.across * color.component.down {
                    skip_block(&mut bits, color)?;
                }
            }
        }
        bits.is_at_end().then_some(())
    }

    /// Reads a block's coefficients, dequantised; whether there is none but the first. `first` is the running sum that
    /// first coefficients are differences of.
    #[inline(always)]
    fn read_block(&self, bits: &mut Bits<'_>, first: &mut i32, block: &mut [i16; 64]) -> Option<bool> {
        let (_, difference) = bits.read(self.luma.dc)?;
        *first = first.wrapping_add(difference);
        block[0] = (*first as i16).wrapping_mul(self.steps[0]);
        let (mut place, mut flat) = (1, true);
        while place < 64 {
            let (zeros, value) = bits.read(self.luma.ac)?;
            place += zeros;
            if value != 0 {
                let &step = self.steps.get(place)?;
                block[usize::from(ZIGZAG[place])] = (value as i16).wrapping_mul(step);
                flat = false;
            } else if zeros != 15 {
                break;
            }
            place += 1;
        }
        Some(flat)
    }

    /// Writes a block's pixels, as many as lie within the picture.
    #[inline(always)]
    fn store(&mut self, block: &[i16; 64], flat: bool, top: usize, left: usize) {
        let pixels = if flat { [[idct::flat(block[0]); 8]; 8] } else { idct::pixels(block) };
        let lines = self.out.chunks_exact_mut(self.width).skip(top).zip(&pixels);
        if left + 8 <= self.width {
            lines.for_each(|(line, row)| line[left..left + 8].copy_from_slice(row));
        } else if left < self.width {
            lines.for_each(|(line, row)| line[left..].copy_from_slice(&row[..self.width - left]));
        }
    }
}

/// The reading of a whole scan: its stretches of coded bytes end at `ends`.
pub(super) struct Reading<'a> {
    pub scan: Scan<'a>,
    pub data: &'a [u8],
    pub ends: &'a [usize],
}

impl Work for Reading<'_> {
    type Output = Option<()>;

    #[inline(always)]
    fn run(self) -> Option<()> {
        let Self { mut scan, data, ends } = self;
        if ends.len() != scan.units.div_ceil(scan.restart) {
            return None;
        }
        let mut start = 0;
        for (index, &end) in ends.iter().enumerate() {
            let first = index * scan.restart;
            scan.stretch(&data[start..end], first..(first + scan.restart).min(scan.units))?;
            start = end;
        }
        Some(())
    }
}

/// Reads past a block.
#[inline(always)]
fn skip_block(bits: &mut Bits<'_>, coded: &Coded<'_>) -> Option<()> {
    bits.read(coded.dc)?;
    let mut place = 1;
    while place < 64 {
        match bits.read(coded.ac)? {
            (15, 0) => place += 16,
            (_, 0) => break,
            (zeros, _) => place += zeros + 1,
        }
    }
    (place <= 64).then_some(())
}
