//! How results are printed.

use clap::ValueEnum;

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs; AWS's own member names.
    Json,
    /// For spreadsheets.
    Csv,
}
