//! A JPEG turned upside down, without loss where its height allows it.

use turbojpeg::{
    Colorspace, Compressor, Decompressor, Image, PixelFormat, Subsamp, Transform, TransformOp, Transformer,
};

use super::check_size;
use crate::{Error, Result};

/// Turns the JPEG in `data` upside down: the new file, and whether nothing was lost.
///
/// The lossless turn moves the coded blocks and keeps every marker. It needs a height of whole blocks; other files are
/// decoded, turned and coded again at `quality` with their own subsampling and grey staying grey.
///
/// # Errors
/// [`Error::Value`] if `data` is no JPEG that can be decoded whole, or `quality` is not from 1 to 100.
pub fn flip_jpeg(data: &[u8], quality: i32) -> Result<(Vec<u8>, bool)> {
    if !(1..=100).contains(&quality) {
        return Err(Error::Value(format!("quality must be from 1 to 100, not {quality}")));
    }
    let header = turbojpeg::read_header(data).map_err(|error| refusal(&error))?;
    check_size(header.height, header.width).map_err(|reason| Error::Value(format!("the JPEG {reason}")))?;
    match transform(data) {
        Ok(flipped) => Ok((flipped, true)),
        Err(_) => recode(data, quality).map(|flipped| (flipped, false)).map_err(|error| refusal(&error)),
    }
}

fn refusal(error: &turbojpeg::Error) -> Error {
    Error::Value(format!("data is not a JPEG that can be turned: {error}"))
}

fn transform(data: &[u8]) -> turbojpeg::Result<Vec<u8>> {
    let mut flip = Transform::op(TransformOp::Vflip);
    flip.perfect = true;
    Transformer::new()?.transform_to_vec(&flip, data)
}

fn recode(data: &[u8], quality: i32) -> turbojpeg::Result<Vec<u8>> {
    let mut decompressor = Decompressor::new()?;
    let header = decompressor.read_header(data)?;
    let format = match header.colorspace {
        Colorspace::Gray => PixelFormat::GRAY,
        Colorspace::CMYK | Colorspace::YCCK => PixelFormat::CMYK,
        _ => PixelFormat::RGB,
    };
    let pitch = header.width * format.size();
    let mut pixels = vec![0; pitch * header.height];
    let image = Image { pixels: &mut pixels[..], width: header.width, pitch, height: header.height, format };
    decompressor.decompress(data, image)?;
    let flipped: Vec<u8> = pixels.chunks_exact(pitch).rev().flatten().copied().collect();
    let mut compressor = Compressor::new()?;
    compressor.set_quality(quality)?;
    compressor.set_colorspace(header.colorspace)?;
    compressor.set_subsamp(kept_subsampling(header.subsamp))?;
    compressor.compress_to_vec(Image { pixels: &flipped[..], width: header.width, pitch, height: header.height, format })
}

/// The file's own, or none where it has one that cannot be written: then no color is lost.
fn kept_subsampling(subsampling: Subsamp) -> Subsamp {
    if subsampling == Subsamp::Unknown { Subsamp::None } else { subsampling }
}
