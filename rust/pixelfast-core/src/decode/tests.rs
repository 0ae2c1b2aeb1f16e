//! Decoding against libjpeg-turbo's own calls, and against damage.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};

use super::plain::{Plain, Reducer, Tables};
use super::resize::{Resizer, Source};
use super::*;
use crate::audited::{Jpeg, Pixels};

const SUBSAMPLINGS: [Subsamp; 7] =
    [Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Sub1x2, Subsamp::Sub4x1, Subsamp::Sub1x4, Subsamp::Gray];

/// A JPEG of waves and noise.
fn jpeg(height: usize, width: usize, quality: i32, subsampling: Subsamp, noise: u32) -> Vec<u8> {
    let mut state = noise;
    let pixels: Vec<u8> = (0..height * width * 3)
        .map(|index| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let wave = 100.0 + 90.0 * (index as f64 / 37.0).sin() * (index as f64 / (width as f64 * 11.0)).cos();
            (wave + f64::from(state >> 26)) as u8
        })
        .collect();
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(quality).unwrap();
    compressor.set_subsamp(subsampling).unwrap();
    let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format: PixelFormat::RGB };
    compressor.compress_to_vec(image).unwrap()
}

/// The luma by the library, and what it warned of.
fn by_library(data: &[u8]) -> (Vec<u8>, std::result::Result<Option<String>, String>) {
    let jpeg = Jpeg::open(data).unwrap();
    let mut pixels = vec![0; jpeg.header().height * jpeg.header().width];
    let outcome = jpeg.decode(8, Pixels::Grey, 500, &mut pixels);
    (pixels, outcome)
}

fn by_plain(data: &[u8]) -> Option<Vec<u8>> {
    let plain = Plain::open(data, &mut Tables::default())?;
    let (height, width) = plain.size();
    let mut pixels = vec![0; height * width];
    plain.luma(&mut Vec::new(), &mut pixels).map(|()| pixels)
}

#[test]
fn a_strange_jfif_version_harms_nothing() {
    let mut data = jpeg(40, 56, 90, Subsamp::Sub2x2, 0);
    let (pixels, outcome) = by_library(&data);
    assert_eq!(outcome, Ok(None));
    assert_eq!(&data[6..10], b"JFIF");
    data[11] = 2;
    assert_eq!(by_library(&data), (pixels.clone(), Ok(None)));
    assert_eq!(by_plain(&data), Some(pixels));
}

/// A file with another segment before its first one.
fn with_segment(data: &[u8], kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&data[..2], &[0xff, kind], &length, content, &data[2..]].concat()
}

#[test]
fn tables_that_the_library_refuses_are_left_to_it() {
    let data = jpeg(40, 56, 90, Subsamp::Sub2x2, 0);
    let mut counts = [0; 16];
    (counts[14], counts[15]) = (255, 2);
    let huge = [&[0x13][..], &counts, &[1; 257]].concat();
    let refused = with_segment(&data, 0xc4, &huge);
    assert!(Jpeg::open(&refused).is_err());
    assert_eq!(by_plain(&refused), None);
    let small = [&[0x13][..], &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[1]].concat();
    assert!(by_plain(&with_segment(&data, 0xc4, &small.repeat(4))).is_some());
    assert_eq!(by_plain(&with_segment(&data, 0xc4, &small.repeat(14))), None);
}

#[test]
fn a_unit_of_too_many_blocks_is_left_to_the_library() {
    let mut data = jpeg(40, 56, 90, Subsamp::Sub2x2, 0);
    let frame = data.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    for (component, factors) in [0x42, 0x21, 0x21].into_iter().enumerate() {
        data[frame + 11 + 3 * component] = factors;
    }
    assert_eq!(by_plain(&data), None);
    assert!(Plain::open(&data, &mut Tables::default()).is_none());
}

#[test]
fn a_reducer_that_was_used_gives_what_a_fresh_one_gives() {
    let files = [jpeg(200, 300, 90, Subsamp::Sub2x2, 1), jpeg(100, 300, 90, Subsamp::None, 2)];
    let reduced = |data: &[u8], reducer: &mut Reducer| {
        let mut out = vec![0; 20 * 30];
        let done =
            Plain::open(data, &mut Tables::default()).unwrap().reduced(&mut Vec::new(), reducer, (20, 30), &mut out);
        (done, out)
    };
    let mut used = Reducer::default();
    for data in [&files[0], &files[0][..4000].to_vec(), &files[1], &files[0]] {
        assert_eq!(reduced(data, &mut used), reduced(data, &mut Reducer::default()));
    }
}

proptest! {
    #[test]
    fn plain_pixels_are_the_librarys(
        height in 1_usize..70, width in 1_usize..70, quality in 1..=100,
        subsampling in prop::sample::select(&SUBSAMPLINGS[..]), noise: u32,
    ) {
        let data = jpeg(height, width, quality, subsampling, noise);
        let (pixels, outcome) = by_library(&data);
        prop_assert_eq!(outcome, Ok(None));
        prop_assert_eq!(by_plain(&data), Some(pixels));
    }

    #[test]
    fn reduced_pixels_are_those_of_resampling_in_full(
        height in 30_usize..150, width in 60_usize..150, to in (1_usize..30, 1_usize..30),
        subsampling in prop::sample::select(&SUBSAMPLINGS[..]), noise: u32,
    ) {
        let data = jpeg(height, width, 95, subsampling, noise);
        let target = Target { height: to.0, width: to.1, color: Color::Grey };
        let mut expected = vec![0; to.0 * to.1];
        let luma = by_plain(&data).unwrap();
        Resizer::default().resize(&Source::whole(&luma, height, width), target, &mut expected).unwrap();
        let mut reduced = vec![7; to.0 * to.1];
        let done = Plain::open(&data, &mut Tables::default()).unwrap().reduced(&mut Vec::new(), &mut Reducer::default(), to, &mut reduced);
        prop_assert_eq!(done, Some(Some(())));
        let differences = || reduced.iter().zip(&expected).map(|(&one, &other)| one.abs_diff(other));
        // Luma, the resampler's first pass, its result and ours are rounded: four halves of a level. In 60,000 cases the
        // mean was 0.09, and above 0.5 in results of one to four pixels alone, by a level in sum at most; two are allowed.
        prop_assert!(differences().max() <= Some(2));
        prop_assert!(differences().map(f64::from).sum::<f64>() <= 0.5 * expected.len() as f64 + 2.0);
    }

    #[test]
    fn plain_takes_no_file_that_the_library_warns_of(
        changes in prop::collection::vec((0_usize..2000, any::<u8>()), 1..6), cut in 0_usize..4000, noise: u32,
    ) {
        let mut data = jpeg(40, 56, 90, Subsamp::Sub2x2, noise);
        for (place, value) in changes {
            let place = place % data.len();
            data[place] = value;
        }
        data.truncate(cut.max(2));
        if by_plain(&data).is_some() {
            prop_assert_eq!(by_library(&data).1, Ok(None));
        }
    }

    #[test]
    fn no_bytes_crash(start in prop::sample::select(vec![
        &b"\xff\xd8\xff\xc0"[..], b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*", b"RIFF\0\0\0\0WEBPVP8 ", b"",
    ]), rest in prop::collection::vec(any::<u8>(), 0..300)) {
        let path = scratch_file("no_bytes_crash");
        fs::write(&path, [start, &rest].concat()).unwrap();
        let (mut out, mut status) = ([7; 64], [9]);
        let target = Target { height: 8, width: 8, color: Color::Grey };
        let outcome = decode_frames(std::slice::from_ref(&path), target, &mut out, &mut status, &Cancel::default());
        fs::remove_file(path).unwrap();
        prop_assert_eq!(outcome, Ok(()));
        prop_assert!(status[0] <= 2);
        prop_assert!(status[0] < 2 || out == [0; 64]);
    }
}

fn scratch_file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("pixelfast-{}-{name}", std::process::id()))
}

#[test]
fn a_request_to_stop_is_heard_before_the_next_frame() {
    let cancel = Cancel::default();
    cancel.set();
    let target = Target { height: 8, width: 8, color: Color::Grey };
    let outcome = decode_frames(&["none".into()], target, &mut [0; 64], &mut [0], &cancel);
    assert_eq!(outcome, Err(Error::Cancelled));
    assert_eq!(common_size(&["none".into()], &cancel), Err(Error::Cancelled));
    assert_eq!(resize_frames(&[0; 4], 2, 2, target, &mut [0; 64], &cancel), Err(Error::Cancelled));
}

#[test]
fn buffers_that_do_not_fit_are_refused() {
    let target = Target { height: 8, width: 8, color: Color::Rgb };
    let cancel = Cancel::default();
    let paths = ["none".into()];
    assert!(matches!(decode_frames(&paths, target, &mut [0; 64], &mut [0], &cancel), Err(Error::Shape(_))));
    assert!(matches!(decode_frames(&paths, target, &mut [0; 192], &mut [], &cancel), Err(Error::Shape(_))));
    let empty = Target { height: 0, ..target };
    assert!(matches!(decode_frames(&paths, empty, &mut [], &mut [0], &cancel), Err(Error::Value(_))));
    let huge = Target { height: usize::MAX, ..target };
    assert!(matches!(decode_frames(&paths, huge, &mut [], &mut [0], &cancel), Err(Error::Value(_))));
}
