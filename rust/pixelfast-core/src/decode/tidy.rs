//! A JPEG without the faults that cost no pixel: stray bytes between its segments, and a missing end.

const END_OF_IMAGE: u8 = 0xd9;
const START_OF_SCAN: u8 = 0xda;

/// What the scans of a file have brought so far: for each component and frequency, whether to the last bit.
#[derive(Default)]
struct Progress(Vec<(u8, [bool; 64])>);

/// The same JPEG with nothing between its segments and with an end; `None` where a scan is missing, and for arithmetic
/// and lossless coding, whose own data do not tell whether they are all there.
pub(super) fn tidied(data: &[u8]) -> Option<Vec<u8>> {
    let mut tidied = data.get(..2)?.to_vec();
    let (mut rest, mut progress) = (&data[2..], Progress::default());
    while let Some(found) = marker(rest) {
        let &[_, kind, high, low, ..] = found else { break };
        if kind == END_OF_IMAGE {
            break;
        }
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let segment = found.get(..length)?;
        progress.follow(kind, segment.get(4..)?)?;
        let coded = if kind == START_OF_SCAN { coded(&found[length..]) } else { 0 };
        tidied.extend_from_slice(&found[..length + coded]);
        rest = &found[length + coded..];
    }
    tidied.extend_from_slice(&[0xff, END_OF_IMAGE]);
    progress.is_complete().then_some(tidied)
}

/// What is left from the next marker on.
fn marker(data: &[u8]) -> Option<&[u8]> {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && ![0, 0xff].contains(&pair[1]);
    data.windows(2).position(is_marker).map(|at| &data[at..])
}

/// How many bytes of coded pixels there are before the next marker that is no restart.
fn coded(data: &[u8]) -> usize {
    let ends = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff);
    let whole = data.len() - usize::from(data.last() == Some(&0xff));
    data.windows(2).position(ends).unwrap_or(whole)
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
