//! What all targets share: a file of the bytes, everything the core does with an image file, and which panics count.
//!
//! Built for fuzzing, the core takes a 128th of the pixels that it takes otherwise (`SCALE` in its decode module), and every bound
//! that follows from them is a 128th, too: the limits in `limits.txt` hold at that scale.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use pixelfast_core::Cancel;
use pixelfast_core::decode::{
    Color, PIXEL_LIMIT, Pictures, Reading, Target, common_size, count_pictures, decode_frames, explain_frame,
    frame_size, sample_ranges,
};

/// A side that pictures shrink to; most files are larger or smaller.
const SIDE: usize = 24;

/// Pictures of a stack or animation that are read of one input.
const MOST_PICTURES: usize = 8;

/// One thread does everything, this one. A panic within a crate that is not ours counts only where nothing catches it:
/// the core catches those of image decoders and makes them a reason like any other.
pub fn prepare() {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().expect("no pool was built yet");
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| place.file().to_owned()).unwrap_or_default();
        if !place.contains("/registry/") && !place.starts_with("/rustc/") {
            eprintln!("{panic}\n{}", std::backtrace::Backtrace::force_capture());
            std::process::abort();
        }
    }));
}

thread_local! {
    static FILE: RefCell<PathBuf> = RefCell::new(
        std::env::temp_dir().join(format!("pixelfast-fuzz-{}", std::process::id())),
    );
}

/// Runs `work` on a file of these bytes.
pub fn with_file<T>(data: &[u8], work: impl FnOnce(&Path) -> T) -> T {
    FILE.with_borrow(|path| {
        fs::write(path, data).expect("the temporary folder can be written");
        let done = work(path);
        fs::remove_file(path).expect("the file is there");
        done
    })
}

/// Everything that the core does with one image file. What is read twice must be the same.
pub fn look_at(path: &Path) {
    let (paths, cancel) = ([path.to_path_buf()], Cancel::default());
    let lying = Reading { orientation: false, depth: Some(12) };
    let size = frame_size(path, Reading::default());
    let _ = common_size(&paths, lying, &cancel);
    let _ = sample_ranges(&paths, &cancel);
    let _ = explain_frame(path);
    let small = Target { height: SIDE, width: SIDE, color: Color::Grey };
    let first = decode(&paths, small, Reading::default());
    let _ = decode(&paths, Target { color: Color::Rgb, ..small }, lying);
    if let Ok((height, width)) = size {
        assert!((1..=PIXEL_LIMIT).contains(&(height * width)), "{height} x {width} pixels are allowed");
        let _ = decode(&paths, Target { height, width, color: Color::Grey }, Reading::default());
    }
    assert_eq!(first, decode(&paths, small, Reading::default()), "a second reading differs");
    look_at_pictures(path, small);
}

fn decode(paths: &[PathBuf; 1], target: Target, reading: Reading) -> (Vec<u8>, u8) {
    let channels = if target.color == Color::Rgb { 3 } else { 1 };
    let (mut pixels, mut status) = (vec![7; target.height * target.width * channels], [9]);
    decode_frames(paths, target, reading, &mut pixels, &mut status, true, &Cancel::default()).expect("the sizes fit");
    assert!(status[0] & 3 != 2 || pixels.iter().all(|pixel| *pixel == 0), "an unreadable frame has pixels");
    (pixels, status[0])
}

/// The pictures of a stack or an animation.
fn look_at_pictures(path: &Path, target: Target) {
    let cancel = Cancel::default();
    let counted = count_pictures(&[path.to_path_buf()], &cancel).expect("nobody asked to stop")[0];
    let Ok(mut pictures) = Pictures::open(path) else { return };
    assert_eq!(pictures.length(), counted);
    let count = counted.min(MOST_PICTURES);
    if counted <= MOST_PICTURES {
        assert_eq!(pictures.sizes(Reading::default()).len(), count);
    }
    let (mut pixels, mut status) = (vec![7; count * target.height * target.width], vec![9; count]);
    let reasons = pictures.read(target, Reading::default(), &mut pixels, &mut status, &cancel).expect("sizes fit");
    assert_eq!(reasons.len(), status.iter().filter(|status| **status & 3 != 0).count());
}
