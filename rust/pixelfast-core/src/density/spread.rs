//! The directions in which points spread most, and what is seen of a point along them.

/// Directions.
const AXES: usize = 11;
/// Numbers of a point: along each direction, and how far it is from all of them.
pub(super) const NEAR: usize = AXES + 1;
/// Rounds of subspace iteration; directions that are only nearly the best ones cost time, not exactness.
const ROUNDS: usize = 30;

/// The middle of points and their directions.
pub(super) struct Spread {
    middle: Vec<f64>,
    /// Of each coordinate, its share in each direction; directions are orthonormal, or nothing where points have none.
    axes: Vec<[f64; AXES]>,
}

impl Spread {
    /// Of points of `dims` coordinates.
    pub fn of(points: &[f32], dims: usize) -> Self {
        let count = (points.len() / dims) as f64;
        let mut middle = vec![0.0; dims];
        for point in points.chunks_exact(dims) {
            middle.iter_mut().zip(point).for_each(|(sum, &value)| *sum += f64::from(value) / count);
        }
        let mut covariance = vec![vec![0.0; dims]; dims];
        for point in points.chunks_exact(dims) {
            let own: Vec<f64> = point.iter().zip(&middle).map(|(&value, middle)| f64::from(value) - middle).collect();
            for (row, &a) in covariance.iter_mut().zip(&own) {
                row.iter_mut().zip(&own).for_each(|(sum, b)| *sum += a * b);
            }
        }
        Self { middle, axes: directions(&covariance) }
    }

    /// A point's coordinates from the middle of all.
    #[inline(always)]
    pub fn centred(&self, point: &[f32]) -> impl Iterator<Item = f64> {
        point.iter().zip(&self.middle).map(|(&value, middle)| f64::from(value) - middle)
    }

    /// A point's numbers; no two points are farther apart by them than they are, and the middle is as far as it is.
    #[inline(always)]
    pub fn near(&self, point: &[f32]) -> [f32; NEAR] {
        let mut along = [0.0; AXES];
        let mut whole = 0.0;
        for (value, axes) in self.centred(point).zip(&self.axes) {
            whole += value * value;
            for (along, axis) in along.iter_mut().zip(axes) {
                *along += value * axis;
            }
        }
        let rest = whole - along.iter().map(|value| value * value).sum::<f64>();
        std::array::from_fn(|k| if k < AXES { along[k] } else { rest.max(0.0).sqrt() } as f32)
    }
}

/// The leading directions of a covariance by subspace iteration, of each coordinate its share.
fn directions(covariance: &[Vec<f64>]) -> Vec<[f64; AXES]> {
    let dims = covariance.len();
    // The coordinates that spread most, to begin with.
    let mut order: Vec<usize> = (0..dims).collect();
    order.sort_by(|&a, &b| covariance[b][b].total_cmp(&covariance[a][a]).then(a.cmp(&b)));
    let unit = |&at: &usize| (0..dims).map(|k| f64::from(u8::from(k == at))).collect::<Vec<_>>();
    let mut axes: Vec<Vec<f64>> = order.iter().take(AXES).map(unit).collect();
    for _ in 0..ROUNDS {
        for axis in &mut axes {
            *axis = covariance.iter().map(|row| dot(row, axis)).collect();
        }
        orthonormal(&mut axes);
    }
    (0..dims).map(|k| std::array::from_fn(|axis| axes.get(axis).map_or(0.0, |axis| axis[k]))).collect()
}

/// Gram and Schmidt's way, twice, so that rounding leaves nothing; what is left of nothing is nothing.
fn orthonormal(axes: &mut [Vec<f64>]) {
    for index in 0..axes.len() {
        let (before, from) = axes.split_at_mut(index);
        let own = &mut from[0];
        let size = dot(own, own).sqrt();
        for _ in 0..2 {
            for other in &*before {
                let shared = dot(own, other);
                own.iter_mut().zip(other).for_each(|(own, other)| *own -= shared * other);
            }
        }
        let left = dot(own, own).sqrt();
        let scale = if left > 1e-9 * size { left.recip() } else { 0.0 };
        own.iter_mut().for_each(|own| *own *= scale);
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
