//! How a store is opened, as far as the caller says.

/// How a store is opened.
#[derive(Clone)]
pub struct Opening {
    /// Kept as [`Keys::sealing_key`](crate::Keys::sealing_key) when this makes the store, unused otherwise.
    pub fresh_sealing_key: [u8; 32],
    /// Lock the file, and `PATH.lock` beside it, so that no second process serves from the store
    /// under whatever name. What only looks or makes keys opens it without.
    pub serve: bool,
    /// How far a commit goes before it is acknowledged.
    pub synchronous: Synchronous,
}

/// How far a commit goes before it is acknowledged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Synchronous {
    /// On disk, by one sync for all commits that wait; a thread moves the log into the file.
    #[default]
    Grouped,
    /// On disk, by SQLite: a sync in the turn of each commit, and by the one that made the log long
    /// the log is moved.
    Full,
    /// Not waited for: for showing that a crash test can see a loss. The promises of [`Store`](crate::Store) do not
    /// hold.
    Off,
}
