//! Any JPEG: by libjpeg-turbo, with the walk through its scans where something is wrong, and turned upside down.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use pixelfast_core::decode::{flip_jpeg, laid_upright};

fuzz_target!(init: pixelfast_fuzz::prepare(), |data: &[u8]| -> Corpus {
    if !data.starts_with(b"\xff\xd8") {
        return Corpus::Reject;
    }
    pixelfast_fuzz::with_file(data, pixelfast_fuzz::look_at);
    let (number, upright) = laid_upright(data.to_vec());
    assert!((1..=8).contains(&number) && upright.len() == data.len());
    assert_eq!(laid_upright(upright).0, 1, "a picture that was laid upright still is to be turned");
    if let Ok((turned, _)) = flip_jpeg(data, 90, true) {
        assert!(flip_jpeg(&turned, 90, true).is_ok(), "what was turned cannot be turned back");
    }
    Corpus::Keep
});
