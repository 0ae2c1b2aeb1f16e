//! How noisy a frame is.

use rayon::prelude::*;

use crate::{Cancel, Error, Result};

/// Smallest height and width: the mask is 3x3.
const SMALLEST: usize = 3;
/// Pixels summed in 32 bits.
const PIECE: usize = 1 << 16;

/// Estimates the standard deviation of each frame's noise in grey levels.
///
/// J. Immerkaer, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64(2), 1996: the mean
/// absolute answer of the difference of two Laplacians, a mask that smooth surfaces and straight edges do not excite,
/// times sqrt(pi / 2) / 6.
///
/// # Errors
/// [`Error::Shape`] for frames below 3x3 or where the sizes do not fit together; [`Error::Cancelled`].
pub fn noise_sigma(frames: &[u8], height: usize, width: usize, out: &mut [f32], cancel: &Cancel) -> Result<()> {
    if height < SMALLEST || width < SMALLEST {
        return Err(Error::Shape(format!("frames must be at least 3x3 pixels, not {height}x{width}")));
    }
    if frames.len() != out.len() * height * width {
        let (values, count) = (frames.len(), out.len());
        return Err(Error::Shape(format!("{values} values are not {count} frames of {height}x{width}")));
    }
    frames.par_chunks(height * width).zip(out).try_for_each(|(frame, out)| {
        let scale = (std::f64::consts::FRAC_PI_2).sqrt() / (6 * (height - 2) * (width - 2)) as f64;
        *out = (residual(frame, width) as f64 * scale) as f32;
        cancel.check()
    })
}

/// The sum of the absolute answers of the mask [1 -2 1, -2 4 -2, 1 -2 1].
fn residual(frame: &[u8], width: usize) -> u64 {
    let rows: Vec<&[u8]> = frame.chunks_exact(width).collect();
    let mut vertical = vec![0i16; width];
    rows.windows(3).map(|three| row_residual(three[0], three[1], three[2], &mut vertical)).sum()
}

/// The same for the middle one of three rows: second differences down, then across.
fn row_residual(above: &[u8], middle: &[u8], below: &[u8], vertical: &mut [i16]) -> u64 {
    for (((out, &a), &m), &b) in vertical.iter_mut().zip(above).zip(middle).zip(below) {
        *out = i16::from(a) - 2 * i16::from(m) + i16::from(b);
    }
    let [left, centre, right] = [&vertical[..], &vertical[1..], &vertical[2..]].map(|part| part.chunks(PIECE));
    left.zip(centre).zip(right).map(|((left, centre), right)| u64::from(piece_residual(left, centre, right))).sum()
}

/// At most 2040 a pixel, so that the sum of a piece fits.
fn piece_residual(left: &[i16], centre: &[i16], right: &[i16]) -> u32 {
    left.iter().zip(centre).zip(right).map(|((l, c), r)| u32::from((l - 2 * c + r).unsigned_abs())).sum()
}
