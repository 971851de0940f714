//! How a command ends: what it says in one line, and the exit code.

use std::fmt;
use std::process::ExitCode;

/// Why a command could not do what it was asked. Exit codes are those of `sysexits.h` where it has
/// one.
#[derive(Debug, Eq, PartialEq)]
pub enum Failure {
    /// The command line, or a file that says what is wanted, is wrong: 64.
    Usage(String),
    /// Input cannot be read: 74.
    Input(String),
    /// Anything else, such as a server's refusal: 1.
    Refused(String),
    /// No other call would fare better: nobody answers, or the key is not let in: 1.
    Unwelcome(String),
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
    fn code(&self) -> u8 {
        match self {
            Failure::Refused(_) | Failure::Unwelcome(_) => 1,
            Failure::Usage(_) => 64,
            Failure::Input(_) => 74,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Failure::Usage(text)
        | Failure::Input(text)
        | Failure::Refused(text)
        | Failure::Unwelcome(text)) = self;
        f.write_str(text)
    }
}

/// Input that cannot be read: which, and what the system said.
pub fn unreadable(path: &std::path::Path, error: impl fmt::Display) -> Failure {
    Failure::Input(format!("`{}` cannot be read: {error}", path.display()))
}

/// Prints a failure in one line and answers the exit code.
pub fn finish(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::NonCompliant) => ExitCode::from(1),
        Ok(Exit::Undecided) => ExitCode::from(2),
        Ok(Exit::Unreadable) => ExitCode::from(74),
        Err(failure) => {
            eprintln!("palisade: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
