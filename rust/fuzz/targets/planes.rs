//! Frames as a video decoder leaves them: any geometry, any number of bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pixelfast_core::Cancel;
use pixelfast_core::decode::{Color, Planes, Samples, Target, resize_planes};

fuzz_target!(init: pixelfast_fuzz::prepare(), |data: &[u8]| {
    let Some((&[line0, line1, high0, high1, wide0, wide1, into_high, into_wide, flags, orientation], bytes)) =
        data.split_first_chunk()
    else {
        return;
    };
    let two = |upper: u8, lower: u8| usize::from(u16::from_be_bytes([upper, lower]));
    let samples = match flags & 3 {
        0 | 1 => Samples::Byte,
        2 => Samples::Word(u32::from(flags >> 3)),
        _ => Samples::Rgb,
    };
    let planes = Planes {
        pixels: &[bytes, bytes],
        line: two(line0, line1),
        height: two(high0, high1),
        width: two(wide0, wide1),
        samples,
        limited: flags & 4 != 0,
        orientation,
    };
    let (color, channels) = if flags & 1 == 1 { (Color::Rgb, 3) } else { (Color::Grey, 1) };
    let target = Target { height: into_high.into(), width: into_wide.into(), color };
    let mut out = vec![0; 2 * target.height * target.width * channels];
    if resize_planes(&planes, target, &mut out, flags & 8 != 0, &Cancel::default()).is_ok() {
        let (first, second) = out.split_at(out.len() / 2);
        assert!(first == second, "the same plane became two different frames");
    }
});
