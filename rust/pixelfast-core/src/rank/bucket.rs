//! Ranks within a group that fits the cache.

use crate::real::Key;

/// Up to this many keys of a cell are compared one by one, more are searched.
const SCAN: usize = 16;

/// Memory that a task uses again for each group.
#[derive(Default)]
pub(super) struct Scratch<K> {
    cells: Vec<u32>,
    ordered: Vec<K>,
}

/// Replaces each key by twice its average rank, `below` values being smaller than all of them.
pub(super) fn ranks<K: Key>(keys: &mut [K], below: u64, scratch: &mut Scratch<K>) {
    let (Some(low), Some(high)) = (keys.iter().min(), keys.iter().max()) else {
        return;
    };
    let (low, range) = (low.key(), high.key() - low.key());
    if range == 0 {
        let rank = K::narrow(2 * below + keys.len() as u64 + 1);
        return keys.fill(rank);
    }
    if range < 4 * keys.len() as u64 {
        return count(keys, low, range as usize + 1, below, &mut scratch.cells);
    }
    // About two cells a key.
    let wanted = usize::BITS - keys.len().leading_zeros() + 1;
    let shift = (u64::BITS - range.leading_zeros()).saturating_sub(wanted);
    Cells { low, shift, below }.ranks(keys, (range >> shift) as usize + 1, scratch);
}

/// One counter a key: for keys close together.
fn count<K: Key>(keys: &mut [K], low: u64, cells: usize, below: u64, counters: &mut Vec<u32>) {
    counters.clear();
    counters.resize(cells, 0);
    keys.iter().for_each(|key| counters[(key.key() - low) as usize] += 1);
    let mut less = 0;
    for counter in counters.iter_mut() {
        let equal = std::mem::replace(counter, 2 * less + *counter + 1);
        less += equal;
    }
    for key in keys {
        *key = K::narrow(2 * below + u64::from(counters[(key.key() - low) as usize]));
    }
}

/// Cells of several keys each.
struct Cells {
    low: u64,
    shift: u32,
    below: u64,
}

impl Cells {
    #[inline]
    fn cell<K: Key>(&self, key: K) -> usize {
        ((key.key() - self.low) >> self.shift) as usize
    }

    fn ranks<K: Key>(&self, keys: &mut [K], cells: usize, scratch: &mut Scratch<K>) {
        self.order(keys, cells, scratch);
        let Scratch { cells: ends, ordered } = scratch;
        for key in keys {
            let cell = self.cell(*key);
            let start = if cell == 0 { 0 } else { ends[cell - 1] as usize };
            let members = &ordered[start..ends[cell] as usize];
            let (less, equal) = if members.len() == 1 { (0, 1) } else { place(members, *key) };
            *key = K::narrow(2 * (self.below + (start + less) as u64) + equal as u64 + 1);
        }
    }

    /// Puts the keys in the order of their cells, sorted in cells that hold many; `scratch.cells` has the cells' ends.
    fn order<K: Key>(&self, keys: &[K], cells: usize, scratch: &mut Scratch<K>) {
        let Scratch { cells: ends, ordered } = scratch;
        ends.clear();
        ends.resize(cells, 0);
        ordered.resize(keys.len(), K::default());
        keys.iter().for_each(|&key| ends[self.cell(key)] += 1);
        let (mut next, mut largest) = (0, 0);
        for end in ends.iter_mut() {
            let count = std::mem::replace(end, next);
            next += count;
            largest = largest.max(count);
        }
        for &key in keys {
            let end = &mut ends[self.cell(key)];
            ordered[*end as usize] = key;
            *end += 1;
        }
        if largest as usize > SCAN {
            sort_large(ends, ordered);
        }
    }
}

fn sort_large<K: Key>(ends: &[u32], ordered: &mut [K]) {
    let mut start = 0;
    for &end in ends {
        if end as usize - start > SCAN {
            ordered[start..end as usize].sort_unstable();
        }
        start = end as usize;
    }
}

/// How many of a cell's members are less than `key`, and how many equal it.
#[inline]
fn place<K: Key>(members: &[K], key: K) -> (usize, usize) {
    if members.len() > SCAN {
        let less = members.partition_point(|&member| member < key);
        return (less, members[less..].partition_point(|&member| member == key));
    }
    let less = members.iter().filter(|&&member| member < key).count();
    (less, members.iter().filter(|&&member| member == key).count())
}
