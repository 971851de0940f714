//! How a command ends: what it says in one line, and the exit code. [`crate::terminal::finish`] says it.

use std::fmt;

/// Why a command could not do what it was asked. Exit codes are those of `sysexits.h`: 1 and 2 are what a
/// command found, so that a pipeline can tell a finding from a server that is down.
#[derive(Debug, Eq, PartialEq)]
pub enum Failure {
    /// The command line, or a file that says what is wanted, is wrong: 64.
    Usage(String),
    /// Input cannot be read: 74.
    Input(String),
    /// Anything else, such as a server's refusal: 69.
    Refused(String),
    /// No other call would fare better: nobody answers, or the key is not let in: 69.
    Unwelcome(String),
    /// What was looked at is not well, which is the finding: 1.
    Unwell(String),
    /// The result could not be written: 74.
    Unwritten(String),
    /// Whoever read the result went away, as `head` does: 141 without a word, which is what a shell
    /// says of a program that SIGPIPE ended. Neither 0 nor 1: nobody read what the result is.
    Gone,
}

/// What a command answers.
pub type Outcome = Result<Exit, Failure>;

/// How a command that did its work ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// Done; for `check`: everything complies.
    Done,
    /// `check`: something does not comply.
    NonCompliant,
    /// `check`: nothing was found to break a policy, but something could not be told.
    Undecided,
    /// `check`: some input could not be read; what could was judged.
    Unreadable,
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Failure::Unwell(_) => 1,
            Failure::Refused(_) | Failure::Unwelcome(_) => 69,
            Failure::Usage(_) => 64,
            Failure::Input(_) | Failure::Unwritten(_) => 74,
            Failure::Gone => 141,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::Usage(text)
            | Failure::Input(text)
            | Failure::Refused(text)
            | Failure::Unwelcome(text)
            | Failure::Unwell(text)
            | Failure::Unwritten(text) => text,
            Failure::Gone => "nobody reads standard output any more",
        })
    }
}

/// Input that cannot be read: which, and what the system said.
pub fn unreadable(path: &std::path::Path, error: impl fmt::Display) -> Failure {
    Failure::Input(format!("`{}` cannot be read: {error}", path.display()))
}
