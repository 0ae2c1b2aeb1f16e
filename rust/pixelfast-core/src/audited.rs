//! The only unsafe code of the core: decoding a JPEG by libjpeg-turbo's raw call, and writing one (`write`).
//!
//! The safe crate reports a truncated file as an error although the pixels are there; the raw call tells a warning
//! (decoded, some pixels guessed) from a failure. A [`Jpeg`] ties a fresh handle to the bytes that it reads: a handle
//! that was used before remembers tables (and, after a failure, half a header), and a frame would then depend on the
//! frame that its thread decoded before.
#![allow(unsafe_code)]

pub(crate) mod write;

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use turbojpeg::raw;

/// What the library writes for a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pixels {
    Grey,
    Rgb,
    Cmyk,
}

impl Pixels {
    pub(crate) fn channels(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }

    fn raw(self) -> c_int {
        match self {
            Self::Grey => raw::TJPF_TJPF_GRAY,
            Self::Rgb => raw::TJPF_TJPF_RGB,
            Self::Cmyk => raw::TJPF_TJPF_CMYK,
        }
    }
}

/// What the library says of a file whose JFIF version it does not know.
const HARMLESS: &str = "unknown JFIF revision";

/// What a header says; `warning` is the library's, where it had to guess already.
pub(crate) struct Header {
    pub height: usize,
    pub width: usize,
    pub cmyk: bool,
    pub lossless: bool,
    pub warning: Option<String>,
}

impl Header {
    /// Height and width at `eighths`/8, as the library rounds them.
    pub(crate) fn scaled(&self, eighths: usize) -> (usize, usize) {
        ((self.height * eighths).div_ceil(8), (self.width * eighths).div_ceil(8))
    }
}

/// A JPEG whose header was read.
pub(crate) struct Jpeg<'a> {
    handle: Handle,
    data: &'a [u8],
    header: Header,
}

impl<'a> Jpeg<'a> {
    /// Reads the header of `data`. `Err` is the library's reason.
    pub(crate) fn open(data: &'a [u8]) -> Result<Self, String> {
        let handle = Handle::new(raw::TJINIT_TJINIT_DECOMPRESS)?;
        // SAFETY: the handle is live; pointer and length are those of `data`, which the call only reads.
        let code = unsafe { raw::tj3DecompressHeader(handle.0.as_ptr(), data.as_ptr(), data.len() as raw::size_t) };
        let warning = handle.outcome(code)?;
        let size = |parameter| usize::try_from(handle.get(parameter)).ok().filter(|&size| size > 0);
        let (height, width) = (size(raw::TJPARAM_TJPARAM_JPEGHEIGHT), size(raw::TJPARAM_TJPARAM_JPEGWIDTH));
        let (Some(height), Some(width)) = (height, width) else {
            return Err(warning.unwrap_or_else(|| "it holds tables, but no image".into()));
        };
        let colorspace = handle.get(raw::TJPARAM_TJPARAM_COLORSPACE);
        let cmyk = colorspace == raw::TJCS_TJCS_CMYK as c_int || colorspace == raw::TJCS_TJCS_YCCK as c_int;
        let lossless = handle.get(raw::TJPARAM_TJPARAM_LOSSLESS) == 1;
        Ok(Self { handle, data, header: Header { height, width, cmyk, lossless, warning } })
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The same file with a fresh handle, as after a failure a handle is in the middle of something.
    pub(crate) fn again(&self) -> Result<Self, String> {
        Self::open(self.data)
    }

    /// Decodes at `eighths`/8 of the size into `into`. `Ok(Some(warning))` if some pixels had to be guessed.
    pub(crate) fn decode(
        &self,
        eighths: usize,
        pixels: Pixels,
        scan_limit: usize,
        into: &mut [u8],
    ) -> Result<Option<String>, String> {
        let (height, width) = self.header.scaled(eighths);
        let needed = height.checked_mul(width).and_then(|count| count.checked_mul(pixels.channels()));
        if needed.is_none_or(|needed| into.len() < needed) {
            return Err(format!("a buffer of {} bytes is too small for {width}x{height} pixels", into.len()));
        }
        self.handle.set_scale(eighths)?;
        self.handle.set(raw::TJPARAM_TJPARAM_SCANLIMIT, scan_limit)?;
        let (data, length) = (self.data.as_ptr(), self.data.len() as raw::size_t);
        // SAFETY: the handle is live and `data` is the slice that its header was read from, so the library finds the
        // same size again and, at this scale and a pitch of 0 (no gaps), writes `needed` bytes, which `into` holds.
        let code =
            unsafe { raw::tj3Decompress8(self.handle.0.as_ptr(), data, length, into.as_mut_ptr(), 0, pixels.raw()) };
        self.handle.outcome(code)
    }
}

/// A decompressor of libjpeg-turbo, or what else its kind says, destroyed when it is dropped. Not `Sync`: its calls change it.
struct Handle(NonNull<c_void>);

impl Handle {
    fn new(kind: raw::TJINIT) -> Result<Self, String> {
        // SAFETY: no pointer goes in; a null result is refused.
        let handle = unsafe { raw::tj3Init(kind as c_int) };
        NonNull::new(handle).map(Self).ok_or_else(|| "libjpeg-turbo cannot start".into())
    }

    fn get(&self, parameter: raw::TJPARAM) -> c_int {
        // SAFETY: the handle is live until it is dropped.
        unsafe { raw::tj3Get(self.0.as_ptr(), parameter as c_int) }
    }

    fn set(&self, parameter: raw::TJPARAM, value: usize) -> Result<(), String> {
        let value = c_int::try_from(value).unwrap_or(c_int::MAX);
        // SAFETY: the handle is live until it is dropped.
        let code = unsafe { raw::tj3Set(self.0.as_ptr(), parameter as c_int, value) };
        self.outcome(code).map(drop)
    }

    fn set_scale(&self, eighths: usize) -> Result<(), String> {
        let divisor = [8, 4, 2, 1].into_iter().find(|&divisor| eighths.is_multiple_of(divisor)).unwrap_or(1);
        let factor = raw::tjscalingfactor { num: (eighths / divisor) as c_int, denom: (8 / divisor) as c_int };
        // SAFETY: the handle is live until it is dropped; the factor is passed by value and checked by the library.
        let code = unsafe { raw::tj3SetScalingFactor(self.0.as_ptr(), factor) };
        self.outcome(code).map(drop)
    }

    /// Success, a warning (`Ok(Some(text))`) or a failure, from a call's return value.
    fn outcome(&self, code: c_int) -> Result<Option<String>, String> {
        if code == 0 {
            return Ok(None);
        }
        // SAFETY: the handle is live; the string is the handle's own or this thread's, ends in a zero byte and is
        // copied before the next call.
        let text = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.0.as_ptr())) }.to_string_lossy().into_owned();
        // SAFETY: the handle is live.
        let kind = unsafe { raw::tj3GetErrorCode(self.0.as_ptr()) };
        if kind != raw::TJERR_TJERR_WARNING as c_int {
            return Err(text);
        }
        // A strange version number in the header; every pixel is there. Later warnings would have taken its place.
        Ok(Some(text).filter(|text| !text.contains(HARMLESS)))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle came from tj3Init, and nothing uses it after this.
        unsafe { raw::tj3Destroy(self.0.as_ptr()) }
    }
}
