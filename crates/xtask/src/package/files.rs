//! The unit and the configuration that comes with it, checked by the programs that will read them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::product::Package;
use super::report::{Checked, Report};
use super::tool::{missing, passes, said};
use crate::folders::root;

/// `systemd-analyze security`'s exposure of the unit, in tenths, at most.
const EXPOSURE_MAX: u32 = 20;

/// Checks the unit, the alert rules and the compose files.
///
/// # Errors
/// When one cannot be read.
pub fn check(package: &Package, report: &mut Report) -> Result<(), String> {
    let unit = root().join("packaging/palisade.service");
    let text = fs::read_to_string(&unit).map_err(|error| format!("{}: {error}", unit.display()))?;
    package.write("palisade.service", text.as_bytes())?;
    // The path of the program is that of the machine that it is installed on.
    let here = text.replace("/usr/bin/palisade ", &format!("{} ", package.binary().display()));
    let copy = package.scratch.join("palisade.service");
    fs::write(&copy, here).map_err(|error| format!("{}: {error}", copy.display()))?;
    report.check("unit is understood", verified(&copy));
    report.check("unit's exposure", exposure(&copy));

    let rules = root().join("packaging/prometheus/alerts.yml");
    let mut promtool = Command::new("promtool");
    report.check(
        "alert rules",
        passes(promtool.args(["check", "rules"]).arg(&rules), "promtool takes them"),
    );
    for name in ["compose.yaml", "packaging/compose.moto.yaml", "packaging/compose.postgres.yaml"] {
        report.check(name, compose(name));
    }
    report.check("dependencies' licences and advisories", denied());
    Ok(())
}

/// Makes a file executable, or whatever else.
///
/// # Errors
/// When the file is not there.
pub fn permit(path: &Path, mode: u32) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// `systemd-analyze verify` ends with success on some complaints, so that it may say nothing at all.
fn verified(unit: &Path) -> Result<Checked, String> {
    let mut command = Command::new("systemd-analyze");
    let Some(said) = said(command.args(["verify", "--man=no"]).arg(unit))? else {
        return Ok(Checked::Skipped(missing(&command)));
    };
    match said.is_success && said.whole().is_empty() {
        true => Ok(Checked::Seen("without a complaint".to_owned())),
        false => Err(said.whole()),
    }
}

fn exposure(unit: &Path) -> Result<Checked, String> {
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=true", "--no-pager"]);
    let Some(said) = said(command.arg(format!("--threshold={EXPOSURE_MAX}")).arg(unit))? else {
        return Ok(Checked::Skipped(missing(&command)));
    };
    let level =
        exposure_told(&said.out).ok_or_else(|| format!("no level is told: {}", said.whole()))?;
    let told =
        format!("{}.{} of {}.{}", level / 10, level % 10, EXPOSURE_MAX / 10, EXPOSURE_MAX % 10);
    match level <= EXPOSURE_MAX && said.is_success {
        true => Ok(Checked::Seen(told)),
        false => Err(told),
    }
}

/// The level, in tenths, of `→ Overall exposure level for palisade.service: 1.2 OK`.
fn exposure_told(out: &str) -> Option<u32> {
    let line = out.lines().find(|line| line.contains("Overall exposure level"))?;
    let (whole, tenths) = line.rsplit_once(": ")?.1.split_whitespace().next()?.split_once('.')?;
    whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(tenths.parse().ok()?)
}

fn compose(name: &str) -> Result<Checked, String> {
    let mut docker = Command::new("docker");
    let has_compose = said(docker.args(["compose", "version"]))?;
    if !has_compose.is_some_and(|said| said.is_success) {
        return Ok(Checked::Skipped("there is no `docker compose` here".to_owned()));
    }
    let mut command = Command::new("docker");
    let path = root().join(name);
    passes(
        command.args(["compose", "-f"]).arg(path).args(["config", "--quiet"]),
        "it is understood",
    )
}

fn denied() -> Result<Checked, String> {
    let mut cargo = Command::new("cargo");
    let has_deny = said(cargo.args(["deny", "--version"]))?;
    if !has_deny.is_some_and(|said| said.is_success) {
        return Ok(Checked::Skipped("there is no `cargo deny` here".to_owned()));
    }
    let mut command = Command::new("cargo");
    passes(command.args(["deny", "check"]).current_dir(root()), "deny.toml allows all of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_read_of_what_systemd_says() {
        let out =
            "  NAME  DESCRIPTION\n\n→ Overall exposure level for palisade.service: 1.2 OK 🙂\n";
        assert_eq!(exposure_told(out), Some(12));
        assert_eq!(exposure_told(&out.replace("1.2", "10.0")), Some(100));
        assert_eq!(exposure_told("nothing"), None);
    }
}
