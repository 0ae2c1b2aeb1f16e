use pixelfast_core::aggregate::{How, Overlap, Windows};
use pixelfast_core::{Cancel, Error, threads};
use proptest::prelude::*;

use crate::{assert_cancels, narrow, uniform};

/// A video's windows, and what it takes to make them.
#[derive(Clone, Debug)]
struct Video {
    windows: Windows,
    frames: usize,
    cells: usize,
    errors: Vec<f32>,
}

impl Video {
    fn new(window: usize, stride: usize, frames: usize, cells: usize, seed: u64) -> Self {
        let windows = Windows::new(window, stride).unwrap();
        let mut video = Self { windows, frames, cells, errors: Vec::new() };
        video.errors = narrow(&uniform(seed, video.starts().len() * window * cells));
        video
    }

    fn starts(&self) -> Vec<usize> {
        let last = self.frames - self.windows.window;
        let mut starts: Vec<usize> = (0..=last).step_by(self.windows.stride).collect();
        starts.extend(Some(last).filter(|last| !starts.contains(last)));
        starts
    }

    fn size(&self) -> usize {
        self.windows.window * self.cells
    }

    /// By collecting every error of every cell first.
    fn reference(&self, how: How) -> Vec<f32> {
        let mut held = vec![Vec::new(); self.frames * self.cells];
        for (start, window) in self.starts().into_iter().zip(self.errors.chunks(self.size())) {
            for (place, &error) in window.iter().enumerate() {
                held[start * self.cells + place].push(f64::from(error));
            }
        }
        held.into_iter().map(|errors| reduce(errors, how) as f32).collect()
    }

    /// Pushed in pieces of `piece` windows.
    fn streamed(&self, overlap: &mut Overlap, piece: usize) -> Vec<f32> {
        let (regular, anchored) = self.windows.on(self.frames).unwrap();
        let (cancel, mut maps) = (Cancel::default(), Vec::new());
        let (pushed, last) = self.errors.split_at(regular * self.size());
        for errors in pushed.chunks(piece * self.size()) {
            overlap.push(errors, self.cells, &mut maps, &cancel).unwrap();
        }
        overlap.finish(Some(last).filter(|_| anchored), Some(self.frames), &mut maps, &cancel).unwrap();
        maps
    }

    /// Pushed at once, in pools of 1, 2 and 7 threads; all must agree to the bit.
    fn at_once(&self, how: How) -> Vec<f32> {
        let all = || self.streamed(&mut Overlap::new(self.windows, how), self.starts().len());
        let [one, two, seven] =
            [1, 2, 7].map(|count| threads::with_pool(Some(count), |pool| pool.install(all)).unwrap());
        assert_eq!(two, one);
        assert_eq!(seven, one);
        one
    }
}

fn reduce(mut errors: Vec<f64>, how: How) -> f64 {
    let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
    if how == How::Mean {
        return mean(&errors);
    }
    errors.sort_by(f64::total_cmp);
    let middle = (errors.len() - 1) / 2..errors.len() / 2 + 1;
    if how == How::Max { errors[errors.len() - 1] } else { mean(&errors[middle]) }
}

fn video() -> impl Strategy<Value = Video> {
    let sizes = (1..9usize).prop_flat_map(|window| (Just(window), 1..=window, 0..40usize, 1..5usize, any::<u32>()));
    sizes.prop_map(|(window, stride, more, cells, seed)| Video::new(window, stride, window + more, cells, seed.into()))
}

const ALL: [How; 3] = [How::Mean, How::Max, How::Median];

proptest! {
    #[test]
    fn equals_collecting_first(video in video()) {
        for how in ALL {
            prop_assert_eq!(video.at_once(how), video.reference(how));
        }
    }

    #[test]
    fn streams_the_same_bits(video in video(), piece in 1..7usize, next in video()) {
        for how in ALL {
            let mut overlap = Overlap::new(video.windows, how);
            prop_assert_eq!(video.streamed(&mut overlap, piece), video.at_once(how));
            // Ready for another video, of other cells.
            let next = Video::new(video.windows.window, video.windows.stride, video.frames + 3, next.cells, 9);
            prop_assert_eq!(next.streamed(&mut overlap, piece), next.at_once(how));
        }
    }
}

/// Longer than one block of frames.
#[test]
fn joins_blocks() {
    for (stride, frames) in [(1, 1700), (3, 1600), (16, 1601), (5, 512), (5, 513)] {
        let video = Video::new(16, stride, frames, 4, 3);
        for how in ALL {
            assert_eq!(video.at_once(how), video.reference(how), "{how:?} at stride {stride}");
        }
    }
}

/// A frame comes out as soon as no later window can hold it, the anchored one included, and memory stays small.
#[test]
fn yields_as_early_as_possible() {
    for (stride, expected) in [(1, [1, 1, 1, 1]), (4, [1, 4, 4, 4])] {
        let mut overlap = Overlap::new(Windows::new(8, stride).unwrap(), How::Mean);
        let came = expected.map(|_| {
            let mut maps = Vec::new();
            overlap.push(&[1.0; 8], 1, &mut maps, &Cancel::default()).unwrap();
            maps.len()
        });
        assert_eq!(came, expected);
    }
}

#[test]
fn refuses_other_windows_than_the_frames_make() {
    let refused = |values: usize, frames: usize| {
        let mut overlap = Overlap::new(Windows::new(4, 3).unwrap(), How::Mean);
        let (cancel, mut maps) = (Cancel::default(), Vec::new());
        let pushed = overlap.push(&vec![0.0; values], 1, &mut maps, &cancel);
        pushed.and_then(|()| overlap.finish(None, Some(frames), &mut maps, &cancel)).unwrap_err().to_string()
    };
    let made = "10 frames in windows of 4 at stride 3 make 3 windows before the anchored one, but 2 were pushed";
    assert!(refused(8, 10).starts_with(made));
    let made = "9 frames in windows of 4 at stride 3 make 2 windows before the anchored one, but 4 were pushed";
    assert!(refused(16, 9).starts_with(made));
    assert!(refused(4, 3).starts_with("n_frames must be at least the window of 4, not 3"));
    assert!(refused(5, 4).contains("not windows"));
    assert!(Windows::new(0, 1).is_err() && Windows::new(4, 0).is_err() && Windows::new(4, 5).is_err());
}

#[test]
fn refuses_what_is_not_finite_and_stays_as_it_was() {
    let video = Video::new(4, 2, 12, 2, 1);
    let mut bad = video.errors.clone();
    bad[13] = f32::NAN;
    bad[30] = f32::INFINITY;
    let sentence = "window_errors must be finite, but window_errors[13] is NaN";
    let mut overlap = Overlap::new(video.windows, How::Max);
    for count in [1, 2, 7] {
        let push = || overlap.push(&bad, 2, &mut Vec::new(), &Cancel::default());
        let pushed = threads::with_pool(Some(count), |pool| pool.install(push)).unwrap();
        assert_eq!(pushed, Err(Error::Value(sentence.into())));
    }
    assert_eq!(video.streamed(&mut overlap, 2), video.at_once(How::Max));
}

#[test]
fn refuses_an_end_that_does_not_fit() {
    let mut overlap = Overlap::new(Windows::new(4, 3).unwrap(), How::Mean);
    let finish = |overlap: &mut Overlap, anchored: Option<&[f32]>, frames| {
        overlap.finish(anchored, frames, &mut Vec::new(), &Cancel::default()).map_err(|error| error.to_string())
    };
    assert_eq!(finish(&mut overlap, None, None), Err("finish needs at least one window, but none was pushed".into()));
    overlap.push(&[0.0; 8], 1, &mut Vec::new(), &Cancel::default()).unwrap();
    assert!(finish(&mut overlap, None, Some(8)).unwrap_err().starts_with("anchored is required"));
    assert!(finish(&mut overlap, Some(&[0.0; 4]), Some(7)).unwrap_err().starts_with("anchored must be None"));
    assert!(finish(&mut overlap, Some(&[0.0; 4]), None).unwrap_err().starts_with("anchored must be None"));
    assert!(finish(&mut overlap, Some(&[0.0; 8]), Some(8)).unwrap_err().contains("one window"));
    assert!(
        finish(&mut overlap, None, Some(10)).unwrap_err().contains("make 3 windows before the anchored one, but 2")
    );
    assert!(finish(&mut overlap, None, Some(3)).unwrap_err().starts_with("n_frames must be at least the window of 4"));
    assert_eq!(finish(&mut overlap, Some(&[0.0; 4]), Some(8)), Ok(()));
}

#[test]
fn stops() {
    let windows = Windows::new(2, 1).unwrap();
    assert_cancels(|cancel| Overlap::new(windows, How::Mean).push(&[0.0; 4], 1, &mut Vec::new(), cancel));
}
