//! What a command writes to a terminal of some width, to one by `COLUMNS`, and to a pipe.

use std::process::{Command, Output};

use unicode_width::UnicodeWidthStr as _;

/// Widths of terminals that are looked at.
pub const WIDTHS: [usize; 2] = [80, 120];

/// Both streams of an ended command, errors below.
pub fn streams(output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8(text.clone()).unwrap());
    match err.is_empty() {
        true => out,
        false => format!("{out}-- on standard error\n{err}"),
    }
}

/// What a command writes to a terminal so wide, by the program `script`: its result, or why there is none.
pub fn in_terminal(command: &Command, width: usize, is_refused: bool) -> String {
    let quoted =
        |word: &std::ffi::OsStr| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''"));
    let line: Vec<String> =
        std::iter::once(command.get_program()).chain(command.get_args()).map(quoted).collect();
    let other = if is_refused { ">/dev/null" } else { "2>/dev/null" };
    let line = format!("stty cols {width} rows 50; exec {} {}", line.join(" "), other);
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("SHELL", "/bin/sh");
    script.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        script.env(name, value.unwrap());
    }
    let output = script.output().unwrap_or_else(|error| panic!("`script` of util-linux: {error}"));
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

/// A text without what a terminal takes for a color or a style.
pub fn plain(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once('m').unwrap_or_else(|| panic!("{part:?}")).1);
    rest.fold(first, |text, part| text + part)
}

/// Lines that are wider than a terminal; a word that is longer than a line, such as an address, is not broken.
pub fn too_wide(name: &str, text: &str, width: usize) -> Vec<String> {
    let is_wide = |line: &&str| line.width() > width && line.trim().contains(' ');
    let told = |line: &str| format!("{name} at {width}: {}: {line}", line.width());
    text.lines().filter(is_wide).map(told).collect()
}
