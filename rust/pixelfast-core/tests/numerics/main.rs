//! The numerics against plain references, and their properties.

mod aggregate;
mod cuboids;
mod maps;
mod normalise;
mod rank;
mod smooth;

use pixelfast_core::{Cancel, Result, threads};
use proptest::prelude::*;

/// Runs a function that writes `len` values, with 1, 2 and 7 threads; all must agree to the bit.
fn on_threads<T: Default + Clone + PartialEq + std::fmt::Debug + Send>(
    len: usize,
    work: impl Fn(&mut [T], &Cancel) -> Result<()> + Sync,
) -> Result<Vec<T>> {
    let run = |count| -> Result<Vec<T>> {
        let mut out = vec![T::default(); len];
        threads::with_pool(Some(count), |pool| pool.install(|| work(&mut out, &Cancel::default())))??;
        Ok(out)
    };
    let one = run(1);
    assert_eq!(run(2), one);
    assert_eq!(run(7), one);
    one
}

/// A cancelled computation says so.
fn assert_cancels(work: impl Fn(&Cancel) -> Result<()>) {
    let cancel = Cancel::default();
    cancel.set();
    assert_eq!(work(&cancel), Err(pixelfast_core::Error::Cancelled));
}

/// Finite values with ties and both zeros.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        3 => -1e6..1e6,
        2 => (-3i8..4).prop_map(f64::from),
        1 => Just(-0.0),
        1 => prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL,
    ];
    prop::collection::vec(value, 0..400)
}

/// Numbers in [0, 1) that look random (SplitMix64, Steele et al. 2014).
fn uniform(seed: u64, len: usize) -> Vec<f64> {
    let mix = |index: u64| {
        let mut bits = (seed + index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..len as u64).map(mix).collect()
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| (value as f32).clamp(f32::MIN, f32::MAX)).collect()
}
