//! The frames that are not finished yet: as neighbouring frames lie side by side, a whole window is added to them in
//! one go.

use pixelfast_vector::{Work, vectorised};

use super::How;
use crate::{Cancel, Result};

#[derive(Debug)]
pub(super) struct Line {
    how: How,
    pub cells: usize,
    first: usize,
    /// How many windows hold each frame so far.
    windows: Vec<u32>,
    /// For mean and maximum one value for each cell of each frame.
    values: Vec<f64>,
    /// For the median the errors of each frame, one row a window.
    rows: Vec<Vec<f64>>,
}

impl Line {
    pub(super) fn new(how: How, cells: usize) -> Self {
        Self { how, cells, first: 0, windows: Vec::new(), values: Vec::new(), rows: Vec::new() }
    }

    /// The frame after the last one that has got an error.
    pub(super) fn end(&self) -> usize {
        self.first + self.windows.len()
    }

    /// Adds the errors of a window, which begins at frame `start`.
    pub(super) fn add(&mut self, start: usize, errors: &[f32]) {
        let from = start - self.first;
        let to = from + errors.len() / self.cells;
        self.grow(self.windows.len().max(to));
        self.windows[from..to].iter_mut().for_each(|windows| *windows += 1);
        let values = &mut self.values[from * self.cells..];
        match self.how {
            How::Mean => vectorised(Join(values, errors, |sum: f64, error| sum + error)),
            How::Max => vectorised(Join(values, errors, f64::max)),
            How::Median => {
                let rows = self.rows[from..].iter_mut().zip(errors.chunks_exact(self.cells));
                rows.for_each(|(rows, errors)| rows.extend(errors.iter().map(|&error| f64::from(error))));
            }
        }
    }

    fn grow(&mut self, frames: usize) {
        // What changes nothing: zero would make 0.0 of -0.0.
        let neutral = if self.how == How::Max { f64::NEG_INFINITY } else { -0.0 };
        self.values.resize(frames * self.cells, neutral);
        self.windows.resize(frames, 0);
        self.rows.resize_with(frames, Vec::new);
    }

    /// Appends the maps of the frames before `frame`, which no later window holds.
    pub(super) fn take(&mut self, frame: usize, maps: &mut Vec<f32>, cancel: &Cancel) -> Result<()> {
        let count = frame.min(self.end()) - self.first;
        let values = self.values.chunks_exact(self.cells).zip(&mut self.rows).zip(&self.windows);
        for ((values, rows), &windows) in values.take(count) {
            cancel.check()?;
            match self.how {
                How::Mean => maps.extend(values.iter().map(|sum| (sum / f64::from(windows)) as f32)),
                How::Max => maps.extend(values.iter().map(|&largest| largest as f32)),
                How::Median => maps.extend(median(rows, self.cells)),
            }
        }
        self.values.drain(..count * self.cells);
        self.windows.drain(..count);
        self.rows.drain(..count);
        self.first += count;
        Ok(())
    }
}

/// Joins each error with what the windows before made of theirs.
struct Join<'a, F>(&'a mut [f64], &'a [f32], F);

impl<F: Fn(f64, f64) -> f64> Work for Join<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (value, &error) in self.0.iter_mut().zip(self.1) {
            *value = self.2(*value, f64::from(error));
        }
    }
}

/// The median of each column of rows of `cells` values.
fn median(values: &mut [f64], cells: usize) -> impl Iterator<Item = f32> {
    sort_rows(values, cells);
    let windows = values.len() / cells;
    let (lower, upper) = (&values[(windows - 1) / 2 * cells..], &values[windows / 2 * cells..]);
    lower.iter().zip(upper).take(cells).map(|(a, b)| ((a + b) / 2.0) as f32)
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
#[inline(never)] // the compiler makes vector code of it only where it knows that the rows are two
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
