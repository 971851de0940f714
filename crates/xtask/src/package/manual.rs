//! Manual pages and completions, of the command line as the program has it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive::{Entry, gzip};
use super::product::Package;
use super::report::{Checked, Report};
use super::tool::{missing, must, passes, said};
use crate::folders::target;

/// A shell, the name that its completions go by, and where a Debian machine looks for them.
const SHELLS: [(&str, &str, &str); 3] = [
    ("bash", "palisade.bash", "usr/share/bash-completion/completions/palisade"),
    ("zsh", "_palisade", "usr/share/zsh/vendor-completions/_palisade"),
    ("fish", "palisade.fish", "usr/share/fish/vendor_completions.d/palisade.fish"),
];

/// Makes and checks both.
///
/// # Errors
/// When they cannot be made.
pub fn make(package: &Package, report: &mut Report) -> Result<(), String> {
    let folder = package.folder.join("man");
    let writer = target().join(&package.triple).join("release/palisade-manual");
    must(Command::new(writer).arg(&folder))?;
    let pages = pages(package)?;
    report.check("manual pages", complete(package, &pages));
    for (name, command) in renderers() {
        report.check(&format!("manual pages by {name}"), rendered(&pages, &command));
    }
    let completions = package.folder.join("completions");
    fs::create_dir_all(&completions).map_err(|error| error.to_string())?;
    for (shell, name, _) in SHELLS {
        let script = must(Command::new(package.binary()).args(["completions", shell]))?.out;
        package.write(&format!("completions/{name}"), script.as_bytes())?;
        let what = format!("completions for {shell}");
        report.check(&what, completes(&script));
        let path = completions.join(name);
        let outcome = passes(Command::new(shell).arg("-n").arg(&path), "it reads them");
        report.check(&format!("{what}, by {shell} itself"), outcome);
    }
    Ok(())
}

/// Pages and completions as a package holds them.
///
/// # Errors
/// When one cannot be read.
pub fn entries(package: &Package) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    for page in pages(package)? {
        let name = page.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = format!("usr/share/man/man1/{name}.gz");
        entries.push(Entry::file(path, 0o644, gzip(&read(&page)?)?));
    }
    for (_, name, path) in SHELLS {
        let script = read(&package.folder.join("completions").join(name))?;
        entries.push(Entry::file(path, 0o644, script));
    }
    Ok(entries)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every page, in the order of their names.
fn pages(package: &Package) -> Result<Vec<PathBuf>, String> {
    let folder = package.folder.join("man");
    let failed = |error| format!("{}: {error}", folder.display());
    let mut pages = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        pages.push(entry.map_err(failed)?.path());
    }
    pages.sort();
    Ok(pages)
}

/// The program's commands, as its help lists them.
fn commands(package: &Package) -> Result<Vec<String>, String> {
    let help = must(Command::new(package.binary()).arg("--help"))?.out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = listed.take_while(|line| line.starts_with("  "));
    let names: Vec<String> = names
        // A description that goes on is indented further.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    match names.is_empty() {
        true => Err(format!("its help lists no commands:\n{help}")),
        false => Ok(names),
    }
}

/// A page for each command, named by the page of the program.
fn complete(package: &Package, pages: &[PathBuf]) -> Result<Checked, String> {
    let commands = commands(package)?;
    for command in &commands {
        let name = format!("palisade-{command}.1");
        if !pages.iter().any(|page| page.ends_with(&name)) {
            return Err(format!("`{command}` has no page {name}"));
        }
    }
    Ok(Checked::Seen(format!("{} pages, of all {} commands", pages.len(), commands.len())))
}

/// What renders a page, the words before its path.
fn renderers() -> [(&'static str, Vec<&'static str>); 3] {
    [
        ("man", vec!["man", "--warnings", "--local-file", "-Tutf8"]),
        ("groff", vec!["groff", "-man", "-Tutf8", "-ww", "-K", "utf8"]),
        ("mandoc", vec!["mandoc", "-Tlint", "-Werror"]),
    ]
}

/// Every page is rendered without a word of complaint.
fn rendered(pages: &[PathBuf], command: &[&str]) -> Result<Checked, String> {
    let [program, words @ ..] = command else { return Err("no renderer".to_owned()) };
    for page in pages {
        let mut command = Command::new(program);
        // Where the pager's output goes must not matter, nor how wide a terminal is.
        command.args(words).arg(page).env("MANPAGER", "cat").env("MANWIDTH", "80");
        let Some(said) = said(&mut command)? else {
            return Ok(Checked::Skipped(missing(&command)));
        };
        if !said.is_success || !said.err.trim().is_empty() {
            return Err(format!("`{command:?}`: {}", said.err.trim()));
        }
    }
    Ok(Checked::Seen(format!("{} pages without a complaint", pages.len())))
}

/// A script completes the commands and their flags.
fn completes(script: &str) -> Result<Checked, String> {
    for word in ["serve", "check", "stale-after", "behind-proxy"] {
        if !script.contains(word) {
            return Err(format!("the script does not name `{word}`"));
        }
    }
    Ok(Checked::Seen(format!("{} lines", script.lines().count())))
}
