//! What a store's calls cost, and how large it is.

/// What the calls of a store came to since it was opened, and its size now.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Effort {
    /// Transactions that read.
    pub reads: u64,
    /// How long they took together, waiting for a connection included, nanoseconds.
    pub read_ns: u64,
    /// Transactions that write.
    pub writes: u64,
    /// How long they took together once they had their turn, nanoseconds.
    pub write_ns: u64,
    /// How long they waited for their turn together, nanoseconds.
    pub write_wait_ns: u64,
    /// How long they waited for the disk afterwards together, while others wrote, nanoseconds.
    pub sync_ns: u64,
    /// Size of the database, bytes.
    pub bytes: u64,
    /// Of these, bytes that hold nothing and are used again.
    pub free_bytes: u64,
}
