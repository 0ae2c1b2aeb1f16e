//! Decoding by libjpeg-turbo and by our own reader, and against damage.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use turbojpeg::{Compressor, Image, PixelFormat};

use super::*;
use crate::audited::{Jpeg, Pixels};

/// A JPEG of waves, in color.
fn jpeg(height: usize, width: usize) -> Vec<u8> {
    let wave = |index: usize| (128.0 + 90.0 * (index as f64 / 37.0).sin()) as u8;
    let pixels: Vec<u8> = (0..height * width * 3).map(wave).collect();
    let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format: PixelFormat::RGB };
    Compressor::new().unwrap().compress_to_vec(image).unwrap()
}

#[test]
fn a_strange_jfif_version_harms_nothing() {
    let by_library = |data: &[u8]| {
        let mut pixels = vec![0; 40 * 56];
        let outcome = Jpeg::open(data).unwrap().decode(8, Pixels::Grey, 500, &mut pixels);
        (pixels, outcome)
    };
    let mut data = jpeg(40, 56);
    let known = by_library(&data);
    assert_eq!(known.1, Ok(None));
    assert_eq!(&data[6..10], b"JFIF");
    data[11] = 2;
    assert_eq!(by_library(&data), known);
}

/// At the file's size, and at one that it cannot be shrunk to straight from its coefficients.
#[cfg(feature = "plain-jpeg")]
#[test]
fn a_plain_jpeg_is_what_the_library_makes_of_it() {
    let data = jpeg(40, 56);
    for (height, width) in [(40, 56), (36, 56), (60, 70)] {
        let target = Target { height, width, color: Color::Grey };
        let (mut ours, mut librarys) = (vec![0; height * width], vec![1; height * width]);
        assert_eq!(plain::decode(&data, target, &mut Scratch::default(), &mut ours), Some(Ok(Finding::Whole)));
        assert_eq!(jpeg::decode_any(&data, target, &mut Scratch::default(), &mut librarys), Ok(Finding::Whole));
        assert_eq!(ours, librarys);
    }
    let rgb = Target { height: 40, width: 56, color: Color::Rgb };
    assert_eq!(plain::decode(&data, rgb, &mut Scratch::default(), &mut [0; 40 * 56 * 3]), None);
}

proptest! {
    #[test]
    fn no_bytes_crash(start in prop::sample::select(vec![
        &b"\xff\xd8\xff\xc0"[..], b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*", b"RIFF\0\0\0\0WEBPVP8 ", b"",
    ]), rest in prop::collection::vec(any::<u8>(), 0..300)) {
        let path = scratch_file("no_bytes_crash");
        fs::write(&path, [start, &rest].concat()).unwrap();
        let (mut out, mut status) = ([7; 64], [9]);
        let target = Target { height: 8, width: 8, color: Color::Grey };
        let outcome = decode_frames(std::slice::from_ref(&path), target, Reading::default(), &mut out, &mut status, false, &Cancel::default());
        fs::remove_file(path).unwrap();
        prop_assert_eq!(outcome, Ok(vec![]));
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
    let outcome = decode_frames(&["none".into()], target, Reading::default(), &mut [0; 64], &mut [0], false, &cancel);
    assert_eq!(outcome, Err(Error::Cancelled));
    assert_eq!(common_size(&["none".into()], Reading::default(), &cancel), Err(Error::Cancelled));
    assert_eq!(resize_frames(&[0; 4], 2, 2, target, &mut [0; 64], &cancel), Err(Error::Cancelled));
}

#[test]
fn buffers_that_do_not_fit_are_refused() {
    let target = Target { height: 8, width: 8, color: Color::Rgb };
    let cancel = Cancel::default();
    let paths = ["none".into()];
    assert!(matches!(
        decode_frames(&paths, target, Reading::default(), &mut [0; 64], &mut [0], false, &cancel),
        Err(Error::Shape(_))
    ));
    assert!(matches!(
        decode_frames(&paths, target, Reading::default(), &mut [0; 192], &mut [], false, &cancel),
        Err(Error::Shape(_))
    ));
    let empty = Target { height: 0, ..target };
    assert!(matches!(
        decode_frames(&paths, empty, Reading::default(), &mut [], &mut [0], false, &cancel),
        Err(Error::Value(_))
    ));
    let huge = Target { height: usize::MAX, ..target };
    assert!(matches!(
        decode_frames(&paths, huge, Reading::default(), &mut [], &mut [0], false, &cancel),
        Err(Error::Value(_))
    ));
}
