//! The archive of a release, and the Debian package (deb(5)): an `ar` archive of two tar archives.
//!
//! It is written here rather than by `dpkg-deb`, so that any Linux makes it and the same sources make
//! the same bytes. What dpkg makes of it is checked where dpkg is installed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive::{Entry, ar, gzip, tar, with_folders};
use super::product::{Package, empty};
use super::report::{Checked, Report};
use super::tool::{missing, must, passes, said};
use super::{binary, manual};
use crate::folders::root;

/// Files of the workspace that both hold: where from, and below which folder of documents.
const DOCUMENTS: [(&str, &str); 5] = [
    ("README.md", "README.md"),
    ("SECURITY.md", "SECURITY.md"),
    ("docs/operating.md", "docs/operating.md"),
    ("packaging/grafana/palisade.json", "grafana/palisade.json"),
    ("packaging/prometheus/alerts.yml", "prometheus/alerts.yml"),
];

/// Makes and checks both.
///
/// # Errors
/// When they cannot be made.
pub fn make(package: &Package, report: &mut Report) -> Result<(), String> {
    let archive = format!("palisade-{}-{}.tar.gz", package.version, package.triple);
    package.write(&archive, &release(package)?)?;
    report.check("archive", unpacked(package, &archive));

    let name = format!("palisade_{}_{}.deb", package.version, architecture(package));
    package.write(&name, &deb(package)?)?;
    let path = package.folder.join(&name);
    report.check("Debian package's control fields", fields(package, &path));
    report.check("Debian package's contents", contents(&path));
    report.check("Debian package's program", program(package, &path));
    report.check("Debian package installs and goes", installs(package, &path));
    // There is no address to write to, and nothing of the machine is linked.
    let suppressed = "malformed-contact,statically-linked-binary";
    let mut lintian = Command::new("lintian");
    lintian.args(["--fail-on", "error", "--suppress-tags", suppressed]).arg(&path);
    report.check("Debian package by lintian", passes(&mut lintian, "no errors"));
    Ok(())
}

fn read(name: &str) -> Result<Vec<u8>, String> {
    fs::read(root().join(name)).map_err(|error| format!("{name}: {error}"))
}

fn program_entry(package: &Package, path: &str) -> Result<Entry, String> {
    let bytes = fs::read(package.binary()).map_err(|error| error.to_string())?;
    Ok(Entry::file(path, 0o755, bytes))
}

/// Everything in one folder, for any Linux.
fn release(package: &Package) -> Result<Vec<u8>, String> {
    let base = format!("palisade-{}-{}", package.version, package.triple);
    let mut entries = vec![program_entry(package, &format!("{base}/palisade"))?];
    for (from, to) in DOCUMENTS.into_iter().chain([
        ("CHANGELOG.md", "CHANGELOG.md"),
        ("LICENSE", "LICENSE"),
        ("packaging/palisade.service", "palisade.service"),
    ]) {
        entries.push(Entry::file(format!("{base}/{to}"), 0o644, read(from)?));
    }
    for mut entry in manual::entries(package)? {
        let short = entry.path.trim_start_matches("usr/share/");
        entry.path = format!("{base}/share/{short}");
        entries.push(entry);
    }
    gzip(&tar(&with_folders(entries), package.moment)?)
}

fn unpacked(package: &Package, name: &str) -> Result<Checked, String> {
    let folder = package.scratch.join("archive");
    empty(&folder)?;
    must(Command::new("tar").arg("-xzf").arg(package.folder.join(name)).arg("-C").arg(&folder))?;
    let base = name.trim_end_matches(".tar.gz");
    binary::version(&mut Command::new(folder.join(base).join("palisade")), &package.version)
}

fn architecture(package: &Package) -> &str {
    match package.architecture.as_str() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// What the package unpacks.
fn data(package: &Package) -> Result<Vec<Entry>, String> {
    let document = |name: &str| format!("usr/share/doc/palisade/{name}");
    let mut entries = vec![
        Entry::file("etc/default/palisade", 0o644, read("packaging/debian/default")?),
        program_entry(package, "usr/bin/palisade")?,
        Entry::file(
            "usr/lib/systemd/system/palisade.service",
            0o644,
            read("packaging/palisade.service")?,
        ),
        Entry::file("usr/lib/sysusers.d/palisade.conf", 0o644, read("packaging/sysusers.conf")?),
        Entry::file(document("copyright"), 0o644, read("packaging/debian/copyright")?),
        Entry::file(document("changelog.gz"), 0o644, gzip(&read("CHANGELOG.md")?)?),
    ];
    for (from, to) in DOCUMENTS {
        entries.push(Entry::file(document(to), 0o644, read(from)?));
    }
    entries.extend(manual::entries(package)?);
    Ok(with_folders(entries))
}

fn deb(package: &Package) -> Result<Vec<u8>, String> {
    let data = data(package)?;
    let bytes: usize = data.iter().filter_map(|entry| entry.content.as_ref()).map(Vec::len).sum();
    let control = String::from_utf8_lossy(&read("packaging/debian/control")?)
        .replace("@VERSION@", &package.version)
        .replace("@ARCHITECTURE@", architecture(package))
        .replace("@INSTALLED_SIZE@", &bytes.div_ceil(1024).to_string());
    let mut entries = vec![
        Entry::file("control", 0o644, control),
        Entry::file("conffiles", 0o644, "/etc/default/palisade\n"),
        Entry::file("md5sums", 0o644, sums(package, &data)?),
    ];
    for name in ["postinst", "prerm", "postrm"] {
        entries.push(Entry::file(name, 0o755, read(&format!("packaging/debian/{name}"))?));
    }
    let packed = |entries: &[Entry]| gzip(&tar(entries, package.moment)?);
    ar(
        &[
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar.gz", packed(&entries)?),
            ("data.tar.gz", packed(&data)?),
        ],
        package.moment,
    )
}

/// What `dpkg --verify` compares installed files with. MD5 is what the format has; it guards against
/// damage, not against anybody.
fn sums(package: &Package, data: &[Entry]) -> Result<String, String> {
    let mut text = String::new();
    let scratch = package.scratch.join("summed");
    for entry in data {
        let (Some(content), false) = (&entry.content, entry.path.starts_with("etc/")) else {
            continue;
        };
        fs::write(&scratch, content).map_err(|error| error.to_string())?;
        let said = must(Command::new("md5sum").arg(&scratch))?.out;
        let sum = said.split_whitespace().next().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{sum}  {}", entry.path);
    }
    Ok(text)
}

fn fields(package: &Package, path: &Path) -> Result<Checked, String> {
    let mut command = Command::new("dpkg-deb");
    let Some(said) = said(command.arg("--field").arg(path))? else {
        return Ok(Checked::Skipped(missing(&command)));
    };
    for (field, value) in [
        ("Package", "palisade"),
        ("Version", package.version.as_str()),
        ("Architecture", architecture(package)),
    ] {
        if !said.out.lines().any(|line| line == format!("{field}: {value}")) {
            return Err(format!("{field} is not {value}: {}", said.whole()));
        }
    }
    Ok(Checked::Seen(format!("palisade {} {}", package.version, architecture(package))))
}

fn contents(path: &Path) -> Result<Checked, String> {
    let mut command = Command::new("dpkg-deb");
    let Some(said) = said(command.arg("--contents").arg(path))? else {
        return Ok(Checked::Skipped(missing(&command)));
    };
    let count = said.out.lines().count();
    for (mode, name) in [
        ("-rwxr-xr-x root/root", "usr/bin/palisade"),
        ("-rw-r--r-- root/root", "usr/lib/systemd/system/palisade.service"),
        ("-rw-r--r-- root/root", "etc/default/palisade"),
        ("-rw-r--r-- root/root", "usr/share/man/man1/palisade-serve.1.gz"),
        ("-rw-r--r-- root/root", "usr/share/bash-completion/completions/palisade"),
        ("-rw-r--r-- root/root", "usr/share/doc/palisade/copyright"),
    ] {
        let is_there = |line: &str| line.starts_with(mode) && line.ends_with(&format!(" {name}"));
        if !said.out.lines().any(is_there) {
            return Err(format!("{name} is missing or not {mode}:\n{}", said.out));
        }
    }
    Ok(Checked::Seen(format!("{count} files and folders")))
}

fn program(package: &Package, path: &Path) -> Result<Checked, String> {
    let folder = package.scratch.join("deb");
    empty(&folder)?;
    let mut command = Command::new("dpkg-deb");
    match said(command.arg("--extract").arg(path).arg(&folder))? {
        None => Ok(Checked::Skipped(missing(&command))),
        Some(said) if said.is_success => {
            binary::version(&mut Command::new(folder.join("usr/bin/palisade")), &package.version)
        }
        Some(said) => Err(said.whole()),
    }
}

/// Installs it into a root of its own, verifies it, removes and purges it: files go, the store stays.
fn installs(package: &Package, path: &Path) -> Result<Checked, String> {
    let own = package.scratch.join("root");
    empty(&own)?;
    for folder in [
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
        "var/lib/palisade",
        "etc",
    ] {
        fs::create_dir_all(own.join(folder)).map_err(|error| error.to_string())?;
    }
    for file in ["var/lib/dpkg/status", "var/lib/dpkg/available", "var/lib/palisade/palisade.db"] {
        fs::write(own.join(file), "").map_err(|error| error.to_string())?;
    }
    let dpkg = |words: &[&str]| {
        let mut command = Command::new("dpkg");
        command
            .arg(format!("--root={}", own.display()))
            .arg("--force-script-chrootless")
            .args(words);
        command
    };
    let path = path.display().to_string();
    let Some(installed) = said(&mut dpkg(&["--install", &path]))? else {
        return Ok(Checked::Skipped(missing(&dpkg(&[]))));
    };
    if !installed.is_success {
        let is_user = installed.whole().contains("superuser");
        let why = installed.whole();
        return if is_user { Ok(Checked::Skipped("it takes root".to_owned())) } else { Err(why) };
    }
    let verified = must(&mut dpkg(&["--verify", "palisade"]))?;
    if !verified.whole().is_empty() {
        return Err(format!("installed, it is not as its sums say: {}", verified.whole()));
    }
    let passwd = fs::read_to_string(own.join("etc/passwd")).unwrap_or_default();
    let has_user = passwd.lines().any(|line| line.starts_with("palisade:"));
    must(&mut dpkg(&["--purge", "palisade"]))?;
    for gone in
        ["usr/bin/palisade", "etc/default/palisade", "usr/lib/systemd/system/palisade.service"]
    {
        if own.join(gone).exists() {
            return Err(format!("{gone} is left after it was purged"));
        }
    }
    let store: PathBuf = own.join("var/lib/palisade/palisade.db");
    match (has_user, store.exists()) {
        (true, true) => Ok(Checked::Seen("its user is made; purged, the store is left".to_owned())),
        (false, _) => Err(format!("it made no user: {}", installed.whole())),
        (true, false) => Err("purging it took the store".to_owned()),
    }
}
