//! What a thread keeps between files, and how it uses that.

use std::cell::RefCell;
use std::mem;
use std::path::Path;

use super::orientation::Orientation;
use super::{Decoded, Reading, Target, decode_as_it_lies, file, jpeg, raster, resize};

/// A scratch buffer that grew beyond this for one large image is given back after it.
const KEPT_BYTES: usize = 32 << 20;

thread_local! {
    static WORKER: RefCell<Worker> = RefCell::default();
}

/// This thread's buffers. Nothing inside forks, so that no second task of the pool can come upon them in use.
pub(super) fn with_worker<T>(work: impl FnOnce(&mut Worker) -> T) -> T {
    WORKER.with_borrow_mut(|worker| {
        let result = work(worker);
        worker.scratch.shrink();
        result
    })
}

/// What a thread keeps between files: the bytes of the file, and room for its pixels.
#[derive(Default)]
pub(super) struct Worker {
    pub(super) file: Vec<u8>,
    pub(super) scratch: Scratch,
    /// Whether the last picture was turned.
    pub(super) turned: bool,
}

/// Buffers that decoding and resizing reuse.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) raw: Vec<u8>,
    pub(super) pixels: Vec<u8>,
    pub(super) lying: Vec<u8>,
    pub(super) sums: Vec<u16>,
    pub(super) resizer: resize::Resizer,
    #[cfg(feature = "plain-jpeg")]
    pub(super) luma: pixelfast_jpeg::Memory,
}

impl Scratch {
    fn shrink(&mut self) {
        for buffer in [&mut self.raw, &mut self.pixels, &mut self.lying] {
            if buffer.capacity() > KEPT_BYTES {
                *buffer = Vec::new();
            }
        }
        self.resizer.shrink(KEPT_BYTES);
    }
}

impl Worker {
    pub(super) fn decode(&mut self, path: &Path, target: Target, reading: Reading, out: &mut [u8]) -> Decoded {
        let kind = file::read(path, &mut self.file)?;
        self.decode_read(kind, target, reading, out)
    }

    /// Decodes the bytes that `file` holds.
    pub(super) fn decode_read(
        &mut self,
        kind: file::Kind,
        target: Target,
        reading: Reading,
        out: &mut [u8],
    ) -> Decoded {
        self.turned = false;
        let seen = self.orientation(kind, reading);
        if seen == Orientation::AS_IT_LIES {
            return decode_as_it_lies(kind, &self.file, target, reading.depth, &mut self.scratch, out);
        }
        self.turned = true;
        let (height, width) = seen.size((target.height, target.width));
        let mut lying = mem::take(&mut self.scratch.lying);
        let room = room(&mut lying, out.len())?;
        let done = decode_as_it_lies(
            kind,
            &self.file,
            Target { height, width, ..target },
            reading.depth,
            &mut self.scratch,
            room,
        );
        seen.turn(room, target.width, target.color.channels(), out);
        self.scratch.lying = lying;
        done
    }

    pub(super) fn size(&mut self, path: &Path, reading: Reading) -> std::result::Result<(usize, usize), String> {
        let kind = file::read(path, &mut self.file)?;
        self.size_read(kind, reading)
    }

    pub(super) fn size_read(
        &mut self,
        kind: file::Kind,
        reading: Reading,
    ) -> std::result::Result<(usize, usize), String> {
        let size = match kind {
            file::Kind::Jpeg => jpeg::size(&self.file),
            file::Kind::Raster(format) => raster::size(format, &self.file),
        };
        size.map(|size| self.orientation(kind, reading).size(size))
    }

    /// How the file is to be turned.
    fn orientation(&self, kind: file::Kind, reading: Reading) -> Orientation {
        if reading.orientation { Orientation::of(kind, &self.file) } else { Orientation::AS_IT_LIES }
    }
}

/// The first `bytes` of a buffer that grows where it must; `Err` where memory ends.
pub(super) fn room(buffer: &mut Vec<u8>, bytes: usize) -> std::result::Result<&mut [u8], String> {
    if buffer.len() < bytes {
        let missing = bytes - buffer.len();
        buffer.try_reserve_exact(missing).map_err(|_| format!("needs {bytes} bytes of memory, more than there are"))?;
        buffer.resize(bytes, 0);
    }
    Ok(&mut buffer[..bytes])
}
