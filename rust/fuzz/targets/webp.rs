//! WebP, lossy and lossless, animated or not.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(init: pixelfast_fuzz::prepare(), |data: &[u8]| -> Corpus {
    if !data.starts_with(b"RIFF") {
        return Corpus::Reject;
    }
    pixelfast_fuzz::with_file(data, pixelfast_fuzz::look_at);
    Corpus::Keep
});
