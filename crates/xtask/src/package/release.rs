//! What a release is known by: its version, its part of the changelog, its checksums.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::product::Package;
use super::report::{Checked, Report};
use super::tool::passes;
use crate::folders::root;

/// Whether a tag, the workspace's version and the changelog are of one release.
///
/// # Errors
/// When they are not, or the changelog cannot be read.
pub fn fits(tag: &str, version: &str) -> Result<Checked, String> {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md"))
        .map_err(|error| format!("CHANGELOG.md: {error}"))?;
    is_of(tag, version, &changelog)
        .map(|heading| Checked::Seen(format!("{tag}, CHANGELOG has `{heading}`")))
}

/// The heading of the release that a tag is of: `## 0.1.0 - 2026-12-01`, the topmost that is not
/// `Unreleased`.
fn is_of(tag: &str, version: &str, changelog: &str) -> Result<String, String> {
    if tag.strip_prefix('v') != Some(version) {
        return Err(format!("tag `{tag}` is not `v{version}`, the version of Cargo.toml"));
    }
    let mut headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let newest = headings.find(|heading| *heading != "Unreleased").unwrap_or_default();
    match newest.split_once(" - ") {
        Some((number, day)) if number == version && is_day(day) => Ok(newest.to_owned()),
        _ => Err(format!("CHANGELOG's newest release is `{newest}`, not `{version} - YYYY-MM-DD`")),
    }
}

fn is_day(text: &str) -> bool {
    let digits =
        |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    match text.split('-').collect::<Vec<_>>()[..] {
        [year, month, day] => digits(year, 4) && digits(month, 2) && digits(day, 2),
        _ => false,
    }
}

/// Writes `SHA256SUMS` of every file that was made, and has another program compare them.
///
/// # Errors
/// When a file cannot be read.
pub fn checksums(package: &Package, report: &mut Report) -> Result<(), String> {
    let mut text = String::new();
    let files = made(&package.folder)?;
    for path in &files {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        for byte in Sha256::digest(&bytes) {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        let name = path.strip_prefix(&package.folder).unwrap_or(path);
        let _ = writeln!(text, "  {}", name.display());
    }
    package.write("SHA256SUMS", text.as_bytes())?;
    let mut command = Command::new("sha256sum");
    command.args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(&package.folder);
    report.check("checksums", passes(&mut command, &format!("{} files", files.len())));
    Ok(())
}

/// Every file below a folder, sorted.
fn made(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match path.is_dir() {
            true => files.extend(made(&path)?),
            false => files.push(path),
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_of_the_version_and_of_the_newest_release_in_the_changelog() {
        let log = "# Changelog\n\n## Unreleased\n\n- x\n\n## 0.2.0 - 2026-12-01\n\n## 0.1.0 - 2026-01-01\n";
        assert_eq!(is_of("v0.2.0", "0.2.0", log), Ok("0.2.0 - 2026-12-01".to_owned()));
        assert!(is_of("0.2.0", "0.2.0", log).is_err());
        assert!(is_of("v0.1.0", "0.2.0", log).is_err());
        assert!(is_of("v0.1.0", "0.1.0", log).is_err(), "it is not the newest");
        assert!(is_of("v0.2.0", "0.2.0", "## Unreleased\n").is_err());
        assert!(is_of("v0.2.0", "0.2.0", "## 0.2.0 - soon\n").is_err());
    }
}
