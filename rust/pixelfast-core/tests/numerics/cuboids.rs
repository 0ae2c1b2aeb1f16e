use pixelfast_core::cuboid::{Augment, Flip, Frames, assemble_cuboids, cuboid_errors};
use pixelfast_core::{Cancel, Error};
use proptest::prelude::*;

use crate::{assert_cancels, narrow, on_threads, uniform};

const HEIGHT: usize = 5;
const WIDTH: usize = 3;
const PIXELS: usize = HEIGHT * WIDTH;

fn levels(frames: usize) -> Vec<u8> {
    uniform(1, frames * PIXELS).iter().map(|value| (value * 256.0) as u8).collect()
}

fn assemble(levels: &[u8], starts: &[i64], window: usize, augment: Option<Augment<'_>>) -> Result<Vec<f32>, Error> {
    let frames = Frames { levels, height: HEIGHT, width: WIDTH };
    on_threads(starts.len() * window * PIXELS, |out, cancel| {
        assemble_cuboids(frames, starts, window, augment, out, None, cancel)
    })
}

fn augment(samples: &[i64], noise: f64, flips: f64, flip: Flip) -> Augment<'_> {
    Augment { samples, seed: 3, noise_probability: noise, noise_amplitude: 0.15, flip_probability: flips, flip }
}

/// The frame's rows in reverse order.
fn turned(frame: &[f32]) -> Vec<f32> {
    frame.chunks(WIDTH).rev().flatten().copied().collect()
}

proptest! {
    #[test]
    fn copies_frames(count in 1..9usize, window in 1..9usize, picks in prop::collection::vec(any::<prop::sample::Index>(), 0..5)) {
        prop_assume!(window <= count);
        let levels = levels(count);
        let starts: Vec<i64> = picks.iter().map(|pick| pick.index(count - window + 1) as i64).collect();
        let expected: Vec<f32> = starts
            .iter()
            .flat_map(|&start| &levels[start as usize * PIXELS..][..window * PIXELS])
            .map(|&level| f32::from(level) / 255.0)
            .collect();
        prop_assert_eq!(assemble(&levels, &starts, window, None).unwrap(), expected);
    }

    /// Each cuboid alone, in any order: the same.
    #[test]
    fn depends_on_the_sample_alone(order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle(), cuboid in any::<bool>()) {
        let (levels, flip) = (levels(12), if cuboid { Flip::Cuboid } else { Flip::Frame });
        let starts = order.map(|sample| sample % 4);
        let together = assemble(&levels, &starts, 6, Some(augment(&order, 0.5, 0.5, flip))).unwrap();
        for (place, &sample) in order.iter().enumerate() {
            let alone = assemble(&levels, &[sample % 4], 6, Some(augment(&[sample], 0.5, 0.5, flip))).unwrap();
            prop_assert_eq!(&together[place * 6 * PIXELS..][..6 * PIXELS], &alone[..]);
        }
    }
}

#[test]
fn turns_always_or_never() {
    let levels = levels(4);
    let plain = assemble(&levels, &[0], 4, None).unwrap();
    let upside_down: Vec<f32> = plain.chunks(PIXELS).flat_map(turned).collect();
    for flip in [Flip::Frame, Flip::Cuboid] {
        assert_eq!(assemble(&levels, &[0], 4, Some(augment(&[7], 0.0, 1.0, flip))).unwrap(), upside_down);
        assert_eq!(assemble(&levels, &[0], 4, Some(augment(&[7], 0.0, 0.0, flip))).unwrap(), plain);
    }
}

#[test]
fn turns_whole_cuboids_or_single_frames() {
    let (levels, samples) = (levels(6), Vec::from_iter(0..60));
    let starts = vec![0; samples.len()];
    let plain = assemble(&levels, &[0], 6, None).unwrap();
    for (flip, whole) in [(Flip::Cuboid, true), (Flip::Frame, false)] {
        let out = assemble(&levels, &starts, 6, Some(augment(&samples, 0.0, 0.5, flip))).unwrap();
        let turns = |cuboid: &[f32]| {
            let frames = cuboid.chunks(PIXELS).zip(plain.chunks(PIXELS));
            frames.filter(|(frame, plain)| *frame == turned(plain) && frame != plain).count()
        };
        let counts: Vec<usize> = out.chunks(6 * PIXELS).map(turns).collect();
        assert_eq!(counts.iter().all(|&count| count == 0 || count == 6), whole, "{counts:?}");
        assert!(counts.contains(&6) || !whole);
        assert!(counts.iter().sum::<usize>() > 100);
    }
}

/// `clean` is the same cuboid turned, without its noise; noise stays within its amplitude and the range.
#[test]
fn separates_noise_from_turns() {
    let (levels, samples) = (levels(6), Vec::from_iter(0..40));
    let frames = Frames { levels: &levels, height: HEIGHT, width: WIDTH };
    let (mut out, mut clean) = (vec![0.0; 40 * 6 * PIXELS], vec![0.0; 40 * 6 * PIXELS]);
    let settings = Some(augment(&samples, 0.5, 0.5, Flip::Frame));
    let cancel = Cancel::default();
    assemble_cuboids(frames, &[0; 40], 6, settings, &mut out, Some(&mut clean), &cancel).unwrap();
    let turns_only = assemble(&levels, &[0; 40], 6, Some(augment(&samples, 0.0, 0.5, Flip::Frame))).unwrap();
    assert_eq!(clean, turns_only);
    let furthest = out.iter().zip(&clean).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(furthest > 0.14 && furthest <= 0.150_001, "{furthest}");
    assert!(out.iter().all(|value| (0.0..=1.0).contains(value)));
    let noisy = out.chunks(PIXELS).zip(clean.chunks(PIXELS)).filter(|(a, b)| a != b).count();
    assert!((80..160).contains(&noisy), "{noisy} of 240 frames have noise");
}

#[test]
fn refuses() {
    let levels = levels(4);
    let refused = |starts: &[i64], augment| assemble(&levels, starts, 3, augment).unwrap_err().to_string();
    assert_eq!(refused(&[0, -1], None), "starts[1] is -1, but windows of 3 in 4 frames start at 0 to 1");
    assert_eq!(refused(&[2], None), "starts[0] is 2, but windows of 3 in 4 frames start at 0 to 1");
    assert!(refused(&[0], Some(augment(&[1, 2], 0.5, 0.0, Flip::Frame))).starts_with("samples must have one number"));
    for share in [-0.1, 1.1, f64::NAN] {
        assert!(refused(&[0], Some(augment(&[1], share, 0.0, Flip::Frame))).starts_with("noise_probability must lie"));
        assert!(refused(&[0], Some(augment(&[1], 0.0, share, Flip::Frame))).starts_with("flip_probability must lie"));
    }
    for noise_amplitude in [-0.1, f32::NAN, f32::INFINITY] {
        let augment = Augment { noise_amplitude, ..augment(&[1], 0.5, 0.0, Flip::Frame) };
        assert!(refused(&[0], Some(augment)).starts_with("noise_amplitude must be finite"));
    }
}

proptest! {
    #[test]
    fn measures_errors(grid in 1..4usize, cell_height in 1..6usize, cell_width in 1..8usize, seed in any::<u32>()) {
        let (height, width) = (grid * cell_height, grid * cell_width);
        let values = narrow(&uniform(seed.into(), 2 * 3 * height * width));
        let (a, b) = values.split_at(3 * height * width);
        let out = on_threads(3 * grid * grid, |out, cancel| cuboid_errors(a, b, (height, width), grid, out, cancel)).unwrap();
        for (place, &error) in out.iter().enumerate() {
            let (frame, row, column) = (place / (grid * grid), place / grid % grid, place % grid);
            let pixels = (0..cell_height * cell_width).map(|pixel| {
                let (y, x) = (row * cell_height + pixel / cell_width, column * cell_width + pixel % cell_width);
                (frame * height + y) * width + x
            });
            let sum: f64 = pixels.map(|pixel| (f64::from(a[pixel]) - f64::from(b[pixel])).powi(2)).sum();
            let expected = sum / (cell_height * cell_width) as f64;
            prop_assert!((f64::from(error) - expected).abs() <= 1e-7 * expected);
        }
    }
}

#[test]
fn refuses_a_grid_that_does_not_divide() {
    let refused = |grid| cuboid_errors(&[0.0; 24], &[0.0; 24], (4, 6), grid, &mut [0.0; 16], &Cancel::default());
    assert_eq!(refused(4), Err(Error::Shape("frames of 4x6 cannot be cut into 4x4 equal cells".into())));
    assert!(refused(0).is_err() && refused(2).is_err());
}

#[test]
fn stops() {
    let levels = levels(4);
    let frames = Frames { levels: &levels, height: HEIGHT, width: WIDTH };
    assert_cancels(|cancel| assemble_cuboids(frames, &[0], 1, None, &mut [0.0; PIXELS], None, cancel));
    assert_cancels(|cancel| cuboid_errors(&[0.0; 4], &[0.0; 4], (2, 2), 1, &mut [0.0], cancel));
}
