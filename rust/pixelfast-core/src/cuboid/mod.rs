//! Cuboids: a window of frames as floats, for training and for engines that take cuboids.

mod augment;
mod errors;

use rayon::prelude::*;

pub use augment::{Augment, Flip};
pub use errors::cuboid_errors;

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

impl<'a> Frames<'a> {
    /// How many frames there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.levels.len().checked_div(self.pixels()).unwrap_or_default()
    }

    /// Pixels a frame.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    fn frame(&self, index: usize) -> &'a [u8] {
        &self.levels[index * self.pixels()..][..self.pixels()]
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
        let levels = frames.frame(starts[cuboid] as usize + frame);
        to_floats(levels, out);
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

/// Exactly NumPy's `levels.astype(float32) / 255`.
fn to_floats(levels: &[u8], out: &mut [f32]) {
    out.iter_mut().zip(levels).for_each(|(out, &level)| *out = f32::from(level) / 255.0);
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
