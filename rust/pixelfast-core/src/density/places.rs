//! Each place of the picture with points of its own: how far they are, and which of them span all.

use pixelfast_vector::{Work, vectorised};
use rayon::prelude::*;

use super::LANES;
use crate::real::{all_finite, require_finite};
use crate::{Cancel, Error, Result};

/// Frames a task: a place's exemplars stay in the cache for so many.
const TASK: usize = 16;

/// Sizes of points by place: [N, P, D].
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// Places, P.
    pub count: usize,
    /// Coordinates of a point, D.
    pub dims: usize,
}

impl Places {
    fn values(self) -> Result<usize> {
        let values = self.count * self.dims;
        let (count, dims) = (self.count, self.dims);
        if values > 0 {
            Ok(values)
        } else {
            Err(Error::Shape(format!("{count} places of {dims} coordinates are none")))
        }
    }
}

/// Writes [N, P]: how far each frame's point at each place is from the nearest of the place's exemplars [P, E, D].
///
/// # Errors
/// [`Error::Shape`] without exemplars or where the sizes do not fit together; [`Error::Value`] for a value that is not
/// finite; [`Error::Cancelled`].
pub fn place_distances(
    looks: &[f32],
    exemplars: &[f32],
    places: Places,
    out: &mut [f32],
    cancel: &Cancel,
) -> Result<()> {
    let values = places.values()?;
    if exemplars.is_empty()
        || !exemplars.len().is_multiple_of(values)
        || looks.len() * places.count != out.len() * values
    {
        let (count, dims, came) = (places.count, places.dims, exemplars.len());
        return Err(Error::Shape(format!(
            "exemplars must be one or more for each of {count} places, of {dims} coordinates, not {came} values"
        )));
    }
    require_finite("exemplars", exemplars, all_finite(exemplars))?;
    let own = exemplars.len() / places.count;
    looks.par_chunks(TASK * values).zip(out.par_chunks_mut(TASK * places.count)).try_for_each(|(looks, out)| {
        for (place, exemplars) in exemplars.chunks_exact(own).enumerate() {
            vectorised(Nearest { looks, exemplars, places, place, out });
        }
        cancel.check()
    })?;
    require_finite("looks", looks, all_finite(looks))
}

/// Some frames at one place.
struct Nearest<'a> {
    looks: &'a [f32],
    exemplars: &'a [f32],
    places: Places,
    place: usize,
    out: &'a mut [f32],
}

impl Work for Nearest<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Places { count, dims } = self.places;
        let frames = self.looks.chunks_exact(count * dims).zip(self.out.chunks_exact_mut(count));
        for (looks, out) in frames {
            let look = &looks[self.place * dims..][..dims];
            let squares = self.exemplars.chunks_exact(dims).map(|exemplar| square(look, exemplar));
            out[self.place] = squares.fold(f32::INFINITY, f32::min).sqrt();
        }
    }
}

/// The squared distance, in lanes: an order that vectorises and never changes.
#[inline(always)]
fn square(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    lanes.iter_mut().zip(a_rest).zip(b_rest).for_each(|((lane, a), b)| *lane += (a - b) * (a - b));
    let four: [f32; 4] = std::array::from_fn(|lane| lanes[lane] + lanes[lane + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// Writes [P, count, D]: at each place the first point, then always the one farthest from all before, the first of
/// equals; where there are fewer points, the last of these again.
///
/// # Errors
/// [`Error::Shape`] without points or where the sizes do not fit together; [`Error::Value`] for a value that is not
/// finite; [`Error::Cancelled`].
pub fn farthest_first(points: &[f32], places: Places, out: &mut [f32], cancel: &Cancel) -> Result<()> {
    let values = places.values()?;
    if points.is_empty() || !points.len().is_multiple_of(values) {
        return Err(Error::Shape(format!("points must be one or more at each place, not {} values", points.len())));
    }
    if out.is_empty() || !out.len().is_multiple_of(values) {
        return Err(Error::Value("count must be at least 1, not 0".into()));
    }
    require_finite("points", points, all_finite(points))?;
    let Places { count, dims } = places;
    out.par_chunks_mut(out.len() / count).enumerate().try_for_each(|(place, out)| {
        let own = points.chunks_exact(values).flat_map(|frame| &frame[place * dims..][..dims]);
        let own: Vec<f64> = own.copied().map(f64::from).collect();
        let mut away = vec![f64::INFINITY; own.len() / dims];
        let mut found = 0;
        for (index, out) in out.chunks_exact_mut(dims).enumerate() {
            if index > 0 && index < away.len() {
                found = vectorised(Farthest { own: &own, from: &own[found * dims..][..dims], away: &mut away });
            }
            out.iter_mut().zip(&own[found * dims..]).for_each(|(out, &value)| *out = value as f32);
            cancel.check()?;
        }
        Ok(())
    })
}

/// One more point is taken: how far the others are from all that are, and which is the farthest.
struct Farthest<'a> {
    own: &'a [f64],
    from: &'a [f64],
    away: &'a mut [f64],
}

impl Work for Farthest<'_> {
    type Output = usize;

    /// In f64, so that rounding does not choose.
    #[inline(always)]
    fn run(self) -> usize {
        for (away, point) in self.away.iter_mut().zip(self.own.chunks_exact(self.from.len())) {
            let mut lanes = [0.0; LANES];
            for (point, from) in point.chunks(LANES).zip(self.from.chunks(LANES)) {
                lanes.iter_mut().zip(point).zip(from).for_each(|((lane, a), b)| *lane += (a - b) * (a - b));
            }
            *away = away.min(lanes.iter().sum());
        }
        let farther = |best: usize, (index, &away): (usize, &f64)| if away > self.away[best] { index } else { best };
        self.away.iter().enumerate().fold(0, farther)
    }
}
