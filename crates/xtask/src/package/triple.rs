//! Which target the program is built for.

use std::path::Path;
use std::process::Command;

use super::tool::{must, said};

/// The target that is built for.
///
/// # Errors
/// When rustc cannot be asked, or this is no Linux.
pub fn triple() -> Result<String, String> {
    let told = must(Command::new(rustc()).arg("-vV"))?.out;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or("rustc does not say what its host is")?;
    let architecture = host.split('-').next().unwrap_or_default();
    if !host.contains("-linux-") {
        return Err(format!("packages are made on Linux; this is {host}"));
    }
    let musl = format!("{architecture}-unknown-linux-musl");
    let told = must(Command::new(rustc()).args(["--print", "target-libdir", "--target", &musl]))?;
    let has_musl = Path::new(told.out.trim()).is_dir();
    // SQLite, ring and the allocator are C.
    let has_compiler = said(Command::new("musl-gcc").arg("--version"))?.is_some();
    Ok(if has_musl && has_compiler { musl } else { format!("{architecture}-unknown-linux-gnu") })
}

fn rustc() -> std::ffi::OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}
