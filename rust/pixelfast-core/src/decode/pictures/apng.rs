//! Animated PNG.

use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};

use png::{BlendOp, Decoder, DecodingError, DisposeOp, Limits, Reader, Transformations};

use super::canvas::{Area, Canvas, Then};
use super::{Animation, Delays, read_array};
use crate::decode::{PIXEL_LIMIT, SCALE, check_size};

/// A file that says it holds more is not believed.
const MOST: usize = 1_000_000 / SCALE;

struct Apng {
    reader: Reader<BufReader<File>>,
    buffer: Vec<u8>,
}

/// The delays of as many pictures as the file says it holds, or has; none where it is no animation.
pub(super) fn delays(file: &mut BufReader<File>) -> Delays {
    let (mut delays, mut promised) = (Vec::new(), None);
    let _ = file.seek(SeekFrom::Start(8));
    while let Some([a, b, c, d, kind @ ..]) = read_array::<8>(file) {
        let (length, mut used) = (u32::from_be_bytes([a, b, c, d]), 0);
        match &kind {
            b"acTL" => {
                let Some(count) = read_array::<4>(file) else { break };
                (promised, used) = (Some(u32::from_be_bytes(count) as usize), 4);
            }
            b"fcTL" => {
                let Some(control) = read_array::<24>(file) else { break };
                let part = |at| f64::from(u16::from_be_bytes([control[at], control[at + 1]]));
                delays.push(part(20) / if part(22) > 0.0 { part(22) } else { 100.0 });
                used = 24;
            }
            b"IDAT" if promised.is_none() => break,
            b"IEND" => break,
            _ => {}
        }
        if file.seek_relative(i64::from(length) + 4 - used).is_err() {
            break;
        }
    }
    let count = promised.filter(|count| *count <= MOST).map_or(0, |promised| promised.max(delays.len()));
    delays.resize(count, 0.0);
    Ok(delays)
}

fn because(error: DecodingError) -> String {
    format!("cannot be decoded: {error}")
}

pub(super) fn open(file: BufReader<File>) -> Result<(Box<dyn Animation>, usize, usize), String> {
    let mut decoder = Decoder::new_with_limits(file, Limits { bytes: 8 * PIXEL_LIMIT });
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(because)?;
    let (height, width) = (reader.info().height as usize, reader.info().width as usize);
    check_size(height, width)?;
    let mut buffer = vec![0; reader.output_buffer_size().unwrap_or(0)];
    if reader.info().frame_control.is_none() {
        reader.next_frame(&mut buffer).map_err(because)?; // a picture for viewers that know no animations
    }
    Ok((Box::new(Apng { reader, buffer }), height, width))
}

impl Animation for Apng {
    fn draw(&mut self, canvas: &mut Canvas) -> Result<(), String> {
        let found = self.reader.next_frame(&mut self.buffer).map_err(because)?;
        let control = self.reader.info().frame_control.ok_or("cannot be decoded: a picture has no place")?;
        let samples = &self.buffer[..found.line_size * found.height as usize];
        let channels = found.color_type.samples();
        let pixels: Vec<u8> = samples.chunks_exact(channels).flat_map(rgba).collect();
        let then = match control.dispose_op {
            DisposeOp::None => Then::Stay,
            DisposeOp::Background => Then::Fill([0; 4]),
            DisposeOp::Previous => Then::Restore,
        };
        let (x, y) = (control.x_offset as usize, control.y_offset as usize);
        let area = Area { x, y, width: found.width as usize, height: found.height as usize };
        canvas.draw(area, &pixels, control.blend_op == BlendOp::Over, &then);
        Ok(())
    }
}

fn rgba(pixel: &[u8]) -> [u8; 4] {
    match *pixel {
        [grey] => [grey, grey, grey, 255],
        [grey, alpha] => [grey, grey, grey, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha, ..] => [red, green, blue, alpha],
        [] => [0; 4],
    }
}
