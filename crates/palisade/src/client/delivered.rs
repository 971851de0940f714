//! A file on its way: its hash, which is signed, and its text where that is short.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// Longest file that is held while it is sent rather than read again, bytes.
const KEPT_SIZE_MAX: u64 = 16 * 1024 * 1024;

/// A file that is to be sent.
pub(super) struct Delivered {
    pub(super) sha256: [u8; 32],
    pub(super) length: u64,
    /// The whole of it; empty where that would be more than [`KEPT_SIZE_MAX`].
    pub(super) text: Vec<u8>,
}

impl Delivered {
    pub(super) fn read(path: &Path) -> std::io::Result<Delivered> {
        let length = std::fs::metadata(path)?.len();
        if length > KEPT_SIZE_MAX {
            let (sha256, length) = hash(path)?;
            return Ok(Delivered { sha256, length, text: Vec::new() });
        }
        let text = std::fs::read(path)?;
        Ok(Delivered { sha256: Sha256::digest(&text).into(), length: text.len() as u64, text })
    }
}

fn hash(path: &Path) -> std::io::Result<([u8; 32], u64)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut length = 0u64;
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
        length = length.saturating_add(read as u64);
    }
    Ok((hash.finalize().into(), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_held_up_to_a_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (length, held) in
            [(KEPT_SIZE_MAX - 1, true), (KEPT_SIZE_MAX, true), (KEPT_SIZE_MAX + 1, false)]
        {
            File::create(&path).unwrap().set_len(length).unwrap();
            let file = Delivered::read(&path).unwrap();
            assert_eq!((file.length, !file.text.is_empty()), (length, held));
            assert_eq!(file.sha256, hash(&path).unwrap().0);
        }
    }
}
