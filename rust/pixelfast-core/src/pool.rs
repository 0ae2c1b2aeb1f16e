//! One number a frame from its map of errors.

use rayon::prelude::*;

use crate::real::{all_finite, require_finite};
use crate::{Cancel, Error, Result};

/// Maps a task.
const MAPS: usize = 256;
/// Cells that [`Pool::Worst`] looks at (DESIGN, "Aggregate").
const WORST: usize = 3;

/// How a map becomes a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The mean of all cells.
    Mean,
    /// The mean of the three worst cells; of all where there are fewer.
    Worst,
}

impl std::str::FromStr for Pool {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "mean" => Ok(Self::Mean),
            "worst" => Ok(Self::Worst),
            other => Err(Error::Value(format!("how must be \"mean\" or \"worst\", not {other:?}"))),
        }
    }
}

/// Pools maps of `cells` cells each, in f64, into one f32 a map.
///
/// # Errors
/// [`Error::Value`] with the index of the first value that is not finite; [`Error::Shape`] where the sizes do not fit
/// together; [`Error::Cancelled`].
pub fn pool(maps: &[f32], cells: usize, how: Pool, out: &mut [f32], cancel: &Cancel) -> Result<()> {
    if cells == 0 || maps.len() != cells * out.len() {
        return Err(Error::Shape(format!("{} values are not {} maps of {cells} cells", maps.len(), out.len())));
    }
    let blocks = maps.par_chunks(MAPS * cells).zip(out.par_chunks_mut(MAPS));
    let finite = blocks.map(|(maps, out)| {
        for (map, out) in maps.chunks_exact(cells).zip(out) {
            *out = match how {
                Pool::Mean => mean(map),
                Pool::Worst => worst(map),
            };
        }
        cancel.check().map(|()| all_finite(maps))
    });
    require_finite("maps", maps, finite.try_reduce(|| true, |a, b| Ok(a & b))?)
}

/// Sums in eight lanes, an order that vectorises and never changes.
fn mean(map: &[f32]) -> f32 {
    let mut lanes = [0f64; 8];
    let (eights, rest) = map.as_chunks::<8>();
    for eight in eights {
        lanes.iter_mut().zip(eight).for_each(|(lane, &value)| *lane += f64::from(value));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, &value)| *lane += f64::from(value));
    (lanes.iter().sum::<f64>() / map.len() as f64) as f32
}

/// Each of eight lanes keeps its worst, then they compete.
fn worst(map: &[f32]) -> f32 {
    let mut top = [[f32::NEG_INFINITY; 8]; WORST];
    let (eights, rest) = map.as_chunks::<8>();
    eights.iter().for_each(|&eight| keep_worst(&mut top, eight));
    let mut worst = [[f32::NEG_INFINITY]; WORST];
    top.as_flattened().iter().chain(rest).for_each(|&value| keep_worst(&mut worst, [value]));
    let count = map.len().min(WORST);
    (worst[..count].iter().map(|[value]| f64::from(*value)).sum::<f64>() / count as f64) as f32
}

/// Lane by lane, puts a value where it belongs among the largest, which fall.
#[inline]
fn keep_worst<const LANES: usize>(top: &mut [[f32; LANES]; WORST], values: [f32; LANES]) {
    let mut falling = values;
    for place in top {
        for (place, value) in place.iter_mut().zip(&mut falling) {
            let (larger, smaller) = if *value > *place { (*value, *place) } else { (*place, *value) };
            (*place, *value) = (larger, smaller);
        }
    }
}
