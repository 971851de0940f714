//! Opening the store that an address names, whichever engine keeps it.

use std::path::Path;

use palisade_api::Entropy as _;
use palisade_store::postgres::{Address, PostgresOpening, PostgresStore};
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
use palisade_store::{MemoryStore, Store};

use crate::args::StoreAddress;
use crate::failure::Failure;
use crate::sealing;
use crate::system::SystemEntropy;

/// Opens a store without serving from it. One that is not there is made, unless one was there before and this
/// is not to be a `new` one.
///
/// # Errors
/// The store cannot be made or opened; a store was there before.
pub fn open(address: &StoreAddress, new: bool) -> Result<Box<dyn Store>, Failure> {
    match address {
        StoreAddress::File(path) => of_file(path, new, false, Synchronous::Grouped),
        StoreAddress::Database(database) => of_database(database, true, "palisade"),
        StoreAddress::Memory => Err(of_nobody_else()),
    }
}

/// Opens a store that is there: looking must not make one.
///
/// # Errors
/// There is none, or it cannot be opened.
pub fn existing(address: &StoreAddress) -> Result<Box<dyn Store>, Failure> {
    match address {
        StoreAddress::File(path) if !path.exists() => Err(Failure::Usage(format!(
            "there is no store at `{}`; say where it is with --store sqlite:PATH",
            path.display()
        ))),
        StoreAddress::File(path) => of_file(path, false, false, Synchronous::Grouped),
        StoreAddress::Database(database) => of_database(database, false, "palisade"),
        StoreAddress::Memory => Err(of_nobody_else()),
    }
}

/// As [`existing`], while no server serves from it. A database cannot tell: whoever asks sees to that.
///
/// # Errors
/// As [`existing`], and a server that serves from the file.
pub fn alone(address: &StoreAddress) -> Result<Box<dyn Store>, Failure> {
    match address {
        StoreAddress::File(path) => of_file(path, false, true, Synchronous::Grouped),
        StoreAddress::Database(database) => of_database(database, false, "palisade"),
        StoreAddress::Memory => Err(of_nobody_else()),
    }
}

/// Opens a store to serve from it, as `node`.
///
/// # Errors
/// As [`open`], and another server that serves from the file.
pub fn serving(
    address: &StoreAddress,
    new: bool,
    synchronous: Synchronous,
    node: &str,
) -> Result<Box<dyn Store>, Failure> {
    match address {
        StoreAddress::File(path) => of_file(path, new, true, synchronous),
        StoreAddress::Database(database) => {
            of_database(database, true, &format!("palisade {node}"))
        }
        StoreAddress::Memory => Ok(Box::new(MemoryStore::new(fresh_key()?))),
    }
}

/// A store in memory is opened by its server alone.
fn of_nobody_else() -> Failure {
    Failure::Usage(
        "a store in memory is seen by its server alone: ask that server, with --endpoint"
            .to_owned(),
    )
}

fn of_file(
    path: &Path,
    new: bool,
    serve: bool,
    synchronous: Synchronous,
) -> Result<Box<dyn Store>, Failure> {
    if !new {
        sealing::refuse_lost(path)?;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Refused(format!("folder `{}` cannot be made: {error}", folder.display()))
        })?;
    }
    let opening = Opening { fresh_sealing_key: fresh_key()?, serve, synchronous };
    match SqliteStore::open(path, opening) {
        Ok(store) => Ok(Box::new(store)),
        Err(error) => Err(Failure::Refused(error.to_string())),
    }
}

fn of_database(
    database: &Address,
    is_made: bool,
    application: &str,
) -> Result<Box<dyn Store>, Failure> {
    let opening = PostgresOpening {
        fresh_sealing_key: fresh_key()?,
        is_made,
        application: application.to_owned(),
    };
    match PostgresStore::open(database.clone(), &opening) {
        Ok(store) => Ok(Box::new(store)),
        Err(error) => Err(Failure::Refused(error.to_string())),
    }
}

fn fresh_key() -> Result<[u8; 32], Failure> {
    let mut key = [0; 32];
    SystemEntropy
        .fill(&mut key)
        .map_err(|error| Failure::Refused(format!("no random bytes can be had: {error}")))?;
    Ok(key)
}

/// This machine's name, by which a database shows whose its connections are.
#[must_use]
pub fn node_name() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    name.trim().to_owned()
}
