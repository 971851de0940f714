//! The files that a command was pointed at.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, unreadable};

/// Every file among `paths` and in the folders among them, each folder's in order of name. Hidden
/// files and folders are left out, as is the file by which AWS Config checks that it can write.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let kind = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
        if kind.is_dir() {
            walk(path, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| unreadable(folder, error))?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if name.starts_with('.') || name == "ConfigWritabilityCheckFile" {
            continue;
        }
        // Following links, so that a folder of links to deliveries works; a broken one is an error.
        let kind = std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        match kind.is_dir() {
            true => walk(&path, found)?,
            false => found.push(path),
        }
    }
    Ok(())
}

/// The name a delivery is known by: its file name, from which a snapshot's moment is read.
pub fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_and_what_is_no_delivery_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("b/c")).unwrap();
        for name in
            ["b/c/2.json", "b/1.json.gz", "a.json", ".hidden", "b/ConfigWritabilityCheckFile"]
        {
            std::fs::write(at(name), b"").unwrap();
        }
        let found = find(&[folder.path().to_owned()]).unwrap();
        assert_eq!(found, [at("a.json"), at("b/1.json.gz"), at("b/c/2.json")]);
        let missing = find(&[at("none")]).unwrap_err();
        assert!(matches!(missing, Failure::Input(_)), "{missing}");
    }
}
