//! Animated GIF.

use std::fs::File;
use std::io::BufReader;

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, DisposalMethod, MemoryLimit};

use super::canvas::{Area, Canvas, Then};
use super::{Animation, Delays};
use crate::decode::PIXEL_LIMIT;

struct Gif {
    decoder: Decoder<BufReader<File>>,
    begun: bool,
}

fn decoder<R: std::io::Read>(file: R, skip: bool) -> Result<Decoder<R>, String> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.skip_frame_decoding(skip);
    options.allow_unknown_blocks(true);
    if let Some(limit) = std::num::NonZeroU64::new(PIXEL_LIMIT as u64) {
        options.set_memory_limit(MemoryLimit::Bytes(limit));
    }
    options.read_info(file).map_err(because)
}

fn because(error: DecodingError) -> String {
    format!("cannot be decoded: {error}")
}

/// Of a file that is cut off the picture that lacks its end counts.
pub(super) fn delays(file: &mut BufReader<File>) -> Delays {
    let mut decoder = decoder(file, true)?;
    let mut delays = Vec::new();
    while let Ok(Some(frame)) = decoder.next_frame_info() {
        delays.push(f64::from(frame.delay) / 100.0);
    }
    Ok(delays)
}

pub(super) fn open(file: BufReader<File>) -> Result<(Box<dyn Animation>, usize, usize), String> {
    let decoder = decoder(file, false)?;
    let (height, width) = (decoder.height().into(), decoder.width().into());
    Ok((Box::new(Gif { decoder, begun: false }), height, width))
}

impl Animation for Gif {
    fn draw(&mut self, canvas: &mut Canvas) -> Result<(), String> {
        let background = self.decoder.bg_color().unwrap_or(0);
        let everyones = self.decoder.global_palette().map(<[u8]>::to_vec);
        let frame = self.decoder.read_next_frame().map_err(because)?.ok_or("is cut off: the picture is not there")?;
        let palette = frame.palette.as_ref().or(everyones.as_ref()).ok_or("cannot be decoded: it has no palette")?;
        let color = |index: usize, alpha| {
            let rgb = palette.get(3 * index..3 * index + 3).unwrap_or(&[0, 0, 0]);
            [rgb[0], rgb[1], rgb[2], alpha]
        };
        let clear = frame.transparent.map(usize::from);
        // What no picture covers is taken as what they leave open, else the first of the palette.
        let first = !std::mem::replace(&mut self.begun, true);
        if first {
            canvas.fill(color(clear.unwrap_or(0), 0));
        }
        let pixels = frame.buffer.iter().map(|index| usize::from(*index));
        let pixels: Vec<u8> = pixels.flat_map(|index| color(index, 255 * u8::from(Some(index) != clear))).collect();
        let then = match frame.dispose {
            DisposalMethod::Background => {
                Then::Fill(clear.map_or_else(|| color(background, 255), |index| color(index, 0)))
            }
            DisposalMethod::Previous if first && clear.is_none() => Then::Stay, // nothing was there before
            DisposalMethod::Previous => Then::Restore,
            _ => Then::Stay,
        };
        let (x, y, width, height) = (frame.left.into(), frame.top.into(), frame.width.into(), frame.height.into());
        if pixels.len() < 4 * width * height {
            return Err("is truncated or damaged: a picture lacks its end".into());
        }
        canvas.draw(Area { x, y, width, height }, &pixels, true, &then);
        Ok(())
    }
}
