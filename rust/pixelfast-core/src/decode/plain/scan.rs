//! From coded bits to coefficients: those of luma are handed on, blocks of color are skipped over.

use std::ops::Range;

use super::header::{Component, Header, ZIGZAG};
use super::huffman::{Bits, Table};
use crate::audited::Work;

/// A component with its code tables.
struct Coded<'a> {
    component: Component,
    dc: &'a Table,
    ac: &'a Table,
}

/// What becomes of luma's coefficients, which come block by block and in each from the first on.
pub(super) trait Blocks {
    /// A block begins, `row` blocks below the top and `column` from the left; `first` is its first coefficient.
    fn begin(&mut self, row: usize, column: usize, first: i16);
    /// One more coefficient of the block, at `place` in its rows.
    fn coefficient(&mut self, place: usize, value: i16);
    /// The block has no more.
    fn end(&mut self);
    /// Every block of these rows was read.
    fn end_rows(&mut self, rows: Range<usize>);
}

/// A scan, and what its luma is read into.
///
/// A unit of the scan holds some blocks of each component: for 4:2:0, four of luma and one of either color.
pub(super) struct Scan<'a, B> {
    luma: Coded<'a>,
    colors: Vec<Coded<'a>>,
    steps: [i16; 64],
    restart: usize,
    units: usize,
    units_across: usize,
    blocks: B,
}

impl<'a, B: Blocks> Scan<'a, B> {
    pub(super) fn new(header: &'a Header, blocks: B) -> Option<Self> {
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
        let (units_down, units_across) = header.units();
        let units = units_down * units_across;
        let restart = if header.restart == 0 { units } else { header.restart };
        Some(Self { luma, colors, steps, restart, units, units_across, blocks })
    }

    /// Reads units from one restart marker to the next.
    #[inline(always)]
    fn stretch(&mut self, data: &[u8], units: Range<usize>) -> Option<()> {
        let mut bits = Bits::new(data);
        let mut first = 0;
        let (mut row, mut column) = (units.start / self.units_across, units.start % self.units_across);
        let Component { across, down, .. } = self.luma.component;
        for _ in units {
            for down_in in 0..down {
                for across_in in 0..across {
                    self.read_block(&mut bits, &mut first, row * down + down_in, column * across + across_in)?;
                }
            }
            for color in &self.colors {
                for _ in 0..color.component.across * color.component.down {
                    skip_block(&mut bits, color)?;
                }
            }
            column += 1;
            if column == self.units_across {
                self.blocks.end_rows(row * down..(row + 1) * down);
                (row, column) = (row + 1, 0);
            }
        }
        bits.is_at_end().then_some(())
    }

    /// Reads a block's coefficients, dequantised. `first` is the running sum that first coefficients are differences of.
    #[inline(always)]
    fn read_block(&mut self, bits: &mut Bits<'_>, first: &mut i32, row: usize, column: usize) -> Option<()> {
        let (_, difference) = bits.read(self.luma.dc)?;
        *first = first.wrapping_add(difference);
        self.blocks.begin(row, column, (*first as i16).wrapping_mul(self.steps[0]));
        let mut place = 1;
        while place < 64 {
            let (zeros, value) = bits.read(self.luma.ac)?;
            place += zeros;
            if value != 0 {
                let &step = self.steps.get(place)?;
                self.blocks.coefficient(usize::from(ZIGZAG[place]), (value as i16).wrapping_mul(step));
            } else if zeros != 15 {
                break;
            }
            place += 1;
        }
        self.blocks.end();
        Some(())
    }
}

/// The reading of a whole scan: its stretches of coded bytes end at `ends`.
pub(super) struct Reading<'a, B> {
    pub scan: Scan<'a, B>,
    pub data: &'a [u8],
    pub ends: &'a [usize],
}

impl<B: Blocks> Work for Reading<'_, B> {
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
    bits.skip(coded.dc)?;
    let mut place = 1;
    while place < 64 {
        match bits.skip(coded.ac)? {
            (zeros, true) => place += zeros + 1,
            (15, false) => place += 16,
            (_, false) => break,
        }
    }
    (place <= 64).then_some(())
}
