//! The nearest of some thousand known points, exactly, without looking at most of them.
//!
//! Points that lie together form leaves. Of each point nine numbers are kept that never make two points farther apart
//! than they are: where it lies along the eight directions in which the points spread most, and how far it is from the
//! space of those. Leaves whose box of these nine, then those whose points are beyond the best so far are left out.

use pixelfast_vector::{Work, vectorised};
use rayon::prelude::*;

use super::spread::{NEAR, Spread};
use super::{LANES, larger, smaller};
use crate::real::{all_finite, require_finite};
use crate::{Cancel, Error, Result};

/// Points of a leaf, compared side by side.
const LEAF: usize = 16;
/// Queries a task.
const TASK: usize = 256;
/// What rounding may add to a distance, as a share of it and of the sizes of both points: far above what it does.
const ROUNDING: f32 = 1e-5;

/// Nine numbers of `LANES` leaves or of a leaf's points.
type Near<const N: usize> = [[f32; N]; NEAR];

/// Known points, ready to be searched.
pub struct Exemplars {
    dims: usize,
    count: usize,
    spread: Spread,
    /// Least and largest of each number, eight leaves together.
    boxes: Vec<(Near<LANES>, Near<LANES>)>,
    near: Vec<Near<LEAF>>,
    /// Each leaf's points, coordinate by coordinate.
    points: Vec<[f32; LEAF]>,
}

impl Exemplars {
    /// Takes points of `dims` coordinates.
    ///
    /// # Errors
    /// [`Error::Shape`] without points or coordinates; [`Error::Value`] for one that is not finite.
    pub fn new(points: &[f32], dims: usize) -> Result<Self> {
        if dims == 0 || points.is_empty() || !points.len().is_multiple_of(dims) {
            return Err(Error::Shape(format!("exemplars must be one point or more, not {} values", points.len())));
        }
        require_finite("points", points, all_finite(points))?;
        let spread = Spread::of(points, dims);
        let near: Vec<[f32; NEAR]> = points.chunks_exact(dims).map(|point| spread.near(point)).collect();
        let mut order: Vec<usize> = (0..near.len()).collect();
        let mut leaves = Vec::new();
        part(&near, &mut order, &mut leaves);
        let mut made =
            Self { dims, count: near.len(), spread, boxes: Vec::new(), near: Vec::new(), points: Vec::new() };
        for leaf in &leaves {
            // A leaf that is not full repeats its last point.
            let point = |lane: usize| leaf[lane.min(leaf.len() - 1)];
            made.near.push(std::array::from_fn(|k| std::array::from_fn(|lane| near[point(lane)][k])));
            made.points.extend((0..dims).map(|k| std::array::from_fn(|lane| points[point(lane) * dims + k])));
        }
        made.boxes = made.near.chunks(LANES).map(boxes).collect();
        Ok(made)
    }

    /// How many points there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many coordinates each has.
    #[must_use]
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Writes each query's Euclidean distance to the nearest point.
    ///
    /// # Errors
    /// [`Error::Shape`] where the sizes do not fit together; [`Error::Value`] for a query that is not finite;
    /// [`Error::Cancelled`].
    pub fn nearest(&self, queries: &[f32], out: &mut [f32], cancel: &Cancel) -> Result<()> {
        if queries.len() != out.len() * self.dims {
            let (values, count, dims) = (queries.len(), out.len(), self.dims);
            return Err(Error::Shape(format!("{values} values are not {count} queries of {dims} coordinates")));
        }
        require_finite("queries", queries, all_finite(queries))?;
        queries.par_chunks(TASK * self.dims).zip(out.par_chunks_mut(TASK)).try_for_each(|(queries, out)| {
            vectorised(Search { exemplars: self, queries, out });
            cancel.check()
        })
    }

    /// Each leaf's least squared distance by its box, and the least of each eight of these.
    #[inline(always)]
    fn bounds(&self, near: &[f32; NEAR], bounds: &mut [[f32; LANES]], leasts: &mut [f32]) {
        for (((low, high), bounds), group) in self.boxes.iter().zip(bounds).zip(leasts) {
            *bounds = [0.0; LANES];
            for ((low, high), &value) in low.iter().zip(high).zip(near) {
                for lane in 0..LANES {
                    let outside = larger(larger(low[lane] - value, value - high[lane]), 0.0);
                    bounds[lane] += outside * outside;
                }
            }
            *group = least(*bounds);
        }
    }

    /// Whether any point of a leaf may be nearer than the square root of `limit`.
    #[inline(always)]
    fn may_hold(&self, leaf: usize, near: &[f32; NEAR], limit: f32) -> bool {
        least(squares(&self.near[leaf], near)) < limit
    }

    /// The least squared distance to a leaf's points.
    #[inline(always)]
    fn measure(&self, leaf: usize, query: &[f32]) -> f32 {
        least(squares(&self.points[leaf * self.dims..][..self.dims], query))
    }
}

/// Squared distances of a leaf's points, coordinate by coordinate.
#[inline(always)]
fn squares(points: &[[f32; LEAF]], query: &[f32]) -> [f32; LEAF] {
    let mut sums = [0.0; LEAF];
    for (values, &at) in points.iter().zip(query) {
        for lane in 0..LEAF {
            let away = values[lane] - at;
            sums[lane] += away * away;
        }
    }
    sums
}

/// The least of 2^n values without NaN, half against half.
#[inline(always)]
fn least<const N: usize>(mut values: [f32; N]) -> f32 {
    let mut half = N / 2;
    while half > 0 {
        for lane in 0..half {
            values[lane] = smaller(values[lane], values[lane + half]);
        }
        half /= 2;
    }
    values[0]
}

/// Some queries, one after the other: neighbours have the same leaf.
struct Search<'a> {
    exemplars: &'a Exemplars,
    queries: &'a [f32],
    out: &'a mut [f32],
}

impl Work for Search<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let known = self.exemplars;
        let mut bounds = vec![[0.0; LANES]; known.boxes.len()];
        let mut leasts = vec![0.0; known.boxes.len()];
        let mut home = 0;
        for (query, out) in self.queries.chunks_exact(known.dims).zip(self.out) {
            let near = known.spread.near(query);
            let slack = ROUNDING * (known.spread.reach + size(&near));
            let mut best = known.measure(home, query);
            known.bounds(&near, &mut bounds, &mut leasts);
            // The likeliest leaf first, so that what is far is seen to be far.
            let group = (1..leasts.len()).fold(0, |best, at| if leasts[at] < leasts[best] { at } else { best });
            let lane = bounds[group].iter().position(|&bound| bound == leasts[group]).unwrap_or(0);
            let first = group * LANES + lane;
            let (mut nearest, found) = (home, known.measure(first, query));
            if found < best {
                (best, nearest) = (found, first);
            }
            let mut limit = widened(best, slack);
            bounds[home / LANES][home % LANES] = f32::INFINITY;
            bounds[group][lane] = f32::INFINITY;
            for (group, (&group_least, bounds)) in leasts.iter().zip(&bounds).enumerate() {
                if group_least >= limit {
                    continue;
                }
                for (lane, &bound) in bounds.iter().enumerate() {
                    let leaf = group * LANES + lane;
                    if bound < limit && known.may_hold(leaf, &near, limit) {
                        let found = known.measure(leaf, query);
                        if found < best {
                            (best, limit, nearest) = (found, widened(found, slack), leaf);
                        }
                    }
                }
            }
            home = nearest;
            *out = best.sqrt();
        }
    }
}

/// The squared distance from which on a bound rules out: rounding never hides a nearer point.
#[inline(always)]
fn widened(best: f32, slack: f32) -> f32 {
    let limit = best.sqrt() * (1.0 + ROUNDING) + slack;
    limit * limit + f32::MIN_POSITIVE
}

/// The length of a point from the middle of all.
#[inline(always)]
fn size(near: &[f32; NEAR]) -> f32 {
    near.iter().map(|value| value * value).sum::<f32>().sqrt()
}

/// Parts points where they spread most, at their median, until a leaf holds them.
fn part<'a>(near: &[[f32; NEAR]], order: &'a mut [usize], leaves: &mut Vec<&'a [usize]>) {
    if order.len() <= LEAF {
        leaves.push(order);
        return;
    }
    let width = |k: usize| {
        let mean = order.iter().map(|&at| f64::from(near[at][k])).sum::<f64>() / order.len() as f64;
        order.iter().map(|&at| (f64::from(near[at][k]) - mean).powi(2)).sum::<f64>()
    };
    let widths: [f64; NEAR] = std::array::from_fn(width);
    let widest = (1..NEAR).fold(0, |best, k| if widths[k] > widths[best] { k } else { best });
    // Whole leaves on the left, so that all but the last are full.
    let middle = (order.len() / 2).next_multiple_of(LEAF);
    order.sort_by(|&a, &b| near[a][widest].total_cmp(&near[b][widest]).then(a.cmp(&b)));
    let (left, right) = order.split_at_mut(middle);
    part(near, left, leaves);
    part(near, right, leaves);
}

/// The boxes of up to eight leaves; a leaf that is not there is infinitely far.
fn boxes(leaves: &[Near<LEAF>]) -> (Near<LANES>, Near<LANES>) {
    let end = |k: usize, lane: usize, choose: fn(f32, f32) -> f32| {
        leaves.get(lane).map_or(f32::INFINITY, |leaf| leaf[k].iter().copied().fold(leaf[k][0], choose))
    };
    let ends = |choose| std::array::from_fn(|k| std::array::from_fn(|lane| end(k, lane, choose)));
    (ends(f32::min), ends(f32::max))
}
