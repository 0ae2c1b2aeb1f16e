//! Writing a JPEG by libjpeg-turbo's raw calls.
//!
//! The bindings of `turbojpeg` take a file's length for a C `unsigned long`, which on 64-bit Windows is half of the
//! library's `size_t`: where the library writes a length, it would write beyond it. Here it is what the header says.

use std::ffi::{c_int, c_void};
use std::{ptr, slice};

use turbojpeg::{Colorspace, PixelFormat, Subsamp, TransformOp, raw};

use super::Handle;

unsafe extern "C" {
    fn tj3Transform(
        handle: *mut c_void,
        jpeg: *const u8,
        jpeg_bytes: usize,
        count: c_int,
        written: *mut *mut u8,
        written_bytes: *mut usize,
        transforms: *const raw::tjtransform,
    ) -> c_int;
    fn tj3Compress8(
        handle: *mut c_void,
        pixels: *const u8,
        width: c_int,
        pitch: c_int,
        height: c_int,
        format: c_int,
        written: *mut *mut u8,
        written_bytes: *mut usize,
    ) -> c_int;
}

/// How pixels are coded.
pub(crate) struct Coding {
    pub quality: usize,
    pub colorspace: Colorspace,
    pub subsampling: Subsamp,
}

/// The JPEG in `data` turned without loss; `Err` where its size does not allow it, or where it is damaged.
pub(crate) fn transformed(data: &[u8], turn: TransformOp) -> Result<Vec<u8>, String> {
    let handle = Handle::new(raw::TJINIT_TJINIT_TRANSFORM)?;
    let how = raw::tjtransform {
        r: raw::tjregion { x: 0, y: 0, w: 0, h: 0 },
        op: turn as c_int,
        options: raw::TJXOPT_PERFECT as c_int,
        data: ptr::null_mut(),
        customFilter: None,
    };
    let mut file = Written::nothing();
    // SAFETY: the handle is live; pointer and length are those of `data`, which the call only reads; one transform is
    // announced and given; the library allocates the file and says where it lies and how long it is.
    let code = unsafe {
        tj3Transform(handle.0.as_ptr(), data.as_ptr(), data.len(), 1, &raw mut file.data, &raw mut file.bytes, &how)
    };
    file.whole(&handle, code)
}

/// The rows of `pixels`, which have no gaps, as a JPEG.
pub(crate) fn compressed(
    pixels: &[u8],
    (height, width): (usize, usize),
    format: PixelFormat,
    coding: &Coding,
) -> Result<Vec<u8>, String> {
    let pitch = width.checked_mul(format.size());
    if pitch.and_then(|pitch| pitch.checked_mul(height)) != Some(pixels.len()) {
        return Err(format!("{} bytes are not {width}x{height} pixels", pixels.len()));
    }
    let whole = |size: usize| c_int::try_from(size).map_err(|_| format!("{width}x{height} pixels are too many"));
    let (wide, high, pitch) = (whole(width)?, whole(height)?, whole(pitch.unwrap_or(usize::MAX))?);
    let handle = Handle::new(raw::TJINIT_TJINIT_COMPRESS)?;
    handle.set(raw::TJPARAM_TJPARAM_QUALITY, coding.quality)?;
    handle.set(raw::TJPARAM_TJPARAM_COLORSPACE, coding.colorspace as usize)?;
    handle.set(raw::TJPARAM_TJPARAM_SUBSAMP, coding.subsampling as usize)?;
    let mut file = Written::nothing();
    let (data, bytes) = (&raw mut file.data, &raw mut file.bytes);
    // SAFETY: the handle is live; `pixels` holds `high` rows of `pitch` bytes each, as was seen to above, which the call
    // only reads; the library allocates the file and says where it lies and how long it is.
    let code =
        unsafe { tj3Compress8(handle.0.as_ptr(), pixels.as_ptr(), wide, pitch, high, format as c_int, data, bytes) };
    file.whole(&handle, code)
}

/// A file that the library allocated, freed when it is dropped.
struct Written {
    data: *mut u8,
    bytes: usize,
}

impl Written {
    fn nothing() -> Self {
        Self { data: ptr::null_mut(), bytes: 0 }
    }

    /// A copy of it, where the call that wrote it ended without so much as a warning.
    fn whole(&self, handle: &Handle, code: c_int) -> Result<Vec<u8>, String> {
        if code != 0 {
            return Err(handle.outcome(code)?.unwrap_or_else(|| super::HARMLESS.into()));
        }
        if self.data.is_null() {
            return Err("libjpeg-turbo wrote nothing".into());
        }
        // SAFETY: the call ended well, so that as many bytes as it said lie there, until this is dropped.
        Ok(unsafe { slice::from_raw_parts(self.data, self.bytes) }.to_vec())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // SAFETY: null, or what the library allocated and nobody else frees.
        unsafe { raw::tj3Free(self.data.cast()) }
    }
}

#[cfg(all(test, target_pointer_width = "64", not(windows)))]
mod tests {
    use super::*;
    use turbojpeg::{Compressor, Image, Transform, Transformer};

    const SIZE: (usize, usize) = (48, 64);

    fn waves(format: PixelFormat) -> Vec<u8> {
        let wave = |index: usize| (128.0 + 90.0 * (index as f64 / 37.0).sin()) as u8;
        (0..SIZE.0 * SIZE.1 * format.size()).map(wave).collect()
    }

    fn coded(format: PixelFormat, colorspace: Colorspace, subsampling: Subsamp) -> Vec<u8> {
        compressed(&waves(format), SIZE, format, &Coding { quality: 90, colorspace, subsampling }).unwrap()
    }

    /// Where `unsigned long` is as long as `size_t`, the crate's own calls are the measure.
    #[test]
    fn the_same_bytes_are_written_as_by_the_safe_crate() {
        for (format, colorspace, subsampling) in [
            (PixelFormat::RGB, Colorspace::YCbCr, Subsamp::Sub2x2),
            (PixelFormat::RGB, Colorspace::RGB, Subsamp::None),
            (PixelFormat::GRAY, Colorspace::Gray, Subsamp::Gray),
            (PixelFormat::CMYK, Colorspace::YCCK, Subsamp::Sub1x2),
        ] {
            let pixels = waves(format);
            let (height, width) = SIZE;
            let image = Image { pixels: &pixels[..], width, pitch: width * format.size(), height, format };
            let mut theirs = Compressor::new().unwrap();
            theirs.set_quality(90).unwrap();
            theirs.set_colorspace(colorspace).unwrap();
            theirs.set_subsamp(subsampling).unwrap();
            assert_eq!(coded(format, colorspace, subsampling), theirs.compress_to_vec(image).unwrap());
        }
    }

    #[test]
    fn the_same_turn_is_made_as_by_the_safe_crate() {
        let data = coded(PixelFormat::RGB, Colorspace::YCbCr, Subsamp::Sub2x2);
        for turn in [TransformOp::Hflip, TransformOp::Rot180, TransformOp::Transpose, TransformOp::Rot270] {
            let mut theirs = Transform::op(turn);
            theirs.perfect = true;
            assert_eq!(
                transformed(&data, turn),
                Ok(Transformer::new().unwrap().transform_to_vec(&theirs, &data).unwrap())
            );
        }
    }

    #[test]
    fn what_is_cut_off_or_no_jpeg_is_refused() {
        let data = coded(PixelFormat::RGB, Colorspace::YCbCr, Subsamp::Sub2x2);
        for damaged in [&data[..data.len() / 2], b"", b"\xff\xd8\xff"] {
            assert!(transformed(damaged, TransformOp::Rot180).is_err());
        }
    }

    #[test]
    fn pixels_that_are_too_few_are_refused() {
        let coding = Coding { quality: 90, colorspace: Colorspace::Gray, subsampling: Subsamp::Gray };
        assert!(compressed(&[0; 63], (8, 8), PixelFormat::GRAY, &coding).is_err());
        assert!(compressed(&[], (usize::MAX, 2), PixelFormat::GRAY, &coding).is_err());
    }
}
