//! What is wrong in a file, and where.

use std::fmt;
use std::ops::Range;

/// Of which kind a fault is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Grade {
    /// The file is right, and what it refers to is not there: a variable, a file.
    Elsewhere,
    /// The file is wrong.
    Wrong,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
    /// The setting: `inventory[0].role`; empty for what is no setting.
    pub path: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// Of which kind it is.
    pub grade: Grade,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// A file's text, by which places are told.
pub(super) struct Text<'t>(&'t str);

impl<'t> Text<'t> {
    pub fn new(text: &'t str) -> Self {
        Text(text)
    }

    /// A fault at these bytes.
    pub fn fault(&self, span: Range<usize>, path: &str, message: &str) -> Fault {
        let before = self.0.get(..span.start.min(self.0.len())).unwrap_or_default();
        let line_begins = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let in_line = before.get(line_begins..).unwrap_or_default();
        Fault {
            line: before.matches('\n').count().saturating_add(1),
            column: in_line.chars().count().saturating_add(1),
            path: path.to_owned(),
            message: message.trim().replace('\n', "; "),
            grade: Grade::Wrong,
        }
    }
}
