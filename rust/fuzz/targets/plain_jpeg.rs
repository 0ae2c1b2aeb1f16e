//! Our own JPEG reader: no panic, the same picture whatever was read before, and the library's very pixels.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use pixelfast_jpeg::{Memory, Refusal, has_fault, luma};
use std::cell::RefCell;

/// A 128th of what the core allows, as in all targets.
const MOST_PIXELS: usize = 1_000_000;

thread_local! {
    static USED: RefCell<Memory> = RefCell::default();
}

fuzz_target!(init: pixelfast_fuzz::prepare(), |data: &[u8]| -> Corpus {
    if !data.starts_with(b"\xff\xd8") {
        return Corpus::Reject;
    }
    let Err(Refusal::Size { height, width }) = luma(data, (0, 0), MOST_PIXELS, &mut Memory::default(), &mut []) else {
        return Corpus::Keep;
    };
    let whole = read(data, (height, width));
    for size in [(1, 1), (8, 8), (height.div_ceil(2), width / 2), (height, width * 5 / 8), (2 * height, width / 3)] {
        let small = read(data, size);
        assert!(small.is_none() || small.map(|(_, fault)| fault) == whole.as_ref().map(|(_, fault)| *fault));
    }
    let fault = has_fault(data, MOST_PIXELS, &mut Memory::default()).ok();
    assert_eq!(fault, whole.as_ref().map(|(_, fault)| *fault), "a fault is there only where pixels are made");
    if let Some((pixels, false)) = whole {
        check_with_library(data, &pixels);
    }
    Corpus::Keep
});

/// The picture and whether it has a fault, by a reader that has read others and by a fresh one.
fn read(data: &[u8], (height, width): (usize, usize)) -> Option<(Vec<u8>, bool)> {
    let (mut used, mut fresh) = (vec![1; height * width], vec![2; height * width]);
    let outcome = USED.with_borrow_mut(|memory| luma(data, (height, width), MOST_PIXELS, memory, &mut used));
    assert_eq!(outcome, luma(data, (height, width), MOST_PIXELS, &mut Memory::default(), &mut fresh));
    let fault = outcome.ok()?;
    assert!(used == fresh, "a picture depends on what was read before");
    Some((used, fault))
}

/// Where libjpeg-turbo finds nothing to complain of, its pixels are ours: unless coefficients lead beyond what a byte
/// holds, of which its C code and its vector code make different things.
fn check_with_library(data: &[u8], pixels: &[u8]) {
    let within = |pixels: &[u8]| pixels.iter().all(|pixel| (1..255).contains(pixel));
    if let Ok(image) = turbojpeg::decompress(data, turbojpeg::PixelFormat::GRAY) {
        assert!(
            image.pixels == pixels || !within(&image.pixels) || !within(pixels),
            "libjpeg-turbo reads other pixels"
        );
    }
}
