//! The store's file and its write-ahead log: who writes and who reads, when a commit is on disk, and
//! when the log is moved into the file.
//!
//! | file | is |
//! |---|---|
//! | `connect.rs` | one connection, set as all are |
//! | `connections.rs` | the one connection that writes, those that read, and the thread beside them |
//! | `writer.rs` | a transaction from its turn to its acknowledgement |
//! | `disk.rs` | one sync for all commits that wait, and that none follows one that failed |
//! | `checkpoint.rs` | how long the log is, and moving it into the file |
//! | `mover.rs` | the thread that moves the log into the file |
//! | `left.rs` | whether a log that a crash left is whole |
//! | `mark.rs` | how far the log was on disk when a write was last acknowledged |
//! | `names.rs` | names of the files beside the store's |
//! | `files.rs` | the lock, and whether the names still lead to the open files |
//!
//! Under [`Synchronous::Full`](super::Synchronous::Full) SQLite syncs each commit and moves the log by
//! itself: `mover.rs` has no thread, and of `disk.rs` the memory of a failed sync is left.

mod checkpoint;
mod connect;
pub(super) mod connections;
mod disk;
mod files;
mod left;
mod mark;
mod mover;
mod names;
mod writer;

pub(super) use connect::{connect, keep_log};
pub(super) use connections::Connections;
pub(super) use files::{Claim, has_no_log, is_of_damage};
pub(super) use left::{Left, left};
pub(super) use mark::Mark;
pub(super) use mover::MOVED_PAGES;
pub(super) use names::sibling;
pub(super) use writer::Transaction;
