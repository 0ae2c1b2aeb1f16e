//! What a list of files is told by: the name, the size and every byte of each.
//!
//! No times and no folders: a copy has the same fingerprint.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::{Cancel, Result};

/// SHA-256 of one file's name, size and bytes, or of its name alone where it cannot be read.
pub type Digest = [u8; 32];

/// Bytes of a file that are held at a time.
const PIECE_BYTES: usize = 256 << 10;

/// SHA-256 over the fingerprints of the files in order; a file that cannot be read counts as missing.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn fingerprint_files(paths: &[PathBuf], cancel: &Cancel) -> Result<Digest> {
    let files: Vec<Digest> =
        paths.par_iter().map(|path| cancel.check().map(|()| one_file(path))).collect::<Result<_>>()?;
    Ok(of_digests(&files))
}

/// The fingerprint of files whose digests are known.
#[must_use]
pub fn of_digests(files: &[Digest]) -> Digest {
    Sha256::digest(files.as_flattened()).into()
}

/// The digest of a file whose bytes are in memory; without any it is looked at, as it may be empty, or not readable.
pub(crate) fn of_bytes(path: &Path, bytes: &[u8]) -> Digest {
    if bytes.is_empty() {
        return one_file(path);
    }
    begin(named(path), bytes.len() as u64).chain_update(bytes).finalize().into()
}

fn one_file(path: &Path) -> Digest {
    let name = named(path);
    content(path, name.clone()).unwrap_or_else(|_| name.chain_update([0])).finalize().into()
}

/// Each part is preceded by its length, so that no two lists of parts run into the same bytes.
fn named(path: &Path) -> Sha256 {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    Sha256::new().chain_update((name.len() as u64).to_le_bytes()).chain_update(name)
}

/// The hash of a file that can be read, before its bytes.
fn begin(name: Sha256, bytes: u64) -> Sha256 {
    name.chain_update([1]).chain_update(bytes.to_le_bytes())
}

/// The hash after the file's size and bytes.
fn content(path: &Path, name: Sha256) -> io::Result<Sha256> {
    let about = path.metadata()?;
    if !about.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = File::open(path)?;
    let mut hash = begin(name, about.len());
    let mut piece = vec![0; PIECE_BYTES.min(usize::try_from(about.len()).unwrap_or(PIECE_BYTES) + 1)];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(hash),
            Ok(bytes) => hash.update(&piece[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
