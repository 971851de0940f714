//! Programs of the machine that check what was made.

use std::io::ErrorKind;
use std::process::{Command, Output};

use super::report::Checked;

/// What a program said.
pub struct Said {
    /// Whether it ended with success.
    pub is_success: bool,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Both outputs, where it failed.
    pub fn whole(&self) -> String {
        format!("{}{}", self.out, self.err).trim().to_owned()
    }
}

/// Runs a program to its end; `None` where it is not installed.
///
/// # Errors
/// When it is installed and cannot be started.
pub fn said(command: &mut Command) -> Result<Option<Said>, String> {
    match command.output() {
        Ok(Output { status, stdout, stderr }) => Ok(Some(Said {
            is_success: status.success(),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("`{command:?}` did not start: {error}")),
    }
}

/// Runs a program whose success is the check; skipped where it is not installed.
///
/// # Errors
/// When it fails, with what it said.
pub fn passes(command: &mut Command, what: &str) -> Result<Checked, String> {
    match said(command)? {
        None => Ok(Checked::Skipped(missing(command))),
        Some(said) if said.is_success => Ok(Checked::Seen(what.to_owned())),
        Some(said) => Err(format!("`{command:?}` failed: {}", said.whole())),
    }
}

/// As [`said`], where doing without the program is no choice.
///
/// # Errors
/// When it is not installed, or fails.
pub fn must(command: &mut Command) -> Result<Said, String> {
    match said(command)? {
        None => Err(missing(command)),
        Some(said) if said.is_success => Ok(said),
        Some(said) => Err(format!("`{command:?}` failed: {}", said.whole())),
    }
}

/// That a program is not there.
pub fn missing(command: &Command) -> String {
    format!("there is no `{}` here", command.get_program().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_skipped_and_one_that_fails_is_not() {
        let missing = passes(&mut Command::new("palisade-no-such-program"), "x");
        assert!(matches!(missing, Ok(Checked::Skipped(_))));
        assert!(matches!(passes(&mut Command::new("true"), "x"), Ok(Checked::Seen(_))));
        assert!(passes(&mut Command::new("false"), "x").is_err());
        assert!(must(&mut Command::new("palisade-no-such-program")).is_err());
    }
}
