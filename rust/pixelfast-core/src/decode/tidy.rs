//! A JPEG without the faults that cost no pixel: stray bytes between its segments or after coded pixels, and a missing
//! end.

use super::walk::Walk;

const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// What the scans of a file have brought so far: for each component and frequency, whether to the last bit.
#[derive(Default)]
struct Progress(Vec<(u8, [bool; 64])>);

/// The same JPEG with nothing between its segments and with an end; `None` where a scan or a block is missing, and for
/// arithmetic and lossless coding, whose own data do not tell whether they are all there.
pub(super) fn tidied(data: &[u8]) -> Option<Vec<u8>> {
    let mut tidied = data.get(..2)?.to_vec();
    let (mut rest, mut progress, mut walk) = (&data[2..], Progress::default(), Walk::default());
    while let Some(found) = marker(rest) {
        let &[_, kind, high, low, ..] = found else { break };
        if kind == END_OF_IMAGE {
            break;
        }
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let segment = found.get(..length)?;
        progress.follow(kind, segment.get(4..)?)?;
        walk.follow(kind, &segment[4..])?;
        tidied.extend_from_slice(segment);
        rest = &found[length..];
        if kind == START_OF_SCAN {
            rest = &rest[walk.scan(&segment[4..], rest, &mut tidied)?..];
        }
    }
    tidied.extend_from_slice(&[0xff, END_OF_IMAGE]);
    progress.is_complete().then_some(tidied)
}

/// What is left from the next marker on.
fn marker(data: &[u8]) -> Option<&[u8]> {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && ![0, 0xff].contains(&pair[1]);
    data.windows(2).position(is_marker).map(|at| &data[at..])
}

impl Progress {
    fn follow(&mut self, kind: u8, segment: &[u8]) -> Option<()> {
        match kind {
            0xc0..=0xc2 => self.0 = segment.get(6..)?.chunks_exact(3).map(|one| (one[0], [false; 64])).collect(),
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return None,
            START_OF_SCAN => {
                let (&count, scan) = segment.split_first()?;
                let (components, spectrum) = scan.split_at_checked(2 * usize::from(count))?;
                let &[first, last, bits] = spectrum else { return None };
                for component in components.chunks_exact(2) {
                    let (_, done) = self.0.iter_mut().find(|(id, _)| *id == component[0])?;
                    done.get_mut(first.into()..=last.into())?.fill(bits & 15 == 0);
                }
            }
            _ => {}
        }
        Some(())
    }

    fn is_complete(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(_, done)| done.iter().all(|done| *done))
    }
}
