//! Why a delivered file is refused.

use super::foreign;

/// Why a file is refused as a whole. Positions are bytes of the inflated file, counted from 0.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeliveryError {
    /// Nothing in it.
    #[error("the file is empty: fetch it again")]
    Empty,
    /// It ends inside a value.
    #[error("the file ends at byte {0} in the middle of a value: it is cut off, fetch it again")]
    Truncated(u64),
    /// A byte that no JSON has there.
    #[error("not JSON at byte {at}: unexpected `{}`", found.escape_ascii())]
    NotJson {
        /// Where.
        at: u64,
        /// What.
        found: u8,
    },
    /// Text without any JSON object.
    #[error("no JSON found: expected a file of AWS Config items")]
    NoJson,
    /// Something that is no JSON follows a value.
    #[error(
        "trailing data at byte {0}: nothing but blanks and line breaks may separate JSON values"
    )]
    Trailing(u64),
    /// An archive, of this kind.
    #[error("it is a {0} archive: unpack it first")]
    Archive(&'static str),
    /// The rows of an advanced query, as CSV.
    #[error("it is an export of a query as CSV: export it as JSON")]
    QueryTable,
    /// JSON of another kind.
    #[error("no configuration items in it: is it a file of AWS Config?")]
    NoItems,
}

impl DeliveryError {
    /// What a file's beginning shows it to be that cannot be read (semantics §11 row 69).
    pub(super) fn of_head(head: &[u8]) -> Option<DeliveryError> {
        let table = || foreign::is_query_table(head).then_some(DeliveryError::QueryTable);
        foreign::archive(head).map(DeliveryError::Archive).or_else(table)
    }
}
