//! From coded bits to coefficients: those of luma are handed on, blocks of color are skipped over.

use std::ops::Range;

use pixelfast_vector::Work;

use crate::cut;
use crate::header::{Component, Header, ZIGZAG};
use crate::huffman::{AHEAD, Bits, Step, Table};

/// Before this place two coefficients may be read at once: the first can only be one of this block.
const PAIRED: usize = 48;

/// More places than a step from within a block can reach.
const PLACES: usize = 128;

/// Where a coefficient stands in its block's rows, its step of quantisation, and the most that one takes a sample
/// from the middle: by its place in the file's order.
#[derive(Clone, Copy, Default)]
struct Place {
    step: i16,
    place: u8,
    reach: f32,
}

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
    /// One more coefficient of the block, at `place` in its rows; it may be 0 where the block has another, or none.
    fn coefficient(&mut self, place: usize, value: i16);
    /// The block has no more. No sample is farther than `reach` from the middle.
    fn end(&mut self, reach: f32);
    /// Every block of these rows was read.
    fn end_rows(&mut self, rows: Range<usize>);
}

/// Nothing becomes of them.
pub(super) struct Skipped;

impl Blocks for Skipped {
    #[inline(always)]
    fn begin(&mut self, _: usize, _: usize, _: i16) {}
    #[inline(always)]
    fn coefficient(&mut self, _: usize, _: i16) {}
    #[inline(always)]
    fn end(&mut self, _: f32) {}
    #[inline(always)]
    fn end_rows(&mut self, _: Range<usize>) {}
}

/// A scan, and what its luma is read into.
///
/// A unit of the scan holds some blocks of each component: for 4:2:0, four of luma and one of either color.
pub(super) struct Scan<'a, B> {
    luma: Coded<'a>,
    colors: Vec<Coded<'a>>,
    places: [Place; PLACES],
    restart: usize,
    units: usize,
    units_across: usize,
    /// The coded bytes without what is stuffed between them, and where each stretch of them ends.
    data: &'a [u8],
    ends: &'a [usize],
    blocks: B,
    /// Whether a stretch so far held more bytes than its blocks.
    strays: bool,
}

impl<'a, B: Blocks> Scan<'a, B> {
    pub(super) fn new(header: &'a Header, data: &'a [u8], ends: &'a [usize], blocks: B) -> Option<Self> {
        let coded = |&component: &Component| {
            let (dc, ac) = (header.dc.get(component.dc)?, header.ac.get(component.ac)?);
            Some(Coded { component, dc: dc.as_deref()?, ac: ac.as_deref()? })
        };
        let mut components = header.components.iter().map(coded);
        let luma = components.next()??;
        let colors = components.collect::<Option<_>>()?;
        let mut places = [Place::default(); PLACES];
        for ((into, &step), place) in places.iter_mut().zip(header.steps()?).zip(ZIGZAG) {
            *into = Place {
                step: i16::try_from(step).ok()?,
                place,
                reach: cut::MOST[usize::from(place) / 8][usize::from(place) % 8],
            };
        }
        let (units_down, units_across) = header.units();
        let units = units_down * units_across;
        let restart = if header.restart == 0 { units } else { header.restart };
        Some(Self { luma, colors, places, restart, units, units_across, data, ends, blocks, strays: false })
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
        self.strays |= bits.strays()?;
        Some(())
    }

    /// Reads a block's coefficients, dequantised. `first` is the running sum that first coefficients are differences of.
    #[inline(always)]
    fn read_block(&mut self, from: &mut Bits<'_>, first: &mut i32, row: usize, column: usize) -> Option<()> {
        let mut bits = *from; // a copy that stays in registers
        let Self { luma, places, blocks, .. } = self;
        *first = first.wrapping_add(bits.read_first(luma.dc)?);
        blocks.begin(row, column, (*first as i16).wrapping_mul(places[0].step));
        let mut reach = f32::from((*first as i16).wrapping_mul(places[0].step)).abs() * places[0].reach;
        read_rest(
            &mut bits,
            luma.ac,
            #[inline(always)]
            |next, read| {
                let at = next + read.run();
                for (at, value) in [at, at + read.apart()].into_iter().zip(read.values) {
                    let Place { step, place, reach: one } = places[at % PLACES];
                    let value = value.wrapping_mul(step);
                    reach += f32::from(value).abs() * one;
                    blocks.coefficient(usize::from(place), value);
                }
            },
        )?;
        blocks.end(reach);
        *from = bits;
        Some(())
    }
}

impl<B: Blocks> Work for Scan<'_, B> {
    /// Whether there were stray bytes.
    type Output = Option<bool>;

    #[inline(always)]
    fn run(mut self) -> Option<bool> {
        if self.ends.len() != self.units.div_ceil(self.restart) {
            return None;
        }
        let mut start = 0;
        for (index, &end) in self.ends.iter().enumerate() {
            let first = index * self.restart;
            self.stretch(self.data.get(start..end + AHEAD)?, first..(first + self.restart).min(self.units))?;
            start = end;
        }
        Some(self.strays)
    }
}

#[inline(always)]
fn skip_block(from: &mut Bits<'_>, coded: &Coded<'_>) -> Option<()> {
    let mut bits = *from;
    bits.read_first(coded.dc)?;
    let (mut next, mut ends) = (1, false);
    while next < 64 && !ends {
        let (places, last) = bits.skip(coded.ac, next)?;
        (next, ends) = (next + places, last);
    }
    *from = bits;
    (next <= 64).then_some(())
}

/// Reads a block from its second coefficient on; `each` gets every step and the place where it begins.
#[inline(always)]
fn read_rest(bits: &mut Bits<'_>, table: &Table, mut each: impl FnMut(usize, Step)) -> Option<()> {
    let (mut next, mut ends) = (1, false);
    let mut take = |read: Step, next: &mut usize| {
        each(*next, read);
        *next += read.places();
        read.ends()
    };
    while next < PAIRED && !ends {
        ends = take(bits.read_two(table)?, &mut next);
    }
    while next < 64 && !ends {
        ends = take(bits.read_one(table)?, &mut next);
    }
    (next <= 64).then_some(())
}
