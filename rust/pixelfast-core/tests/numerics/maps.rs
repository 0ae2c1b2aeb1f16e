use pixelfast_core::noise::noise_sigma;
use pixelfast_core::pool::{Pool, pool};
use pixelfast_core::{Cancel, Error};
use proptest::prelude::*;

use crate::{assert_cancels, narrow, on_threads, uniform};

proptest! {
    #[test]
    fn pools_the_mean_and_the_worst(cells in 1..70usize, maps in 0..20usize, seed in any::<u32>()) {
        let values = narrow(&uniform(seed.into(), cells * maps));
        for how in [Pool::Mean, Pool::Worst] {
            let out = on_threads(maps, |out, cancel| pool(&values, cells, how, out, cancel)).unwrap();
            for (ours, map) in out.into_iter().zip(values.chunks(cells)) {
                let mut sorted: Vec<f64> = map.iter().map(|&value| f64::from(value)).collect();
                sorted.sort_by(|a, b| b.total_cmp(a));
                sorted.truncate(if how == Pool::Worst { 3 } else { cells });
                let expected = sorted.iter().sum::<f64>() / sorted.len() as f64;
                prop_assert!((f64::from(ours) - expected).abs() <= 1e-7 * expected);
            }
        }
    }

    /// The mask applied pixel by pixel.
    #[test]
    fn estimates_noise(height in 3..20usize, width in 3..40usize, seed in any::<u32>()) {
        let frame: Vec<u8> = uniform(seed.into(), height * width).iter().map(|value| (value * 256.0) as u8).collect();
        let mask = [1.0, -2.0, 1.0, -2.0, 4.0, -2.0, 1.0, -2.0, 1.0];
        let mut sum = 0.0;
        for place in (0..height * width).filter(|place| place / width < height - 2 && place % width < width - 2) {
            let under = (0..9).map(|cell| mask[cell] * f64::from(frame[place + cell / 3 * width + cell % 3]));
            sum += under.sum::<f64>().abs();
        }
        let expected = (std::f64::consts::PI / 2.0).sqrt() * sum / (6 * (height - 2) * (width - 2)) as f64;
        let out = on_threads(1, |out, cancel| noise_sigma(&frame, height, width, out, cancel)).unwrap();
        prop_assert!((f64::from(out[0]) - expected).abs() <= 1e-6 * expected);
    }
}

/// Wider than what is summed in 32 bits, and as rough as can be.
#[test]
fn estimates_wide_frames() {
    let width = 3_000_000;
    let frame: Vec<u8> =
        (0..3 * width).map(|place| if (place / width + place % width) % 2 == 0 { 255 } else { 0 }).collect();
    let mut out = [0.0];
    noise_sigma(&frame, 3, width, &mut out, &Cancel::default()).unwrap();
    // Every answer is 16 times 127.5, were the mean grey level taken off.
    let expected = (std::f64::consts::PI / 2.0).sqrt() / 6.0 * 16.0 * 127.5;
    assert!((f64::from(out[0]) - expected).abs() < 1e-3, "{} is not {expected}", out[0]);
}

#[test]
fn refuses() {
    let refused = |maps: &[f32], cells| pool(maps, cells, Pool::Mean, &mut [0.0; 2], &Cancel::default());
    let sentence = "maps must be finite, but maps[3] is inf";
    assert_eq!(refused(&[0.0, 1.0, 2.0, f32::INFINITY], 2), Err(Error::Value(sentence.into())));
    assert!(matches!(refused(&[0.0; 5], 2), Err(Error::Shape(_))));
    assert!(matches!(refused(&[], 0), Err(Error::Shape(_))));
    let refused = |height, width| noise_sigma(&[0; 12], height, width, &mut [0.0; 2], &Cancel::default());
    assert_eq!(refused(2, 3), Err(Error::Shape("frames must be at least 3x3 pixels, not 2x3".into())));
    assert!(matches!(refused(3, 3), Err(Error::Shape(_))));
}

#[test]
fn stops() {
    assert_cancels(|cancel| pool(&[0.0; 4], 2, Pool::Worst, &mut [0.0; 2], cancel));
    assert_cancels(|cancel| noise_sigma(&[0; 9], 3, 3, &mut [0.0], cancel));
}
