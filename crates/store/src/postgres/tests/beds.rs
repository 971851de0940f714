//! Stores to run the contract on: schemas of one server that all tests share.

use palisade_testkit::postgres::{Postgres, shared};

use crate::Store;
use crate::contract::Bed;
use crate::postgres::{Address, PostgresOpening, PostgresStore};

/// How a node opens a store, or makes it.
pub fn opening() -> PostgresOpening {
    PostgresOpening {
        fresh_sealing_key: [7; 32],
        is_made: true,
        application: "palisade test".to_owned(),
    }
}

/// The address that a URL names, without a look at this machine's variables.
pub fn address(url: &str) -> Address {
    Address::read(url, &|_| None).unwrap_or_else(|why| panic!("{url}: {why}"))
}

/// A node over the store of a URL.
pub fn node(url: &str) -> PostgresStore {
    PostgresStore::open(address(url), &opening()).unwrap()
}

/// A store in a schema of its own.
pub struct OnServer {
    pub url: String,
    /// `None` only while it is opened again.
    store: Option<PostgresStore>,
}

impl OnServer {
    pub fn new() -> Option<OnServer> {
        shared().map(OnServer::on)
    }

    pub fn on(server: &Postgres) -> OnServer {
        let url = server.fresh_url();
        OnServer { store: Some(node(&url)), url }
    }
}

impl Bed for OnServer {
    fn store(&self) -> &dyn Store {
        self.store.as_ref().unwrap()
    }

    fn reopen(&mut self) -> bool {
        self.store = None;
        self.store = Some(node(&self.url));
        true
    }

    fn leases_outlive_their_node(&self) -> bool {
        true
    }
}
