//! Samples of any kind to grey or RGB bytes, as Pillow's `convert` does.
//!
//! Alpha is dropped; grey is (19595 R + 38470 G + 7471 B + 32768) >> 16 (BT.601). Of samples of more than 8 bits the
//! upper 8 of those that are used are kept, also for grey, where Pillow clips at 255 and so loses all but the darkest
//! picture.

use super::Color;

/// How pixels lie in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    pub channels: usize,
    /// Bytes from one sample to the next.
    pub stride: usize,
    /// Which byte of a sample is its upper one.
    pub upper: usize,
}

impl Layout {
    pub(super) fn bytes(self) -> usize {
        self.channels * self.stride
    }

    /// A sample of 16 bits.
    pub(super) fn wide(self, pixel: &[u8], channel: usize) -> u32 {
        let upper = pixel[channel * self.stride + self.upper];
        u32::from(upper) << 8 | u32::from(pixel[channel * self.stride + 1 - self.upper])
    }
}

/// By how many bits whole samples of `bits` bits (8 or more) are shifted, of which `depth` are used.
pub(super) fn shift(bits: u32, depth: Option<u32>) -> u32 {
    depth.filter(|depth| *depth >= 8).map_or(bits, |depth| depth.min(bits)) - 8
}

/// A whole sample as a byte; what is above the bits that are used is white.
pub(super) fn whole(sample: u32, shift: u32) -> u8 {
    (sample >> shift).min(255) as u8
}

/// A floating-point sample as a byte: `2^depth - 1` is white, none at all is black.
pub(super) fn float(sample: f64, depth: Option<u32>) -> u8 {
    let white = 2f64.powi(depth.unwrap_or(1) as i32) - 1.0;
    (255.0 * sample / white).round_ties_even() as u8
}

/// Writes the pixels of `raw`, whose samples use `depth` bits, to `out` as bytes of `color`; as many as both hold.
pub(super) fn convert(raw: &[u8], layout: Layout, depth: Option<u32>, color: Color, out: &mut [u8]) {
    let shift = shift(16, depth);
    if layout.stride == 1 || shift == 8 {
        spread(raw, layout, color, out, |pixel, channel| pixel[channel * layout.stride + layout.upper]);
    } else {
        spread(raw, layout, color, out, |pixel, channel| whole(layout.wide(pixel, channel), shift));
    }
}

fn spread(raw: &[u8], layout: Layout, color: Color, out: &mut [u8], sample: impl Fn(&[u8], usize) -> u8) {
    let pixels = raw.chunks_exact(layout.bytes());
    if layout.channels < 3 {
        write(pixels.map(|pixel| [sample(pixel, 0); 3]), color, out);
    } else {
        write(pixels.map(|pixel| [sample(pixel, 0), sample(pixel, 1), sample(pixel, 2)]), color, out);
    }
}

/// Writes a JPEG's CMYK pixels, which are inverted as Adobe stores them, to `out`.
pub(super) fn convert_inverted_cmyk(raw: &[u8], color: Color, out: &mut [u8]) {
    let rgb = raw.chunks_exact(4).map(|pixel| {
        let light = pixel[3];
        [0, 1, 2].map(|channel| light.saturating_sub(product(255 - pixel[channel], light)))
    });
    write(rgb, color, out);
}

/// `left * right / 255`, rounded.
fn product(left: u8, right: u8) -> u8 {
    let scaled = u32::from(left) * u32::from(right) + 128;
    (((scaled >> 8) + scaled) >> 8) as u8
}

/// Writes RGB pixels to `out` as bytes of `color`; as many pixels as both hold.
pub(super) fn write(pixels: impl Iterator<Item = [u8; 3]>, color: Color, out: &mut [u8]) {
    match color {
        Color::Grey => out.iter_mut().zip(pixels).for_each(|(out, rgb)| *out = luma(rgb)),
        Color::Rgb => out.chunks_exact_mut(3).zip(pixels).for_each(|(out, rgb)| out.copy_from_slice(&rgb)),
    }
}

fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 19_595 + u32::from(green) * 38_470 + u32::from(blue) * 7_471 + 0x8000) >> 16) as u8
}
