//! The program, linked so that it runs on any Linux of its architecture: against musl where that is
//! installed, else against glibc, with everything in it.
//!
//! A static glibc can look for name services in libraries of the machine that it runs on, which may
//! be of another version. Since 2.34 files and DNS are built in, and no others are asked for by what
//! a machine without them says; that names resolve is tried here.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::product::Package;
use super::report::{Checked, Report};
use super::server::Server;
use super::tool::must;
use crate::folders::{root, target};

/// Builds the program, and what writes its manual, and copies the former.
///
/// # Errors
/// When either cannot be built.
pub fn make(package: &Package) -> Result<(), String> {
    println!("── build for {}", package.triple);
    let mut flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    // A panic still names its file and line.
    flags.push_str(" -C target-feature=+crt-static -C strip=symbols");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--locked", "--target", &package.triple])
        .args(["--package", "palisade", "--package", "palisade-manual"])
        .env("RUSTFLAGS", flags.trim())
        .current_dir(root())
        .status();
    match built {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("the build ended with {status}")),
        Err(error) => return Err(format!("cargo cannot be run: {error}")),
    }
    let from = target().join(&package.triple).join("release/palisade");
    let bytes = fs::read(&from).map_err(|error| format!("{}: {error}", from.display()))?;
    package.write("palisade", &bytes)?;
    super::files::permit(&package.binary(), 0o755)
}

/// Checks that it needs nothing of the machine, starts, and resolves names.
///
/// # Errors
/// When it cannot be read.
pub fn check(package: &Package, report: &mut Report) -> Result<(), String> {
    let path = package.binary();
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    report.check(
        "binary is static",
        match interpreter(&bytes) {
            Ok(false) => Ok(Checked::Seen(format!("{}, no interpreter", package.triple))),
            Ok(true) => Err("it names a dynamic loader".to_owned()),
            Err(why) => Err(why.to_owned()),
        },
    );
    report.check("binary starts", version(&mut Command::new(&path), &package.version));
    report.check("binary resolves localhost", resolves(package));
    report.check("binary survives a name that is none", no_such_name(&path));
    Ok(())
}

/// Whether `--version` is answered with the workspace's.
///
/// # Errors
/// When it is not.
pub fn version(command: &mut Command, version: &str) -> Result<Checked, String> {
    let told = must(command.arg("--version"))?.out;
    match told.trim() == format!("palisade {version}") {
        true => Ok(Checked::Seen(told.trim().to_owned())),
        false => Err(format!("it says `{}`, not `palisade {version}`", told.trim())),
    }
}

/// A server of it is found by name, and says that it is well.
fn resolves(package: &Package) -> Result<Checked, String> {
    let mut command = Command::new(package.binary());
    let store = package.scratch.join("resolve.db");
    let server = Server::start(
        command.env_clear().args(["serve", "--store"]).arg(format!("sqlite:{}", store.display())),
    )?;
    let endpoint = format!("http://localhost:{}", server.port);
    let told = must(Command::new(package.binary()).env_clear().args([
        "doctor",
        "--store",
        "sqlite:/none",
        "--endpoint",
        &endpoint,
    ]))?;
    match told.out.contains("health          ready") {
        true => Ok(Checked::Seen("a server is found at localhost and is ready".to_owned())),
        false => Err(format!("the doctor says: {}", told.whole())),
    }
}

/// A name that cannot resolve is told of; a static glibc that takes a library of another version
/// would end by a signal.
fn no_such_name(path: &Path) -> Result<Checked, String> {
    let mut command = Command::new(path);
    command.env_clear().args([
        "doctor",
        "--store",
        "sqlite:/none",
        "--endpoint",
        "http://name.invalid:1",
    ]);
    let output = command.output().map_err(|error| format!("it did not start: {error}"))?;
    match output.status.code() {
        Some(0) => Err("it says that a server is well that is none".to_owned()),
        Some(code) => Ok(Checked::Seen(format!("it ends with {code} and says why"))),
        None => Err(format!("it ended with {}", output.status)),
    }
}

/// Whether an executable names a dynamic loader (ELF's program header PT_INTERP). 64 bits, lowest
/// byte first: what Linux runs on x86_64 and aarch64.
fn interpreter(elf: &[u8]) -> Result<bool, &'static str> {
    const PT_INTERP: u32 = 3;
    let short = "the executable is cut short";
    if elf.get(..6) != Some(b"\x7fELF\x02\x01") {
        return Err("it is no 64-bit little-endian ELF executable");
    }
    let number = |at: usize, len: usize| -> Result<usize, &'static str> {
        let bytes = at.checked_add(len).and_then(|end| elf.get(at..end)).ok_or(short)?;
        let number = bytes.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        usize::try_from(number).map_err(|_| short)
    };
    // Where the program headers begin, how long each is, how many there are.
    let (begin, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
    for index in 0..count {
        let at =
            index.checked_mul(size).and_then(|skipped| begin.checked_add(skipped)).ok_or(short)?;
        if number(at, 4)? == PT_INTERP as usize {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of an executable with one program header of this type.
    fn elf(kind: u8) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01".to_vec();
        bytes.resize(64, 0);
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes.push(kind);
        bytes.resize(64 + 56, 0);
        bytes
    }

    #[test]
    fn an_executable_that_names_a_loader_is_not_static() {
        assert_eq!(interpreter(&elf(1)), Ok(false));
        assert_eq!(interpreter(&elf(3)), Ok(true));
        assert!(interpreter(&elf(1)[..64]).is_err());
        assert!(interpreter(b"#!/bin/sh\n").is_err());
        // The test's own program is linked as any other.
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(interpreter(&own), Ok(!cfg!(target_feature = "crt-static")));
    }
}
