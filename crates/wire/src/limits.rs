//! What a call may take on the wire.

/// Greatest body of an AWS operation, in bytes. The listener refuses more before it reads it.
pub const BODY_SIZE_MAX: usize = 1024 * 1024;

/// Greatest total size of a call's header names and values, in bytes. The listener refuses more.
pub const HEADERS_SIZE_MAX: usize = 16 * 1024;

/// Deepest nesting of a JSON or CBOR body; the outermost object is depth 1.
pub const DEPTH_MAX: usize = 64;

/// Most values (members, items, entries) of one body, so that a megabyte of tiny items cannot take a hundred.
pub const VALUES_MAX: usize = 100_000;
