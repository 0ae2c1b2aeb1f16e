//! One resampling kernel for everything: triangle (bilinear) filter, widened when it shrinks, so that it antialiases.
//!
//! It is the kernel of Pillow's `Image.resize(…, BILINEAR)`.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions};
use rayon::prelude::*;

use super::worker::with_worker;
use super::{Color, Target};
use crate::{Cancel, Error, Result};

/// Pixels to resize: row after row, and the part of them (from the top left corner) that holds the picture.
pub(super) struct Source<'a> {
    pub pixels: &'a [u8],
    pub height: usize,
    pub width: usize,
    pub used_height: f64,
    pub used_width: f64,
}

impl<'a> Source<'a> {
    pub(super) fn whole(pixels: &'a [u8], height: usize, width: usize) -> Self {
        Self { pixels, height, width, used_height: height as f64, used_width: width as f64 }
    }
}

/// A resizer that keeps its intermediate rows between frames.
#[derive(Default)]
pub(super) struct Resizer(fast_image_resize::Resizer);

impl Resizer {
    /// Resizes `source`, of the target's color, into `out`.
    pub(super) fn resize(
        &mut self,
        source: &Source<'_>,
        target: Target,
        out: &mut [u8],
    ) -> std::result::Result<(), String> {
        let kind = match target.color {
            Color::Grey => PixelType::U8,
            Color::Rgb => PixelType::U8x3,
        };
        let from = ImageRef::new(side(source.width)?, side(source.height)?, source.pixels, kind);
        let from = from.map_err(|error| error.to_string())?;
        let into = Image::from_slice_u8(side(target.width)?, side(target.height)?, out, kind);
        let mut into = into.map_err(|error| error.to_string())?;
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
            .crop(0.0, 0.0, source.used_width, source.used_height)
            .use_alpha(false);
        self.0.resize(&from, &mut into, &options).map_err(|error| error.to_string())
    }

    /// Gives back intermediate rows of more than `kept` bytes.
    pub(super) fn shrink(&mut self, kept: usize) {
        if self.0.size_of_internal_buffers() > kept {
            self.0.reset_internal_buffers();
        }
    }
}

fn side(pixels: usize) -> std::result::Result<u32, String> {
    u32::try_from(pixels).map_err(|_| format!("a side of {pixels} pixels is too long"))
}

/// Resizes grey frames: `frames` u8 N x `height` x `width` into `out`, N x the target's size.
///
/// # Errors
/// [`Error::Shape`] if the arrays do not hold the same number of whole frames; [`Error::Cancelled`].
pub fn resize_frames(
    frames: &[u8],
    height: usize,
    width: usize,
    target: Target,
    out: &mut [u8],
    cancel: &Cancel,
) -> Result<()> {
    let from = height.checked_mul(width).filter(|&bytes| bytes > 0);
    let into = target.bytes().filter(|&bytes| bytes > 0 && target.color == Color::Grey);
    let (Some(from), Some(into)) = (from, into) else {
        let (high, wide) = (target.height, target.width);
        return Err(Error::Shape(format!("frames of {height}x{width} cannot be resized to {high}x{wide}")));
    };
    let whole = frames.len().is_multiple_of(from) && out.len().is_multiple_of(into);
    if !whole || frames.len() / from != out.len() / into {
        return Err(Error::Shape(format!("{} and {} bytes hold no equal number of frames", frames.len(), out.len())));
    }
    let pairs = frames.par_chunks_exact(from).zip(out.par_chunks_exact_mut(into));
    pairs.with_max_len(1).try_for_each(|(pixels, out)| {
        cancel.check()?;
        let source = Source::whole(pixels, height, width);
        let done = with_worker(|worker| worker.scratch.resizer.resize(&source, target, out));
        done.map_err(Error::Value)
    })
}
