//! Mean squared errors of reconstructions, cell by cell.

use rayon::prelude::*;

use crate::{Cancel, Error, Result};

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
