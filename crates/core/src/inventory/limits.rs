//! How much of a file is read, and how deep.

/// Nesting of brackets in a file; in a JSON text inside a JSON text it counts anew.
pub const DEPTH_MAX: u32 = 64;

/// Bytes of one item or record.
pub const ITEM_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of text before the JSON of a notification sent as an e-mail (formats §6).
pub const PREAMBLE_BYTES_MAX: u64 = 64 * 1024;

/// Why something nested beyond the limit is not read.
pub(super) fn too_deep() -> String {
    format!("nested more than {DEPTH_MAX} deep")
}
