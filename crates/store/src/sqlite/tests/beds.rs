//! Stores to run the contract on.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::Store;
use crate::contract::Bed;
use crate::sqlite::{Opening, SqliteStore, Synchronous};

pub fn serving() -> Opening {
    Opening { fresh_sealing_key: [7; 32], serve: true, synchronous: Synchronous::Grouped }
}

pub fn looking() -> Opening {
    Opening { fresh_sealing_key: [8; 32], serve: false, synchronous: Synchronous::Grouped }
}

/// A store in a file of its own folder.
pub struct OnDisk {
    pub folder: TempDir,
    /// `None` only while it is opened again.
    pub store: Option<SqliteStore>,
}

impl OnDisk {
    pub fn new() -> OnDisk {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.db"), serving()).unwrap();
        OnDisk { folder, store: Some(store) }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }
}

impl Bed for OnDisk {
    fn store(&self) -> &dyn Store {
        self.store.as_ref().unwrap()
    }

    fn reopen(&mut self) -> bool {
        self.store = None;
        self.store = Some(SqliteStore::open(&self.path(), serving()).unwrap());
        true
    }
}

/// A store that ends with the process.
pub struct InMemory(SqliteStore);

impl InMemory {
    pub fn new() -> InMemory {
        InMemory(SqliteStore::in_memory([7; 32]).unwrap())
    }
}

impl Bed for InMemory {
    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn reopen(&mut self) -> bool {
        false
    }
}
