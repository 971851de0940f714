//! The layout of stored items: its number, and what is wrong with bytes that do not have it.

use serde::Deserialize;

/// First byte of an encoded item; raised whenever the layout or a typed body changes. A further body has
/// a number of its own (`body.rs`) and needs no other layout.
pub const ITEM_LAYOUT: u8 = 3;

/// Why bytes are not an encoded item.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ItemDecodeError {
    /// The first byte is another layout's.
    #[error(
        "the item has layout {found}, this version reads up to {ITEM_LAYOUT}: ingest its delivery again"
    )]
    Layout {
        /// What the first byte says; 0 when there is none.
        found: u8,
    },
    /// The rest does not decode.
    #[error("the stored item is damaged: {0}")]
    Damaged(String),
}

/// That nothing is left.
pub(super) fn end(rest: &[u8]) -> Result<(), ItemDecodeError> {
    match rest.len() {
        0 => Ok(()),
        more => Err(ItemDecodeError::Damaged(format!("{more} bytes too many"))),
    }
}

/// The value that the bytes begin with, and the rest.
pub(super) fn take<'b, T: Deserialize<'b>>(
    bytes: &'b [u8],
) -> Result<(T, &'b [u8]), ItemDecodeError> {
    postcard::take_from_bytes(bytes).map_err(|error| ItemDecodeError::Damaged(error.to_string()))
}
