//! The nearest of some thousand known points, exactly, without measuring most of them.
//!
//! Points that lie together form leaves. Of each point twelve numbers are kept that never make two points farther apart
//! than they are: where it lies along the eleven directions in which the points spread most, and how far it is from the
//! space of those. Leaves whose box of these twelve, then points that are beyond the best so far are left out. A query
//! for which that leaves too many is compared with all points in full, together with others. Comparing is by
//! |p|^2 - 2 p q, which tells, but for rounding, which points are worth measuring.

use pixelfast_vector::{Work, fuses, vectorised};
use rayon::prelude::*;

use super::spread::{NEAR, Spread};
use super::{LANES, larger, smaller};
use crate::real::{all_finite, require_finite};
use crate::{Cancel, Error, Result};

/// Points of a leaf, compared side by side.
const LEAF: usize = 16;
/// Queries a task.
const TASK: usize = 256;
/// Queries that are compared with all points together: their sums fit the registers.
const TILE: usize = 6;
/// Points measured for a query, or one in so many leaves left out, beyond which comparing it with all is faster.
const MEASURED: usize = 256;
const LEFT_OUT: usize = 64;

/// Twelve numbers of `LANES` leaves or of a leaf's points.
type Near<const N: usize> = [[f32; N]; NEAR];

/// Known points, ready to be searched.
pub struct Exemplars {
    dims: usize,
    count: usize,
    spread: Spread,
    /// The largest |p|^2 from the middle of all.
    reach: f32,
    /// Least and largest of each number, eight leaves together.
    boxes: Vec<(Near<LANES>, Near<LANES>)>,
    /// Each leaf's |p|^2, from the middle of all, then -2 p, number by number: by its near numbers, and in full.
    near: Vec<[[f32; LEAF]; NEAR + 1]>,
    full: Vec<[f32; LEAF]>,
    /// Point after point, leaf after leaf, each in whole lanes.
    rows: Vec<[f32; LANES]>,
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
        self.full.extend(side_by_side(points.map(|point| self.spread.from_middle(point).map(|value| -2.0 * value))));
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
fn side_by_side<const N: usize>(mut points: [impl Iterator<Item = f64>; N]) -> impl Iterator<Item = [f32; N]> {
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
fn whole_lanes(point: &[f32]) -> impl Iterator<Item = [f32; LANES]> + '_ {
    point.chunks(LANES).map(|some| {
        let mut lanes = [0.0; LANES];
        lanes[..some.len()].copy_from_slice(some);
        lanes
    })
}

/// Some queries, one after the other; `FUSED` where a product and a sum are one instruction.
struct Search<'a, const FUSED: bool> {
    known: &'a Exemplars,
    queries: &'a [f32],
    out: &'a mut [f32],
}

/// What is known of a query so far.
struct Found {
    index: usize,
    /// |q|^2 from the middle of all, which bounds and the limit are without.
    square: f32,
    /// What rounding may add to a squared distance, as a share of it and besides: far above what it does.
    rounding: f32,
    slack: f32,
    /// The least squared distance, and the point that has it.
    best: f32,
    nearest: usize,
    /// The squared distance from which on a bound rules out: rounding never hides a nearer point.
    limit: f32,
    measured: usize,
}

impl<const FUSED: bool> Work for Search<'_, FUSED> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let known = self.known;
        let rows: Vec<_> = self.queries.chunks_exact(known.dims).flat_map(whole_lanes).collect();
        let rows: Vec<_> = rows.chunks_exact(known.dims.div_ceil(LANES)).collect();
        let mut bounds = vec![[0.0; LANES]; known.boxes.len()];
        let mut open = vec![0; LANES * known.boxes.len()];
        let (mut left, mut home) = (Vec::new(), 0);
        for (index, query) in self.queries.chunks_exact(known.dims).enumerate() {
            let near = known.spread.near(query);
            let rounding = (2 * known.dims + 32) as f32 * f32::EPSILON;
            let square = square(&near);
            let slack = rounding * (known.reach.sqrt() + square.sqrt()).powi(2) + f32::MIN_POSITIVE;
            let (best, limit) = (f32::INFINITY, f32::INFINITY);
            let mut found = Found { index, square, rounding, slack, best, limit, nearest: home, measured: 0 };
            known.measure(home, rows[index], &mut found);
            let done = self.by_leaves(rows[index], &near, &mut found, &mut bounds, &mut open);
            home = found.nearest;
            self.out[index] = found.best.sqrt();
            if !done {
                left.push(found);
            }
        }
        for tile in left.chunks_mut(TILE) {
            self.by_all(&rows, tile);
            tile.iter().for_each(|found| self.out[found.index] = found.best.sqrt());
        }
    }
}

impl<const FUSED: bool> Search<'_, FUSED> {
    /// Looks at the leaves that may hold a nearer point, the likeliest first; false if there were too many.
    #[inline(always)]
    fn by_leaves(
        &self,
        query: &[[f32; LANES]],
        near: &[f32; NEAR],
        found: &mut Found,
        bounds: &mut [[f32; LANES]],
        open: &mut [usize],
    ) -> bool {
        let known = self.known;
        for ((low, high), bounds) in known.boxes.iter().zip(&mut *bounds) {
            let mut sums = [-found.square; LANES];
            for ((low, high), &value) in low.iter().zip(high).zip(near) {
                for lane in 0..LANES {
                    let outside = larger(larger(low[lane] - value, value - high[lane]), 0.0);
                    sums[lane] = plus::<FUSED>(sums[lane], outside, outside);
                }
            }
            *bounds = sums;
        }
        let first = first_least(bounds);
        known.consider(first, &self.near_bounds(first, near), query, found);
        bounds.as_flattened_mut()[first] = f32::INFINITY;
        let mut count = 0;
        for (group, bounds) in bounds.iter().enumerate() {
            if bounds.iter().fold(false, |any, &bound| any | (bound < found.limit)) {
                for (lane, &bound) in bounds.iter().enumerate() {
                    open[count] = group * LANES + lane;
                    count += usize::from(bound < found.limit);
                }
            }
        }
        if count > known.near.len() - known.near.len().div_ceil(LEFT_OUT) {
            return false;
        }
        for pair in open[..count].chunks(2) {
            let pair = [pair[0], pair[pair.len() - 1]];
            let bounds = [self.near_bounds(pair[0], near), self.near_bounds(pair[1], near)];
            for (leaf, bounds) in pair.into_iter().zip(&bounds) {
                known.consider(leaf, bounds, query, found);
            }
            if found.measured > MEASURED {
                return false;
            }
        }
        true
    }

    /// What a leaf's points have at least, by their near numbers.
    #[inline(always)]
    fn near_bounds(&self, leaf: usize, near: &[f32; NEAR]) -> [f32; LEAF] {
        let [bounds] = compare::<FUSED, 1>(&self.known.near[leaf], near.as_chunks().0);
        bounds
    }

    /// Compares some queries with all points.
    #[inline(always)]
    fn by_all(&self, rows: &[&[[f32; LANES]]], tile: &mut [Found]) {
        let Exemplars { dims, spread, full, .. } = self.known;
        let own: [&[f32]; TILE] = std::array::from_fn(|lane| {
            let found = &tile[lane.min(tile.len() - 1)];
            &self.queries[found.index * dims..][..*dims]
        });
        let own: Vec<_> = side_by_side(own.map(|query| spread.from_middle(query))).collect();
        for (leaf, block) in full.chunks_exact(dims + 1).enumerate() {
            for (sums, found) in compare::<FUSED, TILE>(block, &own).iter().zip(&mut *tile) {
                self.known.consider(leaf, sums, rows[found.index], found);
            }
        }
    }
}

impl Exemplars {
    /// Measures those points of a leaf whose squared distance may be below the limit.
    #[inline(always)]
    fn consider(&self, leaf: usize, bounds: &[f32; LEAF], query: &[[f32; LANES]], found: &mut Found) {
        if !bounds.iter().fold(false, |any, &bound| any | (bound < found.limit)) {
            return;
        }
        for (lane, &bound) in bounds.iter().enumerate() {
            if bound < found.limit {
                self.measure(leaf * LEAF + lane, query, found);
            }
        }
    }

    /// The squared distance of a point: one order, whichever way it was found.
    #[inline(always)]
    fn measure(&self, point: usize, query: &[[f32; LANES]], found: &mut Found) {
        let mut sums = [0.0; LANES];
        for (values, at) in self.rows[point * query.len()..].iter().zip(query) {
            for lane in 0..LANES {
                let away = values[lane] - at[lane];
                sums[lane] += away * away;
            }
        }
        let square = sums.into_iter().sum::<f32>();
        found.measured += 1;
        if square < found.best {
            (found.best, found.nearest) = (square, point);
            found.limit = square * (1.0 + found.rounding) + found.slack - found.square;
        }
    }
}

/// |p|^2 from the middle of all.
#[inline(always)]
fn square(near: &[f32; NEAR]) -> f32 {
    near.iter().map(|value| value * value).sum()
}

/// A sum and a product.
#[inline(always)]
fn plus<const FUSED: bool>(sum: f32, a: f32, b: f32) -> f32 {
    if FUSED { a.mul_add(b, sum) } else { sum + a * b }
}

/// Of a leaf's points, |p|^2 - 2 p q with each of `N` queries.
#[inline(always)]
fn compare<const FUSED: bool, const N: usize>(turned: &[[f32; LEAF]], queries: &[[f32; N]]) -> [[f32; LEAF]; N] {
    let mut sums = [turned[0]; N];
    for (values, at) in turned[1..].iter().zip(queries) {
        for query in 0..N {
            for lane in 0..LEAF {
                sums[query][lane] = plus::<FUSED>(sums[query][lane], values[lane], at[query]);
            }
        }
    }
    sums
}

/// Where the least of values without NaN lies.
#[inline(always)]
fn first_least(values: &[[f32; LANES]]) -> usize {
    let mut leasts = [f32::INFINITY; LANES];
    for values in values {
        for lane in 0..LANES {
            leasts[lane] = smaller(values[lane], leasts[lane]);
        }
    }
    let least = leasts.into_iter().fold(f32::INFINITY, smaller);
    let here = |values: &[f32; LANES]| values.iter().fold(false, |any, &value| any | (value == least));
    let group = values.iter().position(here).unwrap_or(0);
    LANES * group + values[group].iter().position(|&value| value == least).unwrap_or(0)
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
