//! CBOR (RFC 8949) as RPC v2 uses it: a strict reader, a decoder led by the shape table, an encoder for serde types.

mod decode;
mod encode;
mod read;

pub(crate) use decode::decode;
pub(crate) use encode::write;
pub use read::{CHUNKS_MAX, HEADS_MAX, Head, Malformed, Reader, TAGS_MAX};
