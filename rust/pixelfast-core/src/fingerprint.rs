//! What a list of files is told by: names, sizes, and a hash of both ends of each.
//!
//! No times and no folders: a copy has the same fingerprint.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::{Cancel, Result};

/// Bytes read from each end of a file.
const END_BYTES: u64 = 64 << 10;

/// SHA-256 over the fingerprints of the files in order; a file that cannot be read counts as missing.
///
/// # Errors
/// [`crate::Error::Cancelled`].
pub fn fingerprint_files(paths: &[PathBuf], cancel: &Cancel) -> Result<[u8; 32]> {
    let files: Vec<[u8; 32]> =
        paths.par_iter().map(|path| cancel.check().map(|()| one_file(path))).collect::<Result<_>>()?;
    Ok(Sha256::digest(files.concat()).into())
}

/// Each part is preceded by its length, so that no two lists of parts run into the same bytes.
fn one_file(path: &Path) -> [u8; 32] {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let mut hash = Sha256::new();
    hash.update((name.len() as u64).to_le_bytes());
    hash.update(name);
    match ends(path) {
        Ok((size, ends)) => {
            hash.update([1]);
            hash.update(size.to_le_bytes());
            hash.update(ends);
        }
        Err(_) => hash.update([0]),
    }
    hash.finalize().into()
}

/// The size of the file, and its first and last 64 KiB; a shorter file whole.
fn ends(path: &Path) -> io::Result<(u64, Vec<u8>)> {
    if !path.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    if size <= 2 * END_BYTES {
        file.read_to_end(&mut bytes)?;
        return Ok((size, bytes));
    }
    Read::by_ref(&mut file).take(END_BYTES).read_to_end(&mut bytes)?;
    file.seek(SeekFrom::Start(size - END_BYTES))?;
    file.take(END_BYTES).read_to_end(&mut bytes)?;
    Ok((size, bytes))
}
