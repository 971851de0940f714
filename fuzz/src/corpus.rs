//! Where inputs are kept: `fuzz/corpus/<target>/`, checked in and small, and `fuzz/failures/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Failure, Target};

/// The inputs of a target's corpus, in the order of their file names.
///
/// # Errors
/// When the folder cannot be read, or is empty: a target without a corpus tests nothing.
pub fn load(target: &Target) -> io::Result<Vec<Vec<u8>>> {
    let folder = home().join("corpus").join(target.name);
    let missing = |error: io::Error| io::Error::other(format!("{}: {error}", folder.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(missing)? {
        paths.push(entry?.path());
    }
    paths.sort();
    if paths.is_empty() {
        return Err(missing(io::Error::other("no file in it")));
    }
    paths.iter().map(fs::read).collect()
}

/// Writes a failing input down and answers where.
///
/// # Errors
/// When it cannot be written.
pub fn keep(target: &Target, seed: u64, failure: &Failure) -> io::Result<PathBuf> {
    let folder = home().join("failures");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}-{seed:016x}", target.name));
    fs::write(&path, &failure.input)?;
    Ok(path)
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
