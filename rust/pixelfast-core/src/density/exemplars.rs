//! The nearest of some thousand known points, exactly, without measuring most of them.
//!
//! Points that lie together form leaves. Of each point twelve numbers are kept that never make two points farther apart
//! than they are: where it lies along the eleven directions in which the points spread most, and how far it is from the
//! space of those. Leaves whose box of these twelve, then points that are beyond the best so far are left out. A query
//! for which that leaves too many is compared with all points in full, together with others. Comparing is by
//! |p|^2 - 2 p q, which tells, but for rounding, which points are worth measuring.

use pixelfast_vector::{fuses, vectorised};
use rayon::prelude::*;

use super::search::Search;
use super::spread::{NEAR, Spread};
use super::{LANES, larger};
use crate::real::{all_finite, require_finite};
use crate::{Cancel, Error, Result};

/// Points of a leaf, compared side by side.
pub(super) const LEAF: usize = 16;
/// Queries a task.
const TASK: usize = 256;

/// Twelve numbers of `LANES` leaves or of a leaf's points.
pub(super) type Near<const N: usize> = [[f32; N]; NEAR];

/// Known points, ready to be searched.
pub struct Exemplars {
    pub(super) dims: usize,
    count: usize,
    pub(super) spread: Spread,
    /// The largest |p|^2 from the middle of all.
    pub(super) reach: f32,
    /// Least and largest of each number, eight leaves together.
    pub(super) boxes: Vec<(Near<LANES>, Near<LANES>)>,
    /// Each leaf's |p|^2, from the middle of all, then -2 p, number by number: by its near numbers, and in full.
    pub(super) near: Vec<[[f32; LEAF]; NEAR + 1]>,
    pub(super) full: Vec<[f32; LEAF]>,
    /// Point after point, leaf after leaf, each in whole lanes.
    pub(super) rows: Vec<[f32; LANES]>,
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
        let mut made = Self {
            dims,
            count: near.len(),
            spread,
            reach: 0.0,
            boxes: vec![],
            near: vec![],
            full: vec![],
            rows: vec![],
        };
        for leaves in leaves.chunks(LANES) {
            made.boxes.push(ends(&near, leaves));
            for leaf in leaves {
                // A leaf that is not full repeats its last point.
                let own: [usize; LEAF] = std::array::from_fn(|lane| leaf[lane.min(leaf.len() - 1)]);
                made.add(own.map(|at| &near[at]), own.map(|at| &points[at * dims..][..dims]));
            }
        }
        Ok(made)
    }

    /// Adds a leaf.
    fn add(&mut self, near: [&[f32; NEAR]; LEAF], points: [&[f32]; LEAF]) {
        let squares = near.map(square);
        self.reach = squares.into_iter().fold(self.reach, larger);
        let turned = |k: usize| if k == 0 { squares } else { near.map(|near| -2.0 * near[k - 1]) };
        self.near.push(std::array::from_fn(turned));
        self.full.push(squares);
        self.full.extend(side_by_side(points.map(|point| self.spread.centred(point).map(|value| -2.0 * value))));
        self.rows.extend(points.into_iter().flat_map(whole_lanes));
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
            if fuses() {
                vectorised(Search::<true> { known: self, queries, out });
            } else {
                vectorised(Search::<false> { known: self, queries, out });
            }
            cancel.check()
        })
    }
}

/// Points, coordinate by coordinate.
#[inline(always)]
pub(super) fn side_by_side<const N: usize>(
    mut points: [impl Iterator<Item = f64>; N],
) -> impl Iterator<Item = [f32; N]> {
    std::iter::from_fn(move || {
        let mut values = [0.0; N];
        for (value, point) in values.iter_mut().zip(&mut points) {
            *value = point.next()? as f32;
        }
        Some(values)
    })
}

/// A point in whole lanes, the last ones zero.
#[inline(always)]
pub(super) fn whole_lanes(point: &[f32]) -> impl Iterator<Item = [f32; LANES]> + '_ {
    point.chunks(LANES).map(|some| {
        let mut lanes = [0.0; LANES];
        lanes[..some.len()].copy_from_slice(some);
        lanes
    })
}

/// |p|^2 from the middle of all.
#[inline(always)]
pub(super) fn square(near: &[f32; NEAR]) -> f32 {
    near.iter().map(|value| value * value).sum()
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
fn ends(near: &[[f32; NEAR]], leaves: &[&[usize]]) -> (Near<LANES>, Near<LANES>) {
    let end = |k: usize, lane: usize, choose: fn(f32, f32) -> f32| {
        let own = leaves.get(lane).into_iter().copied().flatten();
        own.map(|&at| near[at][k]).reduce(choose).unwrap_or(f32::INFINITY)
    };
    let ends = |choose| std::array::from_fn(|k| std::array::from_fn(|lane| end(k, lane, choose)));
    (ends(f32::min), ends(f32::max))
}
