//! What comes out of each file of the fuzzer's corpus (rust/fuzz/make_corpus.py), by its name: a test for each.
//!
//! Whatever a file announces, no allocation is larger than what its own few bytes explain.

mod watching;

use std::path::{Path, PathBuf};

use pixelfast_core::Cancel;
use pixelfast_core::decode::{
    Color, Pictures, Reading, Target, count_pictures, decode_frames, explain_frame, flip_jpeg, frame_size,
};

/// The largest allocation that any file of the corpus explains: the times of a million pictures.
const MOST_BYTES: usize = 8_000_000;

const SMALL: Target = Target { height: 8, width: 8, color: Color::Grey };

fn file(kind: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(kind).join(name)
}

/// The status of a file that is decoded, and what is wrong with it; "" where nothing is.
fn decoded(path: &Path) -> (u8, String) {
    let (mut pixels, mut status) = ([7; 64], [9]);
    let paths = [path.to_path_buf()];
    let cancel = Cancel::default();
    decode_frames(&paths, SMALL, Reading::default(), &mut pixels, &mut status, false, &cancel).unwrap();
    assert!(status[0] != 2 || pixels == [0; 64]);
    let why = explain_frame(path).unwrap_or_default();
    assert_eq!(why.is_empty(), matches!(status[0] & 3, 0 | 3));
    if let Err(error) = frame_size(path, Reading::default()) {
        assert!(error.to_string().ends_with(&why), "{error} and {why}");
    }
    (status[0], why)
}

/// How many pictures a file holds, and the statuses of the first few.
fn pictures(path: &Path) -> (usize, Vec<u8>) {
    let counted = count_pictures(&[path.to_path_buf()], &Cancel::default()).unwrap()[0];
    let Ok(mut found) = Pictures::open(path) else { return (counted, vec![]) };
    assert_eq!(found.length(), counted);
    let mut status = vec![9; counted.min(3)];
    let mut pixels = vec![7; 64 * status.len()];
    found.read(SMALL, Reading::default(), &mut pixels, &mut status, &Cancel::default()).unwrap();
    (counted, status)
}

/// A test for each file: its status, and a clause that is in what is said of it.
macro_rules! singles {
    ($kind:ident { $($name:ident: $status:literal, $clause:literal;)* }) => {
        mod $kind {
            $(
                #[test]
                fn $name() {
                    let (status, why) = super::decoded(&super::file(stringify!($kind), stringify!($name)));
                    assert_eq!(status, $status, "{why}");
                    assert!(if $clause == "" { why.is_empty() } else { why.contains($clause) }, "{why}");
                    assert!(super::watching::largest() <= super::MOST_BYTES);
                }
            )*
        }
    };
}

/// A test for each file of several pictures: how many, and their statuses.
macro_rules! several {
    ($module:ident: $kind:ident { $($name:ident: $count:literal, $statuses:expr;)* }) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    let found = super::pictures(&super::file(stringify!($kind), stringify!($name)));
                    assert_eq!(found, ($count, $statuses.to_vec()));
                    assert!(super::watching::largest() <= super::MOST_BYTES);
                }
            )*
        }
    };
}

singles! { jpeg {
    grey: 0, "";
    color_of_four_blocks_of_luma: 0, "";
    restart_markers: 0, "";
    progressive: 0, "";
    turned_by_exif: 4, "";
    exif_points_at_itself: 0, "";
    stray_bytes_before_a_marker: 3, "";
    no_end: 3, "";
    cut_in_the_pixels: 2, "Premature end";
    announces_65535_by_65535: 2, "Maximum supported image dimension";
    announces_65535_by_65535_progressive: 2, "Maximum supported image dimension";
    announces_a_million_pixels: 2, "premature end";
    huffman_table_is_empty: 2, "premature end";
    huffman_table_has_too_many_codes: 2, "Bogus Huffman table";
    huffman_codes_are_all_long: 0, "";
    huffman_tables_again_and_again: 0, "";
    quantisation_of_zeros: 0, "";
    quantisation_of_the_largest_steps: 0, "";
    no_quantisation: 2, "Quantization table";
    no_pixels: 2, "Empty JPEG image";
    no_scan: 2, "missing SOS";
    two_frames: 2, "two SOF";
    component_of_255_by_255_blocks: 2, "Bogus sampling factors";
    scan_of_a_stranger: 2, "Invalid component ID";
    a_run_beyond_the_block: 0, "";
    restart_markers_without_pixels: 2, "premature end";
    segment_longer_than_the_file: 2, "Bogus DQT";
    two_hundred_scans_of_nothing: 2, "premature end";
    only_its_start: 2, "no image";
} }

singles! { png {
    grey: 0, "";
    color_of_16_bits: 0, "";
    interlaced: 0, "";
    palette: 0, "";
    cut_in_the_pixels: 1, "is truncated or damaged";
    announces_65535_by_65535: 2, "says it is 65535x65535 pixels, more than the limit";
    announces_the_largest_sides: 2, "more than the limit";
    announces_one_very_long_row: 2, "more than the limit";
    a_row_of_70000_pixels: 2, "a side may have 65535 at most";
    animation_announces_65535_by_65535: 2, "more than the limit";
    no_pixels: 2, "says it is 0x0 pixels";
    chunk_longer_than_the_file: 2, "cannot be decoded";
    text_that_expands_to_two_megabytes: 0, "";
    rows_that_expand_to_two_megabytes: 0, "";
    no_pixels_at_all: 2, "chunk is missing";
    exif_chunk_ends_beyond_the_file: 2, "unexpected end of file";
    only_its_start: 2, "unexpected end of file";
} }

several! { animated_png: png {
    animation: 2, [0, 0];
    grey: 1, [];
    announces_a_million_pictures: 1_000_000, [0, 2, 2];
    announces_four_billion_pictures: 1, [];
    animation_announces_65535_by_65535: 2, [];
    picture_outside_its_canvas: 2, [0, 2];
} }

singles! { tiff {
    grey: 0, "";
    big_tiff: 0, "";
    big_endian: 0, "";
    palette: 0, "";
    tiled: 0, "";
    deflated: 0, "";
    packed_12_bits: 0, "";
    floats: 0, "";
    cut_in_the_pixels: 2, "failed to fill whole buffer";
    announces_65535_by_65535: 2, "more than the limit";
    announces_65535_by_65535_deflated: 2, "more than the limit";
    announces_four_billion_by_four_billion: 2, "more than the limit";
    announces_65535_samples_a_pixel: 2, "cannot be decoded";
    announces_the_largest_of_big_tiff: 2, "more than the limit";
    announces_tiles_of_65535_by_65535: 2, "cannot be decoded";
    announces_a_strip_of_four_billion_rows: 0, "";
    no_bits: 2, "0 bits a sample";
    no_rows_in_a_strip: 2, "cannot be decoded";
    four_hundred_palettes_over_the_same_bytes: 2, "directory is cut off or damaged";
    strips_over_each_other: 2, "its strips lie over each other";
    directory_points_at_itself: 2, "does not say where its pixels lie";
    directory_beyond_the_file: 2, "directory is cut off or damaged";
    directories_over_each_other: 2, "directory is cut off or damaged";
    palette_that_is_too_short: 2, "a palette that is too short";
    jpeg_that_is_none: 2, "cannot be decoded";
    old_jpeg: 2, "old-style JPEG";
    only_its_start: 2, "directory is cut off or damaged";
} }

several! { gif: gif {
    two_pictures: 2, [0, 0];
    restored: 3, [0, 0, 0];
    announces_65535_by_65535: 2, [];
    picture_announces_65535_by_65535: 2, [2, 2];
    picture_outside_its_canvas: 2, [0, 0];
    picture_lacks_its_end: 2, [0, 2];
    no_palette: 1, [];
    no_pixels: 2, [];
    code_size_of_255: 1, [];
    only_its_start: 0, [];
} }

singles! { bmp {
    color: 0, "";
    palette: 0, "";
    run_lengths: 0, "";
    from_the_top_down: 0, "";
    cut_in_the_pixels: 1, "is truncated or damaged";
    announces_65535_by_65535: 2, "more than the limit";
    announces_the_largest_sides: 2, "Image too large";
    announces_run_lengths_of_65535_by_65535: 2, "more than the limit";
    announces_four_billion_colors: 2, "Palette size";
    no_pixels: 2, "0x0";
    no_bits: 2, "bit count";
    only_its_start: 2, "failed to fill whole buffer";
} }

singles! { webp {
    one_color: 0, "";
    exif_ends_beyond_the_file: 0, "";
    announces_16383_by_16383: 2, "more than the limit";
    announces_16383_by_16383_lossy: 2, "more than the limit";
    announces_the_largest_canvas: 2, "Image too large";
    chunk_longer_than_the_file: 2, "cannot be decoded";
    only_its_start: 2, "cannot be decoded";
} }

several! { animated_webp: webp {
    animation: 2, [0, 0];
    animation_that_is_cut: 2, [0, 2];
    announces_65535_by_65535_animated: 2, [];
    announces_a_row_of_16_million: 2, [];
    picture_announces_16383_by_16383: 1, [2];
    masked_picture_announces_65535_by_65535: 1, [2];
    masked_picture_announces_the_largest_sides: 1, [2];
    picture_outside_its_canvas: 2, [0, 0];
} }

/// Planes as a video decoder leaves them, with the geometry that is told of them before their bytes.
mod planes {
    use pixelfast_core::decode::{Color, Planes, Samples, Target, resize_planes};
    use pixelfast_core::{Cancel, Error};

    /// The mean of the frame that becomes of a file of the corpus, as targets/planes.rs reads it.
    fn mean(name: &str) -> Result<usize, Error> {
        let data = std::fs::read(super::file("planes", name)).unwrap();
        let (head, bytes) = data.split_first_chunk::<10>().unwrap();
        let two = |at: usize| usize::from(u16::from_be_bytes([head[at], head[at + 1]]));
        let (samples, color, channels) = match head[8] & 3 {
            3 => (Samples::Rgb, Color::Rgb, 3),
            2 => (Samples::Word(u32::from(head[8] >> 3)), Color::Grey, 1),
            _ => (Samples::Byte, Color::Grey, 1),
        };
        let (line, height, width) = (two(0), two(2), two(4));
        let (limited, orientation) = (head[8] & 4 != 0, head[9]);
        let planes = Planes { pixels: &[bytes], line, height, width, samples, limited, orientation };
        let target = Target { height: head[6].into(), width: head[7].into(), color };
        let mut out = vec![0; target.height * target.width * channels];
        resize_planes(&planes, target, &mut out, true, &Cancel::default())?;
        Ok(out.iter().copied().map(usize::from).sum::<usize>() / out.len())
    }

    #[test]
    fn luma() {
        assert!(mean("luma").unwrap() > 0);
    }

    #[test]
    fn luma_of_10_bits() {
        assert!(mean("luma_of_10_bits").unwrap() > 0);
    }

    #[test]
    fn colors() {
        assert!(mean("colors").unwrap() > 0);
    }

    #[test]
    fn rows_shorter_than_the_picture() {
        assert!(matches!(mean("rows_shorter_than_the_picture"), Err(Error::Shape(_))));
    }

    #[test]
    fn announces_65535_by_65535() {
        assert!(matches!(mean("announces_65535_by_65535"), Err(Error::Value(_))));
        assert!(super::watching::largest() <= super::MOST_BYTES);
    }

    #[test]
    fn orientation_of_255() {
        assert!(matches!(mean("orientation_of_255"), Err(Error::Value(_))));
    }

    #[test]
    fn no_pixels() {
        assert!(matches!(mean("no_pixels"), Err(Error::Value(_))));
    }
}

/// What a Rust name cannot begin with.
#[test]
fn a_jpeg_of_255_components() {
    assert_eq!(decoded(&file("jpeg", "255_components")).0, 2);
}

/// A turn cannot be told to stop: a file with so many scans is not begun.
#[test]
fn a_large_jpeg_of_hundreds_of_scans_is_not_turned() {
    let mut data = std::fs::read(file("jpeg", "two_hundred_scans_of_nothing")).unwrap();
    assert!(!flip_jpeg(&data, 90, true).unwrap_err().to_string().contains("scans"));
    let frame = data.windows(2).position(|pair| pair == [0xff, 0xc2]).unwrap();
    data[frame + 5..frame + 9].copy_from_slice(&[0x2a, 0xf8, 0x2a, 0xf8]); // 11,000 x 11,000
    assert!(flip_jpeg(&data, 90, true).unwrap_err().to_string().ends_with("it has 200 scans"));
}
