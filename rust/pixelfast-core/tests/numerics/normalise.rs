use pixelfast_core::normalise::normalise;
use pixelfast_core::{Cancel, Error};
use proptest::prelude::*;

use crate::{assert_cancels, narrow, on_threads, uniform, values};

/// NumPy's linear percentile by sorting, as its documentation has it.
fn reference(raw: &[f64], percentile: Option<f64>) -> Vec<f64> {
    let mut sorted = raw.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = (raw.len() - 1) as f64 * percentile.unwrap_or(100.0) / 100.0;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    let top = below + (above - below) * position.fract();
    raw.iter().map(|value| ((value - sorted[0]) / (top - sorted[0] + 1e-8)).clamp(0.0, 1.0)).collect()
}

fn assert_close(raw: &[f64], percentile: Option<f64>) {
    let out = on_threads(raw.len(), |out, cancel| normalise(raw, percentile, out, cancel)).unwrap();
    for (ours, theirs) in out.iter().zip(reference(raw, percentile)) {
        assert!((ours - theirs).abs() <= 1e-12, "{ours} is not {theirs} at {percentile:?}");
    }
}

proptest! {
    #[test]
    fn equals_sorting(raw in prop::collection::vec(-1e3..1e3f64, 1..300), percentile in 0.0..=100.0f64) {
        assert_close(&raw, Some(percentile));
        assert_close(&raw, None);
    }

    #[test]
    fn lies_between_0_and_1(raw in values(), percentile in 0.0..=100.0f64) {
        let raw = narrow(&raw);
        let out = on_threads(raw.len(), |out, cancel| normalise(&raw, Some(percentile), out, cancel)).unwrap();
        prop_assert!(out.iter().all(|value| (0.0..=1.0).contains(value)));
        prop_assert!(raw.is_empty() || out.contains(&0.0));
    }
}

/// More values than are selected from directly; dense, skewed, tied.
#[test]
fn selects_among_many() {
    let even = uniform(1, 200_000);
    let steep: Vec<f64> = even.iter().map(|value| (value * 60.0).exp2()).collect();
    let close: Vec<f64> =
        even.iter().enumerate().map(|(index, value)| if index == 9 { 1e9 } else { 1.0 + value * 1e-9 }).collect();
    let tied: Vec<f64> = even.iter().map(|value| (value * 10.0).floor()).collect();
    for percentile in [0.0, 0.3, 50.0, 99.99, 99.9999, 100.0] {
        [&even, &steep, &close, &tied].into_iter().for_each(|raw| assert_close(raw, Some(percentile)));
    }
}

#[test]
fn refuses() {
    let mut out = [0.0; 3];
    let mut refused = |raw: &[f64], percentile| normalise(raw, percentile, &mut out, &Cancel::default()).unwrap_err();
    let sentence = "raw must be finite, but raw[1] is inf";
    assert_eq!(refused(&[1.0, f64::INFINITY, f64::NAN], None), Error::Value(sentence.into()));
    for percentile in [-0.1, 100.1, f64::NAN] {
        assert!(refused(&[0.0; 3], Some(percentile)).to_string().starts_with("percentile must lie between 0 and 100"));
    }
    assert!(matches!(refused(&[0.0; 2], None), Error::Shape(_)));
}

#[test]
fn leaves_nothing_as_it_is() {
    assert_eq!(normalise::<f32>(&[], Some(99.99), &mut [], &Cancel::default()), Ok(()));
}

#[test]
fn stops() {
    assert_cancels(|cancel| normalise(&[1f32, 2.0], Some(50.0), &mut [0.0; 2], cancel));
}
