//! Huffman codes and the bits that they are read from: where their bits are few, two coefficients at a look.

use std::rc::Rc;

/// Bits that are looked up at once; longer codes are rare.
const LOOKUP_BITS: u32 = 11;

/// Longer codes have a place in a table of their own; a table that needs more of them is out of the ordinary.
const MOST_LONG: usize = 1 << 13;

/// How many bytes must follow a stretch of coded pixels, as reading looks ahead; they may hold anything.
pub(super) const AHEAD: usize = 16;

/// More bytes than these after the last block are taken for the rest of pixels that were read wrong.
const MOST_STRAYS: usize = 64;

/// Tables that are kept: a video's frames mostly have the same four.
const KEPT: usize = 8;

/// Tables that were made before, by their definition in the file.
#[derive(Default)]
pub(super) struct Tables {
    known: Vec<(Vec<u8>, Rc<Table>)>,
}

impl Tables {
    /// The table of a definition: how many codes there are of each length, then their symbols. `None` where they make
    /// no code.
    pub(super) fn get(&mut self, definition: &[u8]) -> Option<Rc<Table>> {
        if let Some((_, table)) = self.known.iter().find(|(known, _)| known == definition) {
            return Some(Rc::clone(table));
        }
        let (counts, symbols) = definition.split_first_chunk()?;
        let table = Rc::new(Table::new(counts, symbols)?);
        if self.known.len() == KEPT {
            self.known.remove(0);
        }
        self.known.push((definition.to_vec(), Rc::clone(&table)));
        Some(table)
    }
}

/// A code: zeros before its number (4 bits) and the bits of that (4 bits); its own bits.
#[derive(Clone, Copy, Default)]
struct Code {
    symbol: u8,
    /// 0 where the code is longer than the lookup, or none at all.
    bits: u8,
}

impl Code {
    fn size(self) -> u32 {
        u32::from(self.symbol & 15)
    }

    /// Bits of code and number.
    fn all_bits(self) -> u32 {
        u32::from(self.bits) + self.size()
    }

    /// Whether the rest of the block is zeros. A code for 16 zeros has no number either.
    fn ends(self) -> bool {
        self.size() == 0 && self.symbol < 0xf0
    }

    /// The step of this code alone.
    #[inline(always)]
    fn step(self, value: i16) -> Step {
        let run = if self.ends() { 0 } else { self.symbol >> 4 };
        let places = if self.ends() { ENDS } else { run + 1 };
        Step { values: [value, 0], run, apart: 1, places, bits: self.all_bits() as u8 }
    }
}

/// What was read of a block: one or two coefficients, or that there are no more.
#[derive(Clone, Copy, Default)]
pub(super) struct Step {
    /// The second is 0 where there is only one, and both are where there is none.
    pub values: [i16; 2],
    /// Zeros before the first.
    run: u8,
    /// From the first one's place to the second's.
    apart: u8,
    /// Places that were read, and [`ENDS`].
    places: u8,
    /// Bits of all; 0 in a lookup that they do not fit.
    bits: u8,
}

/// Marks that the rest of the block is zeros.
const ENDS: u8 = 0x80;

/// As many codes as the next bits hold, without their numbers, which may lie beyond.
#[derive(Clone, Copy, Default)]
struct Skip {
    /// Places that they take, and [`ENDS`].
    places: u8,
    /// Bits of codes and numbers; 0 where there is no whole code.
    bits: u8,
}

impl Step {
    /// Zeros before the first coefficient, at most 15.
    #[inline(always)]
    pub(super) fn run(self) -> usize {
        usize::from(self.run & 15)
    }

    /// From the first coefficient's place to the second's, at most 31.
    #[inline(always)]
    pub(super) fn apart(self) -> usize {
        usize::from(self.apart & 31)
    }

    #[inline(always)]
    pub(super) fn places(self) -> usize {
        usize::from(self.places & !ENDS)
    }

    #[inline(always)]
    pub(super) fn ends(self) -> bool {
        self.places & ENDS != 0
    }

    /// This step, which has one coefficient, and then a code with its number.
    fn and(self, next: Code, value: i16) -> Self {
        let bits = self.bits + next.all_bits() as u8;
        if next.ends() {
            return Self { places: self.places | ENDS, bits, ..self };
        }
        let apart = (next.symbol >> 4) + 1;
        Self { values: [self.values[0], value], apart, places: self.places + apart, bits, ..self }
    }
}

/// A code table: what the next bits of the file mean.
pub(super) struct Table {
    /// By the next [`LOOKUP_BITS`] bits.
    codes: [Code; 1 << LOOKUP_BITS],
    /// By the same.
    steps: [Step; 1 << LOOKUP_BITS],
    /// By the same.
    skips: [Skip; 1 << LOOKUP_BITS],
    /// By the next 16 bits, less the first that begin with such a code: codes that are longer than the lookup.
    long: Vec<Code>,
    first_long: usize,
}

impl Table {
    fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let (codes, steps) = ([Code::default(); 1 << LOOKUP_BITS], [Step::default(); 1 << LOOKUP_BITS]);
        let skips = [Skip::default(); 1 << LOOKUP_BITS];
        let mut table = Self { codes, steps, skips, long: Vec::new(), first_long: 1 << 16 };
        let (mut code, mut symbols) = (0_usize, symbols.iter());
        for (bits, &count) in (1..=16_u8).zip(counts) {
            for &symbol in symbols.by_ref().take(usize::from(count)) {
                table.enter(code, Code { symbol, bits })?;
                code += 1;
            }
            if code >= 1 << bits {
                return None;
            }
            code <<= 1;
        }
        table.steps = std::array::from_fn(|index| table.step_at(index).unwrap_or_default());
        table.skips = std::array::from_fn(|index| table.skip_at(index));
        Some(table)
    }

    /// Enters a code for every continuation of its bits.
    fn enter(&mut self, bits: usize, code: Code) -> Option<()> {
        if let Some(free) = LOOKUP_BITS.checked_sub(u32::from(code.bits)) {
            self.codes.get_mut(bits << free..(bits + 1) << free)?.fill(code);
            return Some(());
        }
        let free = 16 - code.bits;
        self.first_long = self.first_long.min(bits << free);
        let end = ((bits + 1) << free) - self.first_long;
        self.long.resize(Some(end).filter(|&end| end <= MOST_LONG)?, code);
        Some(())
    }

    /// What the bits of `index` mean, if they hold a code and its number; and the next code, if they hold that too.
    fn step_at(&self, index: usize) -> Option<Step> {
        let whole = |index: usize, bits: u32| {
            let code = self.codes[index];
            let window = (index as u64) << (64 - LOOKUP_BITS) << code.bits;
            let fits = code.bits > 0 && code.all_bits() <= bits;
            fits.then(|| (code, number(window, code.size()) as i16))
        };
        let (first, value) = whole(index, LOOKUP_BITS)?;
        let step = first.step(value);
        let rest = index << first.all_bits() & ((1 << LOOKUP_BITS) - 1);
        match whole(rest, LOOKUP_BITS - first.all_bits()) {
            Some((next, value)) if first.size() > 0 && next.symbol != 0xf0 => Some(step.and(next, value)),
            _ => Some(step),
        }
    }

    /// What the bits of `index` hold whole codes of, in one block.
    fn skip_at(&self, index: usize) -> Skip {
        let mut skip = Skip::default();
        while u32::from(skip.bits) < LOOKUP_BITS && skip.places < 48 {
            let code = self.codes[index << skip.bits & ((1 << LOOKUP_BITS) - 1)];
            if code.bits == 0 || u32::from(skip.bits + code.bits) > LOOKUP_BITS {
                break;
            }
            skip.bits += code.all_bits() as u8;
            if code.ends() {
                skip.places |= ENDS;
                break;
            }
            skip.places += (code.symbol >> 4) + 1;
        }
        skip
    }

    /// The code at the upper end of `window`.
    #[inline(always)]
    fn code(&self, window: u64) -> Option<Code> {
        let code = self.codes[(window >> (64 - LOOKUP_BITS)) as usize];
        if code.bits == 0 { self.long_code(window) } else { Some(code) }
    }

    #[cold]
    fn long_code(&self, window: u64) -> Option<Code> {
        self.long.get(((window >> 48) as usize).checked_sub(self.first_long)?).copied()
    }
}

/// The bits of a stretch of coded pixels (stuffing removed). What reads is `None` for bits that are no code, and far
/// beyond the end.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    /// What was not taken into the window yet, and the bytes that follow the stretch.
    rest: &'a [u8],
    /// The bits to come, at the upper end.
    window: u64,
    /// How many bits of the window are valid.
    valid: u32,
}

impl<'a> Bits<'a> {
    /// Of a stretch and the [`AHEAD`] bytes after it.
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { rest: data, window: 0, valid: 0 }
    }

    /// Whether stray bytes follow what was read; `None` where more was read than there is, and where so much is left, or
    /// so unlike the ones that fill the last byte, that what was read cannot be right.
    pub(super) fn strays(&self) -> Option<bool> {
        let left = (8 * self.rest.len() + self.valid as usize).checked_sub(8 * AHEAD)?;
        let fill = left % 8;
        let filled = self.window >> 1 >> (63 - fill) == (1 << fill) - 1;
        (left < 8 || filled && left < 8 * (MOST_STRAYS + 1)).then_some(left >= 8)
    }

    /// The number of the next code, which begins a block.
    #[inline(always)]
    pub(super) fn read_first(&mut self, table: &Table) -> Option<i32> {
        self.fill()?;
        let code = table.code(self.window)?;
        let value = number(self.window << code.bits, code.size());
        self.take(code.all_bits());
        Some(value)
    }

    /// The next code of a block and its number.
    #[inline(always)]
    pub(super) fn read_one(&mut self, table: &Table) -> Option<Step> {
        self.fill()?;
        self.one(table)
    }

    /// The next code of a block and its number, or the next two.
    #[inline(always)]
    pub(super) fn read_two(&mut self, table: &Table) -> Option<Step> {
        self.fill()?;
        let step = table.steps[(self.window >> (64 - LOOKUP_BITS)) as usize];
        if step.bits == 0 {
            return self.one(table);
        }
        self.take(u32::from(step.bits));
        Some(step)
    }

    /// Skips codes of a block from its place `next` on: how many places they take, and whether there are no more.
    #[inline(always)]
    pub(super) fn skip(&mut self, table: &Table, next: usize) -> Option<(usize, bool)> {
        self.fill()?;
        let skip = table.skips[(self.window >> (64 - LOOKUP_BITS)) as usize];
        let places = usize::from(skip.places & !ENDS);
        if skip.bits == 0 || next + places >= 64 {
            let step = self.one(table)?;
            return Some((step.places(), step.ends()));
        }
        self.take(u32::from(skip.bits));
        Some((places, skip.places & ENDS != 0))
    }

    #[inline(always)]
    fn one(&mut self, table: &Table) -> Option<Step> {
        let code = table.code(self.window)?;
        let value = number(self.window << code.bits, code.size());
        self.take(code.all_bits());
        Some(code.step(value as i16))
    }

    /// At least 56 bits in the window: always, as whether they are needed could not be foreseen.
    #[inline(always)]
    fn fill(&mut self) -> Option<()> {
        let word = u64::from_be_bytes(*self.rest.first_chunk()?);
        self.window |= word >> self.valid;
        self.rest = &self.rest[((63 - self.valid) / 8) as usize..];
        self.valid |= 56;
        Some(())
    }

    #[inline(always)]
    fn take(&mut self, bits: u32) {
        self.window <<= bits;
        self.valid -= bits;
    }
}

/// The number of `size` bits (at most 15) at the upper end of `window`, as JPEG stores it: with a leading 0 it is
/// negative. Without a branch, as no branch here can be foreseen.
#[inline(always)]
fn number(window: u64, size: u32) -> i32 {
    let bits = (window >> 1 >> (63 - size)) as i32;
    let half = 1 << size >> 1;
    bits + if bits < half { 1 - 2 * half } else { 0 }
}
