//! The frames that are not finished yet.

use std::collections::VecDeque;

use super::How;

/// A line of unfinished frames; its memory is that of one window.
#[derive(Debug)]
pub(super) struct Ring {
    how: How,
    cells: usize,
    first: usize,
    slots: VecDeque<Slot>,
    spare: Vec<Slot>,
}

/// What a frame has got so far.
#[derive(Debug)]
pub(super) struct Slot {
    how: How,
    windows: u32,
    /// One value a cell; for the median one row a window.
    values: Vec<f64>,
}

impl Ring {
    /// Empty, `first` being the next frame.
    pub(super) fn new(how: How, cells: usize, first: usize) -> Self {
        Self { how, cells, first, slots: VecDeque::new(), spare: Vec::new() }
    }

    pub(super) fn cells(&self) -> usize {
        self.cells
    }

    /// The first frame that was not handed over.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The frame after the last one that has got an error.
    pub(super) fn end(&self) -> usize {
        self.first + self.slots.len()
    }

    /// Adds the errors of a frame in one more window.
    pub(super) fn add(&mut self, frame: usize, row: &[f32]) {
        while self.end() <= frame {
            let slot = self.spare.pop().unwrap_or_else(|| Slot { how: self.how, windows: 0, values: Vec::new() });
            self.slots.push_back(slot);
        }
        self.slots[frame - self.first].add(row);
    }

    /// Hands over the frames before `frame`, which no later window holds.
    pub(super) fn finish(&mut self, frame: usize, mut take: impl FnMut(&mut Slot)) {
        while self.first < frame {
            let Some(mut slot) = self.slots.pop_front() else {
                return;
            };
            take(&mut slot);
            slot.windows = 0;
            slot.values.clear();
            self.spare.push(slot);
            self.first += 1;
        }
    }
}

impl Slot {
    fn add(&mut self, row: &[f32]) {
        let wide = row.iter().map(|&value| f64::from(value));
        self.windows += 1;
        if self.windows == 1 || self.how == How::Median {
            self.values.extend(wide);
        } else if self.how == How::Max {
            self.values.iter_mut().zip(wide).for_each(|(largest, value)| *largest = largest.max(value));
        } else {
            self.values.iter_mut().zip(wide).for_each(|(sum, value)| *sum += value);
        }
    }

    /// Writes the frame's map.
    pub(super) fn write(&mut self, map: &mut [f32]) {
        let windows = f64::from(self.windows);
        match self.how {
            How::Mean => map.iter_mut().zip(&self.values).for_each(|(out, sum)| *out = (sum / windows) as f32),
            How::Max => map.iter_mut().zip(&self.values).for_each(|(out, &largest)| *out = largest as f32),
            How::Median => self.write_median(map),
        }
    }

    fn write_median(&mut self, map: &mut [f32]) {
        let cells = map.len();
        sort_rows(&mut self.values, cells);
        let windows = self.values.len() / cells;
        let (lower, upper) = (&self.values[(windows - 1) / 2 * cells..], &self.values[windows / 2 * cells..]);
        map.iter_mut().zip(lower).zip(upper).for_each(|((out, a), b)| *out = ((a + b) / 2.0) as f32);
    }
}

/// Sorts every column of rows of `cells` values, all columns at once: Batcher's merge exchange (Knuth, The Art of
/// Computer Programming, volume 3, 5.2.2, algorithm M).
fn sort_rows(values: &mut [f64], cells: usize) {
    let rows = values.len() / cells;
    let top = rows.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            (0..rows - d).filter(|row| row & p == r).for_each(|row| exchange(values, cells, row, row + d));
            if q == p {
                break;
            }
            (d, q, r) = (q - p, q / 2, p);
        }
        p /= 2;
    }
}

/// Puts the smaller value of each column into the upper one of two rows.
fn exchange(values: &mut [f64], cells: usize, upper: usize, lower: usize) {
    let (before, after) = values.split_at_mut(lower * cells);
    for (a, b) in before[upper * cells..].iter_mut().zip(&mut after[..cells]) {
        let (smaller, larger) = if *b < *a { (*b, *a) } else { (*a, *b) };
        (*a, *b) = (smaller, larger);
    }
}

#[cfg(test)]
mod tests {
    use super::sort_rows;

    /// A network that sorts all sequences of zeros and ones sorts everything (the zero-one principle).
    #[test]
    fn sorts_zeros_and_ones_of_any_number() {
        for rows in 1..=12 {
            let cells = 1 << rows;
            let bit = |place: usize| f64::from((((place % cells) >> (place / cells)) & 1) as u8);
            let mut values: Vec<f64> = (0..rows * cells).map(bit).collect();
            sort_rows(&mut values, cells);
            let (upper, lower) = (&values[..(rows - 1) * cells], &values[cells..]);
            assert!(upper.iter().zip(lower).all(|(a, b)| a <= b), "{rows} rows");
            assert_eq!(values.iter().sum::<f64>(), (rows * cells / 2) as f64);
        }
    }
}
