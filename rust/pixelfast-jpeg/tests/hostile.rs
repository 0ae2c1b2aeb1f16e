//! What our reader says of each JPEG of the fuzzer's corpus (rust/fuzz/make_corpus.py), by the file's name.

use std::path::Path;

use pixelfast_jpeg::{Memory, Refusal, has_fault, luma};

const LIMIT: usize = 128_000_000;

/// Whether the file has a fault that costs no pixel, or why there is no picture; the same at its own size and smaller.
fn read(name: &str) -> Result<bool, Refusal> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/jpeg").join(name);
    let data = std::fs::read(path).unwrap();
    let mut memory = Memory::default();
    let Err(Refusal::Size { height, width }) = luma(&data, (0, 0), LIMIT, &mut memory, &mut []) else {
        assert_eq!(has_fault(&data, LIMIT, &mut memory), Err(Refusal::NotPlain));
        return Err(Refusal::NotPlain);
    };
    let mut whole = vec![0; height * width];
    let outcome = luma(&data, (height, width), LIMIT, &mut memory, &mut whole);
    assert_eq!(
        luma(&data, (height / 2, width / 2), LIMIT, &mut memory, &mut whole[..height / 2 * (width / 2)]),
        outcome
    );
    assert_eq!(has_fault(&data, LIMIT, &mut memory), outcome);
    assert_eq!(luma(&data, (height, width), height * width - 1, &mut memory, &mut whole), Err(Refusal::NotPlain));
    outcome
}

macro_rules! says {
    ($($name:ident: $outcome:pat,)*) => {$(
        #[test]
        fn $name() {
            let outcome = read(stringify!($name));
            assert!(matches!(outcome, $outcome), "{outcome:?}");
        }
    )*};
}

says! {
    grey: Ok(false),
    color_of_four_blocks_of_luma: Ok(false),
    restart_markers: Ok(false),
    turned_by_exif: Ok(false),
    exif_points_at_itself: Ok(false),
    stray_bytes_before_a_marker: Ok(true),
    no_end: Ok(true),
    progressive: Err(Refusal::NotPlain),
    cut_in_the_pixels: Err(Refusal::NotPlain),
    announces_65535_by_65535: Err(Refusal::NotPlain),
    announces_65535_by_65535_progressive: Err(Refusal::NotPlain),
    announces_a_million_pixels: Err(Refusal::NotPlain),
    huffman_table_is_empty: Err(Refusal::NotPlain),
    huffman_table_has_too_many_codes: Err(Refusal::NotPlain),
    huffman_codes_are_all_long: Err(Refusal::NotPlain),
    huffman_tables_again_and_again: Err(Refusal::NotPlain),
    quantisation_of_zeros: Ok(false),
    quantisation_of_the_largest_steps: Ok(false),
    no_quantisation: Err(Refusal::NotPlain),
    no_pixels: Err(Refusal::NotPlain),
    no_scan: Err(Refusal::NotPlain),
    two_frames: Err(Refusal::NotPlain),
    component_of_255_by_255_blocks: Err(Refusal::NotPlain),
    scan_of_a_stranger: Err(Refusal::NotPlain),
    a_run_beyond_the_block: Err(Refusal::NotPlain),
    restart_markers_without_pixels: Err(Refusal::NotPlain),
    segment_longer_than_the_file: Err(Refusal::NotPlain),
    two_hundred_scans_of_nothing: Err(Refusal::NotPlain),
    only_its_start: Err(Refusal::NotPlain),
}

#[test]
fn more_components_than_there_are() {
    assert_eq!(read("255_components"), Err(Refusal::NotPlain));
}
