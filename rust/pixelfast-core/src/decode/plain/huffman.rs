//! Huffman codes and the bits that they are read from.

/// Codes of up to this many bits are looked up at once; longer ones are rare.
const LOOKUP_BITS: u32 = 10;

/// Bits of the longest code and of the longest number after it.
const LONGEST: u32 = 16 + 15;

/// A code table: what the next bits of the file mean.
pub(super) struct Table {
    /// By the next [`LOOKUP_BITS`] bits.
    lookup: [Entry; 1 << LOOKUP_BITS],
    /// By the length of a code: the first that is too large for this length, as if it had 16 bits.
    limit: [u32; 17],
    /// By the length of a code: what to add to it to find its symbol.
    offset: [i32; 17],
    symbols: [u8; 256],
}

/// A code that fits the lookup, and the number that follows it.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// Zeros before the number.
    run: u8,
    /// Bits of the number.
    size: u8,
    /// Bits of the code; 0 if it is longer than the lookup.
    code: u8,
    /// Bits of both.
    bits: u8,
}

impl Table {
    /// A table from how many codes there are of each length and their symbols. `None` where they make no code.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Box<Self>> {
        let mut table = Box::new(Self {
            lookup: [Entry::default(); 1 << LOOKUP_BITS],
            limit: [0; 17],
            offset: [0; 17],
            symbols: [0; 256],
        });
        table.symbols.get_mut(..symbols.len())?.copy_from_slice(symbols);
        let (mut code, mut index) = (0_u32, 0_usize);
        for (bits, &count) in (1..=16_u32).zip(counts) {
            let count = usize::from(count);
            table.offset[bits as usize] = index as i32 - code as i32;
            for &symbol in &symbols[index..index + count] {
                table.enter(code, bits, symbol);
                code += 1;
            }
            if code >= 1 << bits {
                return None;
            }
            index += count;
            table.limit[bits as usize] = code << (16 - bits);
            code <<= 1;
        }
        Some(table)
    }

    /// Enters a code for every continuation of it.
    fn enter(&mut self, code: u32, bits: u32, symbol: u8) {
        let Some(free) = LOOKUP_BITS.checked_sub(bits) else { return };
        let (run, size) = (symbol >> 4, symbol & 15);
        let entry = Entry { run, size, code: bits as u8, bits: bits as u8 + size };
        self.lookup.iter_mut().skip((code << free) as usize).take(1 << free).for_each(|into| *into = entry);
    }

    /// The code at the upper end of `window`, which is longer than the lookup.
    #[cold]
    fn find_long(&self, window: u64) -> Option<Entry> {
        let code = (window >> 48) as u32;
        let bits = (LOOKUP_BITS + 1..=16).find(|&bits| code < self.limit[bits as usize])?;
        let index = (code >> (16 - bits)) as i32 + self.offset[bits as usize];
        let symbol = *self.symbols.get(usize::try_from(index).ok()?)?;
        let (run, size) = (symbol >> 4, symbol & 15);
        Some(Entry { run, size, code: bits as u8, bits: bits as u8 + size })
    }
}

/// The bits of a stretch of coded pixels (stuffing removed), with zeros after its end.
pub(super) struct Bits<'a> {
    data: &'a [u8],
    /// Where the next byte comes from; beyond the end once zeros are made up.
    next: usize,
    /// The bits to come, at the upper end.
    window: u64,
    /// How many bits of the window are valid.
    valid: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self { data, next: 0, window: 0, valid: 0 }
    }

    /// Whether all was read but what fills the last byte, and nothing was made up.
    pub(super) fn is_at_end(&self) -> bool {
        let (read, all) = (8 * self.next - self.valid as usize, 8 * self.data.len());
        read <= all && all - read < 8
    }

    /// At least 56 bits in the window.
    #[inline(always)]
    fn fill(&mut self) {
        let word = match self.data.get(self.next..self.next + 8) {
            Some(bytes) => u64::from_be_bytes(bytes.try_into().unwrap_or_default()),
            None => self.last_word(),
        };
        self.window |= word >> self.valid;
        self.next += ((63 - self.valid) / 8) as usize;
        self.valid |= 56;
    }

    #[cold]
    fn last_word(&self) -> u64 {
        let mut word = [0; 8];
        let rest = self.data.get(self.next..).unwrap_or_default();
        word[..rest.len()].copy_from_slice(rest);
        u64::from_be_bytes(word)
    }

    #[inline(always)]
    fn take(&mut self, bits: u32) {
        self.window <<= bits;
        self.valid -= bits;
    }

    /// The next code's run of zeros and the number after them (0 where none follows). `None` for bits that are no code.
    #[inline(always)]
    pub(super) fn read(&mut self, table: &Table) -> Option<(usize, i32)> {
        if self.valid < LONGEST {
            self.fill();
        }
        let entry = table.lookup[(self.window >> (64 - LOOKUP_BITS)) as usize];
        let entry = if entry.bits == 0 { table.find_long(self.window)? } else { entry };
        let value = number(self.window << entry.code, u32::from(entry.size));
        self.take(u32::from(entry.bits));
        Some((usize::from(entry.run), value))
    }

    /// Reads past a code and the number after it: the run of zeros, and whether a number followed.
    #[inline(always)]
    pub(super) fn skip(&mut self, table: &Table) -> Option<(usize, bool)> {
        if self.valid < LONGEST {
            self.fill();
        }
        let entry = table.lookup[(self.window >> (64 - LOOKUP_BITS)) as usize];
        let entry = if entry.bits == 0 { table.find_long(self.window)? } else { entry };
        self.take(u32::from(entry.bits));
        Some((usize::from(entry.run), entry.size > 0))
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
