//! The rows of a PNG that is cut off or damaged, as far as they go.

use std::io::{Cursor, ErrorKind};

use png::{Decoder, DecodingError, InterlaceInfo, Limits, Transformations, splat_interlaced_row};

/// The first column and row of each of Adam7's passes, and its steps.
const PASSES: [(usize, usize, usize, usize); 7] =
    [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

/// Writes the rows that are there to `into`, 16 bits with the upper byte first; pixels of an interlaced picture that
/// did not come take those of the coarser pass. Whether all are there and nothing is wrong but the missing end.
pub(super) fn fill(data: &[u8], into: &mut [u8], limit: usize) -> bool {
    let mut decoder = Decoder::new_with_limits(Cursor::new(data), Limits { bytes: limit });
    decoder.set_transformations(Transformations::EXPAND);
    let Ok(mut reader) = decoder.read_info() else { return false };
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let expected = if reader.info().interlaced { interlaced_rows(width, height) } else { height };
    let stride = into.len() / height;
    let mut rows = 0;
    loop {
        match reader.next_interlaced_row() {
            Ok(Some(row)) => {
                match row.interlace() {
                    InterlaceInfo::Null(_) => into[rows * stride..][..stride].copy_from_slice(row.data()),
                    InterlaceInfo::Adam7(pass) => {
                        splat_interlaced_row(into, stride, row.data(), pass, (8 * stride / width) as u8);
                    }
                }
                rows += 1;
            }
            Ok(None) => return rows == expected,
            Err(DecodingError::IoError(error)) => {
                return rows == expected && error.kind() == ErrorKind::UnexpectedEof;
            }
            Err(_) => return false,
        }
    }
}

fn interlaced_rows(width: usize, height: usize) -> usize {
    let passes = PASSES.iter().filter(|(x, ..)| *x < width);
    passes.map(|(_, y, _, down)| height.saturating_sub(*y).div_ceil(*down)).sum()
}
