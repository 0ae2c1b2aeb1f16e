//! A file's bytes, and what kind of image they are.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use image::ImageFormat;

/// A file of more bytes than this is no image of at most 128 million pixels.
const FILE_LIMIT: u64 = 2 << 30;

/// How many bytes of a strange file a message shows.
const SHOWN_BYTES: usize = 8;

/// How a file is decoded. Told by its first bytes, not by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Raster(ImageFormat),
}

/// Replaces `into` by the bytes of the file, or by none where they cannot all be read. `Err` is the end of a sentence that starts with the file's name.
pub(super) fn read(path: &Path, into: &mut Vec<u8>) -> Result<Kind, String> {
    into.clear();
    // Asked before the file is opened: opening a pipe would wait for its other end.
    let about = fs::metadata(path).map_err(because)?;
    match about.len() {
        _ if about.is_dir() => return Err("is a folder, not an image".into()),
        _ if !about.is_file() => return Err("is no regular file".into()),
        bytes if bytes > FILE_LIMIT => return Err(format!("is too large for an image ({bytes} bytes)")),
        _ => {}
    }
    let length = File::open(path).and_then(|file| file.take(FILE_LIMIT).read_to_end(into));
    if length.is_err() {
        into.clear(); // half of a file must be taken for nothing else
    }
    match length.map_err(because)? {
        0 => Err("is empty (0 bytes)".into()),
        _ => kind(into),
    }
}

/// Whether the file may hold samples of more than 8 bits, by its first bytes alone: a TIFF, or a PNG that says so.
pub(super) fn may_be_deep(path: &Path) -> bool {
    let mut head = [0; 25];
    fs::metadata(path).is_ok_and(|about| about.is_file())
        && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && match kind(&head) {
            Ok(Kind::Raster(ImageFormat::Png)) => head[24] == 16,
            Ok(Kind::Raster(format)) => format == ImageFormat::Tiff,
            _ => false,
        }
}

/// Has the system fetch the file, so that it is in memory when it is wanted. Where that cannot be, nothing is lost.
#[cfg(target_os = "linux")]
pub(super) fn fetch(path: &Path) {
    use rustix::fs::{Advice, Mode, OFlags, fadvise, open};

    if !fs::metadata(path).is_ok_and(|about| about.is_file()) {
        return; // opening a pipe would wake its other end
    }
    // Not blocking, should it have become a pipe meanwhile.
    if let Ok(file) = open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        let _ = fadvise(&file, 0, None, Advice::WillNeed);
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn fetch(_: &Path) {}

/// A system error as the end of a sentence.
pub(super) fn because(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".into(),
        io::ErrorKind::PermissionDenied => "may not be read: permission denied".into(),
        _ => format!("cannot be read: {error}"),
    }
}

/// What kind of image the bytes are; `Err` is the end of a sentence that starts with the file's name.
pub(super) fn kind(bytes: &[u8]) -> Result<Kind, String> {
    match bytes {
        [0xff, 0xd8, ..] => Ok(Kind::Jpeg),
        [0x89, b'P', b'N', b'G', ..] => Ok(Kind::Raster(ImageFormat::Png)),
        [b'B', b'M', ..] => Ok(Kind::Raster(ImageFormat::Bmp)),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Ok(Kind::Raster(ImageFormat::Tiff)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Kind::Raster(ImageFormat::WebP)),
        _ => Err(format!("is not an image that pixelfast reads (its first bytes are {})", shown(bytes))),
    }
}

/// The first bytes as text in quotes where they are text, else as hexadecimal numbers.
fn shown(bytes: &[u8]) -> String {
    let first = &bytes[..bytes.len().min(SHOWN_BYTES)];
    if first.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return format!("{:?}", String::from_utf8_lossy(first));
    }
    first.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
