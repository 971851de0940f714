//! Standard output and standard error: the one place that writes to either. `println!` and its kin
//! panic where nothing can be written, which would end a command with a code that means something
//! else, and a server's call after its work is done.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use crate::failure::{Exit, Failure, Outcome};
use crate::printable::{escaped, escaped_json};
use crate::secrets::masked;
use crate::wrapping::paragraph;

/// Prints a result.
///
/// # Errors
/// As [`print_by`].
pub fn print(text: &str) -> Result<(), Failure> {
    print_by(|to| to.write_all(text.as_bytes()))
}

/// Prints one line, with what callers and files named escaped: on a terminal as a paragraph as wide as that.
///
/// # Errors
/// As [`print_by`].
pub fn print_line(line: &str) -> Result<(), Failure> {
    print(&paragraph(&escaped(line), width()))
}

/// Prints a value for programs, laid out.
///
/// # Errors
/// As [`print_by`].
pub fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{}\n", escaped_json(&format!("{value:#}"))))
}

/// As [`print`], for what is written piece by piece.
///
/// # Errors
/// [`Failure::Gone`] where the reader went away, as `head` does; [`Failure::Unwritten`] where
/// standard output cannot be written otherwise, such as to a full disk. What was found is then not
/// the command's exit code: nobody read it.
pub fn print_by(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut to = io::BufWriter::new(io::stdout().lock());
    let written = write(&mut to).and_then(|()| to.flush());
    // Dropped with its buffer: a second attempt would fail likewise.
    let (_, _) = to.into_parts();
    written.map_err(|error| unwritten(&error))
}

/// Narrowest terminal that anything is laid out for, in columns.
pub const WIDTH_MIN: usize = 20;

/// How wide what people read may be, in columns: as `COLUMNS` says, else as the terminal is; `None` where nobody
/// looks at a terminal.
pub fn width() -> Option<usize> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(terminal_width).filter(|width| *width >= WIDTH_MIN)
}

fn terminal_width() -> Option<usize> {
    width_of_terminal(&io::stdout())
}

/// How wide lines on standard error may be; `None` where that is no terminal: a log has one line for each.
fn error_width() -> Option<usize> {
    width_of_terminal(&io::stderr()).filter(|width| *width >= WIDTH_MIN)
}

#[cfg(unix)]
fn width_of_terminal(stream: &impl std::os::fd::AsFd) -> Option<usize> {
    rustix::termios::tcgetwinsize(stream).ok().map(|size| usize::from(size.ws_col))
}

#[cfg(not(unix))]
fn width_of_terminal<S>(_: &S) -> Option<usize> {
    None
}

/// Whether colors are wanted: on a terminal that knows them, unless NO_COLOR is set.
pub fn is_colored() -> bool {
    let set = |name: &str| std::env::var(name).unwrap_or_default();
    io::stdout().is_terminal() && set("NO_COLOR").is_empty() && !is_dumb()
}

/// Whether the terminal knows neither colors nor a cursor that moves.
pub fn is_dumb() -> bool {
    std::env::var("TERM").is_ok_and(|name| name == "dumb")
}

/// Why standard output was not written, as the command's end.
pub fn unwritten(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Gone,
        _ => Failure::Unwritten(format!("standard output cannot be written: {error}")),
    }
}

/// Prints a failure in one line and answers the exit code.
pub fn finish(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::NonCompliant) => ExitCode::from(1),
        Ok(Exit::Undecided) => ExitCode::from(2),
        Ok(Exit::Unreadable) => ExitCode::from(74),
        Err(failure) => {
            if failure != Failure::Gone {
                say(&failure);
            }
            ExitCode::from(failure.code())
        }
    }
}

/// Tells the user something in one line on standard error. Where that cannot be written nobody is
/// left to tell.
pub fn say(line: impl Display) {
    tell("palisade", &line);
}

/// As [`say`], of what was left out or looks wrong.
pub fn warn(line: impl Display) {
    tell("warning", &line);
}

/// Writes a text of several lines to standard error.
pub fn complain(text: &str) {
    let text: String = masked(text).lines().map(|line| format!("{}\n", escaped(line))).collect();
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn tell(who: &str, line: &dyn Display) {
    let line = format!("{who}: {}", escaped(&masked(&line.to_string())));
    let line = paragraph(&line, error_width());
    // One write, so that lines of several threads stay whole.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}
