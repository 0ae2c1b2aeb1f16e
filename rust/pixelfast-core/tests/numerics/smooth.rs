use pixelfast_core::smooth::smooth;
use pixelfast_core::{Cancel, Error};
use proptest::prelude::*;

use crate::{assert_cancels, on_threads, uniform};

/// Straight from the definition: d c b a | a b c d | d c b a.
fn reference(video: &[f64], size: usize) -> Vec<f64> {
    let (length, half) = (video.len() as i64, (size / 2) as i64);
    let at = |place: i64| {
        let place = place.rem_euclid(2 * length);
        video[place.min(2 * length - 1 - place) as usize]
    };
    (0..length).map(|centre| (centre - half..=centre + half).map(at).sum::<f64>() / size as f64).collect()
}

fn assert_smooth(values: &[f64], lengths: &[i64], size: usize) {
    let out = on_threads(values.len(), |out, cancel| smooth(values, lengths, size, out, cancel)).unwrap();
    let mut from = 0;
    for &length in lengths {
        let video = from..from + length as usize;
        for (ours, theirs) in out[video.clone()].iter().zip(reference(&values[video], size)) {
            assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0), "{ours} is not {theirs} at size {size}");
        }
        from += length as usize;
    }
}

proptest! {
    #[test]
    fn equals_its_definition(lengths in prop::collection::vec(0..60i64, 0..6), half in 0..40usize, seed in any::<u32>()) {
        let values = uniform(seed.into(), lengths.iter().sum::<i64>() as usize);
        assert_smooth(&values, &lengths, 2 * half + 1);
    }
}

#[test]
fn cuts_long_videos() {
    let values = uniform(1, 25_000);
    for size in [1, 3, 15, 17, 999, 2049, 7001, 24_999, 30_001, 60_001] {
        assert_smooth(&values, &[3, 20_000, 0, 4997], size);
    }
}

/// A running sum would have lost the small values after the large one.
#[test]
fn keeps_digits_after_a_large_value() {
    let mut values = vec![1e-3; 5000];
    values[100] = 1e18;
    let mut out = vec![0.0; 5000];
    smooth(&values, &[5000], 21, &mut out, &Cancel::default()).unwrap();
    assert!(out[200..].iter().all(|value| (value - 1e-3).abs() < 1e-15));
}

#[test]
fn refuses() {
    let refused = |values: &[f32], lengths: &[i64], size| {
        smooth(values, lengths, size, &mut vec![0.0; values.len()], &Cancel::default()).unwrap_err().to_string()
    };
    assert_eq!(refused(&[1.0, 2.0], &[2], 2), "size must be odd and at least 1, not 2");
    assert_eq!(refused(&[1.0, 2.0], &[2], 0), "size must be odd and at least 1, not 0");
    assert_eq!(refused(&[1.0, 2.0], &[3, -1], 3), "lengths must not be negative, but lengths[1] is -1");
    assert_eq!(refused(&[1.0, 2.0], &[1], 3), "lengths must add up to the 2 values, not to 1");
    assert_eq!(
        refused(&[1.0, 2.0], &[i64::MAX, 4], 3),
        "lengths must add up to the 2 values, not to 9223372036854775811"
    );
    assert_eq!(refused(&[1.0, f32::NAN], &[2], 3), "values must be finite, but values[1] is NaN");
    assert!(matches!(smooth(&[1f32], &[1], 1, &mut [], &Cancel::default()), Err(Error::Shape(_))));
}

#[test]
fn stops() {
    assert_cancels(|cancel| smooth(&[1f32, 2.0], &[2], 3, &mut [0.0; 2], cancel));
}
