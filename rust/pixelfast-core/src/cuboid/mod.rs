//! Cuboids: windows of frames as floats, for training and for engines that take cuboids, and their errors.

mod augment;

use rayon::prelude::*;

pub use augment::{Augment, Flip};

use crate::{Cancel, Error, Result};

/// Frames to take windows from.
#[derive(Clone, Copy, Debug)]
pub struct Frames<'a> {
    /// Grey levels of all frames, one row after the other.
    pub levels: &'a [u8],
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Frames<'_> {
    fn count(&self) -> usize {
        self.levels.len().checked_div(self.pixels()).unwrap_or_default()
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }
}

/// Writes frames `starts[b] .. starts[b] + window`, divided by 255, to the b-th cuboid of `out`.
///
/// With `augment`, some frames get noise or are turned upside down; `clean` receives the same without the noise.
///
/// # Errors
/// [`Error::Value`] for a start outside the frames or a setting out of its range; [`Error::Shape`] where the sizes do
/// not fit together; [`Error::Cancelled`].
pub fn assemble_cuboids(
    frames: Frames<'_>,
    starts: &[i64],
    window: usize,
    augment: Option<Augment<'_>>,
    out: &mut [f32],
    clean: Option<&mut [f32]>,
    cancel: &Cancel,
) -> Result<()> {
    let clean_len = clean.as_ref().map_or(out.len(), |clean| clean.len());
    check(&frames, starts, window, out.len(), clean_len)?;
    if let Some(augment) = &augment {
        augment.check(starts.len())?;
    }
    let Some(size) = Some(frames.pixels()).filter(|&pixels| pixels > 0) else {
        return Ok(());
    };
    let write = |place: usize, out: &mut [f32], clean: Option<&mut [f32]>| {
        let (cuboid, frame) = (place / window, place % window);
        let levels = &frames.levels[(starts[cuboid] as usize + frame) * size..][..size];
        // Exactly NumPy's `levels.astype(float32) / 255`.
        out.iter_mut().zip(levels).for_each(|(out, &level)| *out = f32::from(level) / 255.0);
        if let Some(augment) = &augment {
            augment.apply(cuboid, frame, frames.width, out, clean);
        } else if let Some(clean) = clean {
            clean.copy_from_slice(out);
        }
        cancel.check()
    };
    let places = out.par_chunks_mut(size).enumerate();
    match clean {
        None => places.try_for_each(|(place, out)| write(place, out, None)),
        Some(clean) => {
            places.zip(clean.par_chunks_mut(size)).try_for_each(|((place, out), clean)| write(place, out, Some(clean)))
        }
    }
}

fn check(frames: &Frames<'_>, starts: &[i64], window: usize, out: usize, clean: usize) -> Result<()> {
    let values = starts.len() * window * frames.pixels();
    if out != values || clean != values {
        return Err(Error::Shape(format!("out and clean must have {values} values, not {out} and {clean}")));
    }
    let last = frames.count() as i64 - window as i64;
    if let Some((index, start)) = starts.iter().enumerate().find(|(_, start)| !(0..=last).contains(*start)) {
        let count = frames.count();
        return Err(Error::Value(format!(
            "starts[{index}] is {start}, but windows of {window} in {count} frames start at 0 to {last}"
        )));
    }
    Ok(())
}

/// Writes the mean squared error of each cell of a `grid` x `grid` raster on frames of `height` x `width`; sums in f64.
///
/// Values that are not finite come out as such: who called the engine knows which frame it was.
///
/// # Errors
/// [`Error::Shape`] where the grid does not divide the frame or the sizes do not fit together; [`Error::Cancelled`].
pub fn cuboid_errors(
    cuboids: &[f32],
    reconstruction: &[f32],
    (height, width): (usize, usize),
    grid: usize,
    out: &mut [f32],
    cancel: &Cancel,
) -> Result<()> {
    if grid == 0 || height == 0 || width == 0 || !height.is_multiple_of(grid) || !width.is_multiple_of(grid) {
        return Err(Error::Shape(format!("frames of {height}x{width} cannot be cut into {grid}x{grid} equal cells")));
    }
    let (pixels, cells) = (height * width, grid * grid);
    if cuboids.len() != reconstruction.len() || cuboids.len() * cells != out.len() * pixels {
        let (a, b) = (cuboids.len(), reconstruction.len());
        return Err(Error::Shape(format!("cuboids and reconstruction must have one size, not {a} and {b} values")));
    }
    let frames = cuboids.par_chunks(pixels).zip(reconstruction.par_chunks(pixels)).zip(out.par_chunks_mut(cells));
    frames.try_for_each(|((cuboid, reconstruction), out)| {
        let bands = cuboid.chunks(pixels / grid).zip(reconstruction.chunks(pixels / grid));
        bands.zip(out.chunks_mut(grid)).for_each(|((a, b), out)| band_errors(a, b, width / grid, out));
        cancel.check()
    })
}

/// One row of cells.
fn band_errors(a: &[f32], b: &[f32], cell_width: usize, out: &mut [f32]) {
    let columns = out.len();
    let mut sums = vec![0f64; columns];
    for (index, (a, b)) in a.chunks_exact(cell_width).zip(b.chunks_exact(cell_width)).enumerate() {
        sums[index % columns] += squared_error(a, b);
    }
    let pixels = a.len() / columns;
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = (sum / pixels as f64) as f32);
}

/// Sums in four lanes, an order that vectorises and never changes.
#[inline]
fn squared_error(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0f64; 4];
    let ((a_fours, a_rest), (b_fours, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut add = |a: &[f32], b: &[f32]| {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            let difference = f64::from(a) - f64::from(b);
            *lane += difference * difference;
        }
    };
    a_fours.iter().zip(b_fours).for_each(|(a, b)| add(a, b));
    add(a_rest, b_rest);
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}
