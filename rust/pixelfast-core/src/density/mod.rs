//! What the density method measures and looks up: how blocks of a picture move and look, and the nearest known point.

mod area;
pub mod exemplars;
pub mod look;
pub mod motion;
pub mod places;
mod search;
mod spread;

use crate::{Error, Result};

/// Values that are worked on side by side.
const LANES: usize = 8;
/// Blocks along a side: more is a mistake, not a grid.
const MOST_BLOCKS: usize = 1024;

/// The larger of two, in one instruction; the second where one is NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The smaller of two, likewise.
#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// Refuses sizes that do not fit together; `values` a pixel come in, `channels` a block go out.
fn check(
    name: &str,
    (came, values): (usize, usize),
    (height, width): (usize, usize),
    (rows, columns): (usize, usize),
    (out, channels): (usize, usize),
) -> Result<()> {
    if height < 2 || width < 2 {
        return Err(Error::Shape(format!("{name} must have at least 2x2 pixels, not {height}x{width}")));
    }
    check_grid((rows, columns))?;
    let frames = out / (rows * columns * channels);
    if came != frames * height * width * values || out != frames * rows * columns * channels {
        return Err(Error::Shape(format!("{name} has {came} values, which are not {frames} of {height}x{width}")));
    }
    Ok(())
}

/// Refuses a grid without blocks or with more than any picture needs, before there is memory for it.
///
/// # Errors
/// [`Error::Value`] for rows or columns outside 1 to 1024.
pub fn check_grid((rows, columns): (usize, usize)) -> Result<()> {
    if (1..=MOST_BLOCKS).contains(&rows) && (1..=MOST_BLOCKS).contains(&columns) {
        return Ok(());
    }
    Err(Error::Value(format!("rows and columns must be 1 to {MOST_BLOCKS}, not {rows} and {columns}")))
}
