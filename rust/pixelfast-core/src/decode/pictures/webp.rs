//! Animated WebP: each picture is read as a WebP of its own.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use image::ImageDecoder;
use image::codecs::webp::WebPDecoder;

use super::canvas::{Area, Canvas, Then};
use super::{Animation, Delays, read_array};
use crate::decode::check_size;

/// Bytes of a picture's chunk before its pixels: place, size, delay and how it is drawn.
const HEAD: usize = 16;

struct Webp {
    file: BufReader<File>,
    /// Where each picture's chunk begins, and its bytes.
    places: std::vec::IntoIter<(u64, u32)>,
}

/// Size of the canvas, delays and places of an animation's pictures; of a file that is cut off the picture that is
/// not there counts, since nothing tells how many are missing.
struct Structure {
    height: usize,
    width: usize,
    delays: Vec<f64>,
    places: Vec<(u64, u32)>,
}

fn three(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) | usize::from(bytes[1]) << 8 | usize::from(bytes[2]) << 16
}

/// `None` where the file is no animation.
fn structure(file: &mut BufReader<File>) -> Option<Structure> {
    let length = file.seek(SeekFrom::End(0)).ok()?;
    file.seek(SeekFrom::Start(4)).ok()?;
    let end = u64::from(u32::from_le_bytes(read_array(file)?)) + 8;
    file.seek(SeekFrom::Start(20)).ok()?;
    let head = read_array::<10>(file)?;
    let mut found =
        Structure { height: three(&head[7..]) + 1, width: three(&head[4..]) + 1, delays: vec![], places: vec![] };
    file.seek(SeekFrom::Start(12)).ok()?;
    let mut at = 12;
    while at < end.min(length) {
        let Some([kind @ .., a, b, c, d]) = read_array::<8>(file) else { break };
        let size = u32::from_le_bytes([a, b, c, d]);
        if at == 12 && (&kind != b"VP8X" || head[0] & 2 == 0) {
            return None;
        }
        if &kind == b"ANMF" {
            let delay = read_array::<16>(file).map_or(0.0, |head| three(&head[12..]) as f64 / 1000.0);
            found.delays.push(delay);
            found.places.push((at + 8, size));
        }
        at += 8 + u64::from(size) + u64::from(size % 2);
        file.seek(SeekFrom::Start(at)).ok()?;
    }
    if at == length && end > length {
        found.delays.push(0.0);
    }
    Some(found)
}

pub(super) fn delays(file: &mut BufReader<File>) -> Delays {
    Ok(structure(file).map(|found| found.delays).unwrap_or_default())
}

pub(super) fn open(mut file: BufReader<File>) -> Result<(Box<dyn Animation>, usize, usize), String> {
    let found = structure(&mut file).ok_or("cannot be decoded: it is cut off or damaged")?;
    Ok((Box::new(Webp { file, places: found.places.into_iter() }), found.height, found.width))
}

impl Animation for Webp {
    fn draw(&mut self, canvas: &mut Canvas) -> Result<(), String> {
        let cut = || "is cut off: the picture is not there, or not whole".to_string();
        let (at, size) = self.places.next().ok_or_else(cut)?;
        let mut chunk = Vec::new();
        self.file.seek(SeekFrom::Start(at)).map_err(|_| cut())?;
        self.file.by_ref().take(size.into()).read_to_end(&mut chunk).map_err(|_| cut())?;
        if chunk.len() < (size as usize).max(HEAD + 8) {
            return Err(cut());
        }
        let (head, coded) = chunk.split_at(HEAD);
        let (width, height) = (three(&head[6..]) + 1, three(&head[9..]) + 1);
        check_size(height, width)?;
        let pixels = decode(coded, height, width)?;
        let area = Area { x: 2 * three(head), y: 2 * three(&head[3..]), width, height };
        let then = if head[15] & 1 == 0 { Then::Stay } else { Then::Fill([0; 4]) };
        canvas.draw(area, &pixels, head[15] & 2 == 0, &then);
        Ok(())
    }
}

/// The pixels, four bytes each, of the chunks of one picture.
fn decode(coded: &[u8], height: usize, width: usize) -> Result<Vec<u8>, String> {
    let mut alone = b"RIFF\0\0\0\0WEBP".to_vec();
    if coded.starts_with(b"ALPH") {
        let size = |pixels: usize| ((pixels - 1) as u32).to_le_bytes();
        alone.extend_from_slice(b"VP8X\x0a\0\0\0\x10\0\0\0");
        alone.extend([&size(width)[..3], &size(height)[..3]].concat());
    }
    alone.extend_from_slice(coded);
    let length = (alone.len() - 8) as u32;
    alone[4..8].copy_from_slice(&length.to_le_bytes());
    let because = |error: image::ImageError| format!("cannot be decoded: {error}");
    let decoder = WebPDecoder::new(Cursor::new(&alone)).map_err(because)?;
    let (found, alpha) = (decoder.dimensions(), decoder.color_type().has_alpha());
    if (found.0 as usize, found.1 as usize) != (width, height) {
        return Err("cannot be decoded: a picture has another size than its chunk says".into());
    }
    let mut pixels = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut pixels).map_err(because)?;
    if alpha {
        return Ok(pixels);
    }
    Ok(pixels.chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect())
}
