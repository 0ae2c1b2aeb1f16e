//! What a list of files is told by: the name, the size and every byte of each.
//!
//! No times and no folders: a copy has the same fingerprint.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::{Cancel, Result};

/// Bytes of a file that are held at a time.
const PIECE_BYTES: usize = 256 << 10;

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
    match content(path, hash.clone()) {
        Ok(whole) => hash = whole,
        Err(_) => hash.update([0]),
    }
    hash.finalize().into()
}

/// The hash after the file's size and bytes; a file that cannot be read to its end leaves it as it was.
fn content(path: &Path, mut hash: Sha256) -> io::Result<Sha256> {
    let about = path.metadata()?;
    if !about.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut file = File::open(path)?;
    hash.update([1]);
    hash.update(about.len().to_le_bytes());
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
