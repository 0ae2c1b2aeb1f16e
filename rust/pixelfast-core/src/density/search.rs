//! Finding the nearest of known points: what can be ruled out, and what is measured.

use pixelfast_vector::Work;

use super::exemplars::{Exemplars, LEAF, side_by_side, square, whole_lanes};
use super::spread::NEAR;
use super::{LANES, larger, smaller};

/// Queries that are compared with all points together: their sums fit the registers.
const TILE: usize = 6;
/// Points measured for a query beyond which comparing it with all is faster, and one in how many leaves must be left out
/// for it to be worth a try.
const MEASURED: usize = 256;
const LEFT_OUT: usize = 64;

/// Some queries, one after the other; `FUSED` where a product and a sum are one instruction.
pub(super) struct Search<'a, const FUSED: bool> {
    pub known: &'a Exemplars,
    pub queries: &'a [f32],
    pub out: &'a mut [f32],
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
                    let outside = value - smaller(larger(value, low[lane]), high[lane]);
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
        let own: Vec<_> = side_by_side(own.map(|query| spread.centred(query))).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_that_do_not_fuse_find_the_same() {
        let drawn = |count: u32, factor: u32| -> Vec<f32> {
            (0..count).map(|at| (at.wrapping_mul(factor) >> 8) as f32 / 1e7).collect()
        };
        let (points, queries) = (drawn(7 * 500, 2_654_435_761), drawn(7 * 100, 2_246_822_519));
        let known = &Exemplars::new(&points, 7).unwrap();
        let (mut fused, mut plain) = ([0.0; 100], [0.0; 100]);
        Search::<true> { known, queries: &queries, out: &mut fused }.run();
        Search::<false> { known, queries: &queries, out: &mut plain }.run();
        assert_eq!(fused, plain);
        for (query, &away) in queries.chunks(7).zip(&fused) {
            let square = |point: &[f32]| point.iter().zip(query).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
            let least = points.chunks(7).map(square).fold(f64::INFINITY, f64::min).sqrt();
            assert!((f64::from(away) - least).abs() <= 1e-5 * least, "{away} is not {least}");
        }
    }
}
