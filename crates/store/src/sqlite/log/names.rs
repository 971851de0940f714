//! Names of the files beside a store's.

use std::path::{Path, PathBuf};

/// The file beside `path` whose name goes on so.
pub(in crate::sqlite) fn sibling(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    PathBuf::from(name)
}
