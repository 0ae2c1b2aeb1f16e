//! Files of several pictures: TIFF stacks, and animations as PNG, GIF and WebP; read forward.
//!
//! A page of a stack goes the way of a file of its own. An animation's pictures are drawn on each other as a viewer
//! does; their alpha is dropped, as that of single pictures is.

mod apng;
mod canvas;
mod gif;
mod pages;
mod webp;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rayon::prelude::*;

use self::canvas::Canvas;
use self::pages::Pages;
use super::resize::Source;
use super::samples::{self, Layout};
use super::{Finding, Reading, Scratch, Status, Target, check_size, file, room, with_worker};
use crate::{Cancel, Error, Result};

/// What an animation's container says: how long each picture is shown, in seconds, those that are missing too.
type Delays = std::result::Result<Vec<f64>, String>;

/// The decoder of an animation, which draws one picture after the other.
trait Animation: Send {
    fn draw(&mut self, canvas: &mut Canvas) -> std::result::Result<(), String>;
}

enum Kind {
    Pages(Pages),
    Animation { animation: Mutex<Box<dyn Animation>>, canvas: Canvas, failed: Option<String> },
}

/// The pictures of one file, in order.
pub struct Pictures {
    path: PathBuf,
    kind: Kind,
    next: usize,
    length: usize,
    /// When each picture is first shown, in seconds; `None` where the file says nothing of it.
    pub seconds: Option<Vec<f64>>,
}

/// Why pictures could not be read in full: their positions, and clauses that follow the file's name.
pub type Reasons = Vec<(usize, String)>;

/// How many pictures each file holds, by its structure alone: 0 where it cannot be read, 1 for other kinds of files.
///
/// # Errors
/// [`Error::Cancelled`].
pub fn count_pictures(paths: &[PathBuf], cancel: &Cancel) -> Result<Vec<usize>> {
    paths.par_iter().map(|path| cancel.check().map(|()| count(path).unwrap_or(0))).collect()
}

fn count(path: &Path) -> std::result::Result<usize, String> {
    let (mut file, start) = open(path)?;
    match &start[..] {
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Ok(Pages::open(&mut file)?.length()),
        _ => Ok(delays(&mut file, &start)?.map_or(1, |delays| delays.len())),
    }
}

fn open(path: &Path) -> std::result::Result<(BufReader<File>, [u8; 12]), String> {
    if !path.metadata().map_err(file::because)?.is_file() {
        return Err("is no regular file".into()); // opening a pipe would wait for its other end
    }
    let (mut start, mut file) = ([0; 12], BufReader::new(File::open(path).map_err(file::because)?));
    file.by_ref().take(12).read(&mut start).map_err(file::because)?;
    rewind(&mut file)?;
    Ok((file, start))
}

fn rewind(file: &mut BufReader<File>) -> std::result::Result<(), String> {
    file.seek(SeekFrom::Start(0)).map(drop).map_err(file::because)
}

/// The delays of an animation's pictures; `None` where it is none.
fn delays(file: &mut BufReader<File>, start: &[u8; 12]) -> std::result::Result<Option<Vec<f64>>, String> {
    let delays = match start {
        [0x89, b'P', b'N', b'G', ..] => apng::delays(file)?,
        [b'G', b'I', b'F', b'8', ..] => gif::delays(file)?,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => webp::delays(file)?,
        _ => return Ok(None),
    };
    Ok(Some(delays).filter(|delays| !delays.is_empty()))
}

impl Pictures {
    /// Opens a file of one picture or more.
    ///
    /// # Errors
    /// [`Error::Decode`] if it cannot be read, or is of a kind that holds one picture only.
    pub fn open(path: &Path) -> Result<Self> {
        Self::find(path).map_err(|reason| Error::Decode { path: path.display().to_string(), reason })
    }

    fn find(path: &Path) -> std::result::Result<Self, String> {
        let (mut file, start) = open(path)?;
        let (kind, length, seconds) = match &start {
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
                let pages = Pages::open(&mut file)?;
                let length = pages.length();
                (Kind::Pages(pages), length, None)
            }
            _ => {
                let delays =
                    delays(&mut file, &start)?.ok_or("holds a single picture, or is of a kind not read here")?;
                rewind(&mut file)?;
                let (animation, height, width): (Box<dyn Animation>, _, _) = match start[0] {
                    b'G' => gif::open(file)?,
                    b'R' => webp::open(file)?,
                    _ => apng::open(file)?,
                };
                check_size(height, width)?;
                let kind = Kind::Animation {
                    animation: Mutex::new(animation),
                    canvas: Canvas::new(height, width),
                    failed: None,
                };
                (kind, delays.len(), starts(&delays))
            }
        };
        Ok(Self { path: path.into(), kind, next: 0, length, seconds })
    }

    /// The number of pictures, those that are missing of a file that is cut off among them.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Height and width of each picture; `None` where a page cannot be read. All of an animation are of one size.
    #[must_use]
    pub fn sizes(&self, reading: Reading) -> Vec<Option<(usize, usize)>> {
        match &self.kind {
            Kind::Animation { canvas, .. } => vec![Some((canvas.height, canvas.width)); self.length],
            Kind::Pages(pages) => {
                (0..self.length).map(|page| page_size(pages, &self.path, page, reading).ok()).collect()
            }
        }
    }

    /// Decodes the next pictures into `out` and `status`, as many as `status` has; see [`super::decode_frames`].
    ///
    /// # Errors
    /// [`Error::Value`] if there are fewer, or `out` is not of their size; [`Error::Cancelled`].
    pub fn read(
        &mut self,
        target: Target,
        reading: Reading,
        out: &mut [u8],
        status: &mut [u8],
        cancel: &Cancel,
    ) -> Result<Reasons> {
        let (first, frame) = (self.next, target.bytes().filter(|&bytes| bytes > 0).unwrap_or(usize::MAX));
        if status.len().checked_mul(frame) != Some(out.len()) || status.len() > self.length - first {
            return Err(Error::Value(format!("{} pictures are not left, or do not fit {}", status.len(), out.len())));
        }
        self.next += status.len();
        let path = &self.path;
        match &mut self.kind {
            Kind::Pages(pages) => {
                let places = out.par_chunks_exact_mut(frame).zip(status).enumerate();
                let done = places.with_max_len(1).map(|(index, (pixels, status))| {
                    cancel.check()?;
                    let decoded = with_worker(|worker| {
                        worker.file = pages.page(path, first + index, true)?;
                        worker.decode_read(file::kind(&worker.file)?, target, reading, pixels)
                    });
                    Ok(judge(decoded, pixels, status).map(|reason| (first + index, reason)))
                });
                Ok(done.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
            }
            Kind::Animation { animation, canvas, failed } => {
                let mut reasons = Reasons::new();
                let animation = animation.get_mut().map_err(|_| Error::Value("an earlier call failed".into()))?;
                for (index, (pixels, status)) in out.chunks_exact_mut(frame).zip(status).enumerate() {
                    cancel.check()?;
                    if failed.is_none() {
                        *failed = super::raster::guarded(|| animation.draw(canvas)).err();
                    }
                    let decoded = match failed {
                        Some(reason) => Err(reason.clone()),
                        None => with_worker(|worker| convert(canvas, target, &mut worker.scratch, pixels)),
                    };
                    reasons.extend(judge(decoded, pixels, status).map(|reason| (first + index, reason)));
                }
                Ok(reasons)
            }
        }
    }
}

fn page_size(pages: &Pages, path: &Path, page: usize, reading: Reading) -> std::result::Result<(usize, usize), String> {
    with_worker(|worker| {
        worker.file = pages.page(path, page, false)?;
        worker.size_read(file::kind(&worker.file)?, reading)
    })
}

/// Writes a picture's status; returns why it is not readable in full.
fn judge(decoded: super::Decoded, pixels: &mut [u8], status: &mut u8) -> Option<String> {
    let (found, reason) = match decoded {
        Ok(Finding::Whole | Finding::Harmless) => (Status::Read, None),
        Ok(Finding::Damaged(reason)) => (Status::Truncated, Some(reason)),
        Err(reason) => {
            pixels.fill(0);
            (Status::Unreadable, Some(reason))
        }
    };
    *status = found as u8;
    reason
}

fn convert(canvas: &Canvas, target: Target, scratch: &mut Scratch, out: &mut [u8]) -> super::Decoded {
    let layout = Layout { channels: 4, stride: 1, upper: 0 };
    if (canvas.height, canvas.width) == (target.height, target.width) {
        samples::convert(&canvas.pixels, layout, None, target.color, out);
        return Ok(Finding::Whole);
    }
    let pixels = room(&mut scratch.pixels, canvas.height * canvas.width * target.color.channels())?;
    samples::convert(&canvas.pixels, layout, None, target.color, pixels);
    scratch.resizer.resize(&Source::whole(pixels, canvas.height, canvas.width), target, out)?;
    Ok(Finding::Whole)
}

/// When each picture is first shown; `None` where no delay is told.
fn starts(delays: &[f64]) -> Option<Vec<f64>> {
    let mut clock = 0.0;
    let starts = delays.iter().map(|delay| {
        let start = clock;
        clock += delay;
        start
    });
    let starts: Vec<f64> = starts.collect();
    (clock > 0.0).then_some(starts)
}

fn read_array<const N: usize>(file: &mut impl Read) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).ok().map(|()| bytes)
}
