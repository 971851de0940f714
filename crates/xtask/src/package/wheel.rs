//! A Python wheel that carries the program and the pytest fixture `palisade_server`, and a test that uses it in a
//! fresh virtual environment.

use std::fs;
use std::process::Command;

use super::product::Package;
use super::report::{Checked, Report};
use super::tool::{must, said};
use crate::folders::root;

/// Makes and checks the wheel.
///
/// # Errors
/// When it cannot be made.
pub fn make(package: &Package, report: &mut Report) -> Result<(), String> {
    let script = root().join("packaging/python/wheel.py");
    // The program is static: it runs with either C library.
    let of = |library: &str| format!("{library}_{}", package.architecture);
    let platform = format!("{}.{}", of("manylinux2014"), of("musllinux_1_1"));
    let mut python = Command::new("python3");
    python
        .arg(script)
        .arg(package.binary())
        .args([&package.version, &platform])
        .arg(&package.folder);
    python.env("SOURCE_DATE_EPOCH", package.moment.to_string());
    let Some(told) = said(&mut python)? else {
        report.check("wheel", Ok(Checked::Skipped("there is no `python3` here".to_owned())));
        return Ok(());
    };
    if !told.is_success {
        return Err(told.whole());
    }
    let wheel = told.out.trim().to_owned();
    println!("made {wheel}");
    report.check("wheel's fixture", plays(package, &wheel));
    Ok(())
}

/// Installs the wheel and plays the test that its README shows.
fn plays(package: &Package, wheel: &str) -> Result<Checked, String> {
    let readme = root().join("packaging/python/README.md");
    let text = fs::read_to_string(&readme).map_err(|error| error.to_string())?;
    let test = text.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let test = test.ok_or("packaging/python/README.md shows no test")?;
    let folder = package.scratch.join("wheel");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    fs::write(folder.join("test_first.py"), test).map_err(|error| error.to_string())?;
    must(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
    let python = folder.join("venv/bin/python");
    let install = ["-m", "pip", "install", "--quiet", "pytest", "boto3", wheel];
    let installed = said(Command::new(&python).args(install))?;
    match installed {
        Some(told) if told.is_success => {}
        told => {
            let why = told.map(|told| told.whole()).unwrap_or_default();
            return Ok(Checked::Skipped(format!("pytest and boto3 cannot be installed: {why}")));
        }
    }
    must(Command::new(&python).args(["-m", "pytest", "--quiet"]).current_dir(&folder))?;
    let lines = test.trim().lines().count();
    Ok(Checked::Seen(format!("a test of {lines} lines passes in a fresh virtual environment")))
}
