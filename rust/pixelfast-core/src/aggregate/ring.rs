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

    fn write_median(&self, map: &mut [f32]) {
        let mut column = Vec::with_capacity(self.windows as usize);
        for (cell, out) in map.iter_mut().enumerate() {
            column.clear();
            column.extend(self.values.iter().skip(cell).step_by(self.values.len() / self.windows.max(1) as usize));
            column.sort_unstable_by(f64::total_cmp);
            let middle = column.len() / 2;
            *out = if column.len().is_multiple_of(2) {
                ((column[middle - 1] + column[middle]) / 2.0) as f32
            } else {
                column[middle] as f32
            };
        }
    }
}
