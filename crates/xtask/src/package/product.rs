//! What is packaged, and where it is put.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::triple;
use crate::folders::{root, target};

/// What is packaged, and where it is put.
pub struct Package {
    /// The workspace's version, as `0.1.0`.
    pub version: String,
    /// The target triple that the binary is built for.
    pub triple: String,
    /// Its first word, as `x86_64`.
    pub architecture: String,
    /// The folder of what is made.
    pub folder: PathBuf,
    /// The folder of what is unpacked to be checked.
    pub scratch: PathBuf,
    /// Seconds since the epoch that archives tell as the time of their files.
    pub moment: u64,
}

impl Package {
    /// With empty folders.
    ///
    /// # Errors
    /// When the folders cannot be made, or version or target are not known.
    pub fn new() -> Result<Package, String> {
        let triple = triple::triple()?;
        let architecture = triple.split('-').next().unwrap_or_default().to_owned();
        let folder = target().join("package");
        let scratch = target().join("package-check");
        for path in [&folder, &scratch] {
            empty(path)?;
        }
        let (version, moment) = (version()?, moment()?);
        Ok(Package { version, triple, architecture, folder, scratch, moment })
    }

    /// The program.
    pub fn binary(&self) -> PathBuf {
        self.folder.join("palisade")
    }

    /// Writes a piece and says how large it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), String> {
        let path = self.folder.join(name);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("made {} ({} KiB)", path.display(), bytes.len().div_ceil(1024));
        Ok(())
    }
}

/// An empty folder in place of whatever is there.
///
/// # Errors
/// When it cannot be made.
pub fn empty(path: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    if path.exists() {
        fs::remove_dir_all(path).map_err(failed)?;
    }
    fs::create_dir_all(path).map_err(failed)
}

/// `SOURCE_DATE_EPOCH`, else the time of the newest commit, else the epoch: a source archive has no
/// commits.
fn moment() -> Result<u64, String> {
    if let Some(told) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let told = told.to_string_lossy().into_owned();
        return told.parse().map_err(|_| format!("SOURCE_DATE_EPOCH is `{told}`, no number"));
    }
    let asked =
        Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root()).output();
    let told = asked.ok().filter(|output| output.status.success());
    let seconds =
        told.and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse().ok());
    Ok(seconds.unwrap_or(0))
}

/// The workspace's version.
///
/// # Errors
/// When `Cargo.toml` has none.
pub fn version() -> Result<String, String> {
    let text = fs::read_to_string(root().join("Cargo.toml"))
        .map_err(|error| format!("Cargo.toml: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("version = \""));
    let version = line.and_then(|rest| rest.strip_suffix('"'));
    version.map(str::to_owned).ok_or_else(|| "Cargo.toml has no version".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_has_a_version_of_three_numbers() {
        let version = version().unwrap();
        let numbers = version.split('.').map(|part| part.parse::<u32>().is_ok());
        assert_eq!(numbers.collect::<Vec<_>>(), [true; 3], "{version}");
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
    }
}
