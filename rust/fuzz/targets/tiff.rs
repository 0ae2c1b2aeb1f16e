//! TIFF and BigTIFF, of one page or many.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(init: pixelfast_fuzz::prepare(), |data: &[u8]| -> Corpus {
    if !matches!(data, [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..]) {
        return Corpus::Reject;
    }
    pixelfast_fuzz::with_file(data, pixelfast_fuzz::look_at);
    Corpus::Keep
});
