//! The engine for many nodes: PostgreSQL 15 or newer.
//!
//! A transaction that writes facts, decisions or findings holds the store's one row from its beginning to its
//! commit. So there is one such writer at a time, over all nodes, and the rules hold as they do over one file.
//! Leases are taken beside it: rows of work that another node is taking are skipped. Readers see one moment and
//! wait for nobody.
//!
//! | file | is |
//! |---|---|
//! | `address.rs`, `passwords.rs` | where the database is, as libpq reads it |
//! | `tls.rs`, `session.rs`, `waiting.rs`, `pool.rs` | connections |
//! | `turn.rs` | one transaction |
//! | `fault.rs` | what may be tried again |
//! | `schema.rs` | tables and their versions |
//! | the others | the verbs |
//!
//! Rows have no checksums of ours: PostgreSQL verifies one of each page that it reads (`data_checksums`), and a
//! warning says when that is off.

mod address;
mod audit;
mod changes;
mod columns;
mod control;
mod expected;
mod fault;
mod items;
mod keys;
mod ledger;
mod missed;
mod passwords;
mod past;
mod pool;
mod readers;
mod schema;
mod session;
mod shards;
mod shown;
mod store_row;
mod support;
mod taken;
#[cfg(test)]
mod tests;
mod tls;
mod turn;
mod waiting;
mod work;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::effort::Spent;
use crate::engine::Engine;
use crate::{Effort, Result, StoreError};

use columns::with;
use fault::{Fault, FaultKind};
use pool::Pool;
use session::{ANSWER, CommitMark, Server, Session};
use turn::{Ended, Mode, Turn};

pub use address::Address;

/// How long a call is tried again while the database is away or undoes it.
const PATIENCE: Duration = Duration::from_secs(8);
/// The first pause before another try; each is twice the one before, up to the longest.
const PAUSE: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// How long it is tried to read whether a commit was made.
const RESOLVING: Duration = Duration::from_secs(30);
/// How long the database may take to say that it is well.
const PROBE: Duration = Duration::from_secs(3);

/// How to open a store.
#[derive(Clone, Debug)]
pub struct PostgresOpening {
    /// What a new store keeps as [`crate::Keys::sealing_key`].
    pub fresh_sealing_key: [u8; 32],
    /// Make a store where there is none.
    pub is_made: bool,
    /// What the server shows of our connections.
    pub application: String,
}

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    server: Arc<Server>,
    /// Writers of this node queue here, and not in the database, where each would hold a connection.
    turn: Mutex<()>,
    /// Why the last write failed.
    failing: Mutex<Option<String>>,
    /// Asks whether the database is well, whatever else waits.
    probe: Mutex<Option<Session>>,
    spent: Spent,
    /// `None` only while it ends.
    runtime: Option<Runtime>,
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A runtime that is dropped on another's thread would panic.
            runtime.shutdown_background();
        }
    }
}

impl PostgresStore {
    /// Opens the store of a database, migrated when it is of an older schema.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] when a newer Palisade wrote it; [`StoreError::Engine`] when the database cannot
    /// be reached, does not fit, or has no store and none is to be made.
    pub fn open(address: Address, opening: &PostgresOpening) -> Result<PostgresStore> {
        let threads = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("postgres")
            .enable_all()
            .build();
        let runtime = threads.map_err(|error| StoreError::Engine(error.into()))?;
        let application = opening.application.clone();
        let server = Arc::new(Server::new(address, application, runtime.handle().clone())?);
        let session = server.connect(ANSWER)?;
        schema::prepare(&server, &session, opening.is_made, &opening.fresh_sealing_key)?;
        // Rows of connections that ended long ago: what became of their commits nobody asks any more.
        session.query("DELETE FROM commits WHERE begun < now() - interval '30 days'", &[])?;
        Ok(PostgresStore {
            pool: Pool::of(server.clone()),
            server,
            turn: Mutex::default(),
            failing: Mutex::default(),
            probe: Mutex::default(),
            spent: Spent::default(),
            runtime: Some(runtime),
        })
    }

    /// Where the store is, without the password.
    pub fn place(&self) -> &str {
        &self.server.place
    }

    fn reading<T>(&self, mode: Mode, mut ask: impl FnMut(&Turn<'_>) -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        let answer = trying(|| {
            let lent = self.pool.lend()?;
            let turn = Turn::begin(lent.session()?, mode)?;
            let asked = ask(&turn);
            turn::ended(turn, asked).map(|(answer, _)| answer)
        });
        self.spent.read(begun.elapsed());
        answer
    }

    fn writing<T>(&self, mode: Mode, mut act: impl FnMut(&Turn<'_>) -> Result<T>) -> Result<T> {
        let (mut waited, mut took) = (Duration::ZERO, Duration::ZERO);
        let answer = trying(|| {
            let asked = Instant::now();
            let alone = || self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let _alone = (mode == Mode::Write).then(alone);
            let lent = self.pool.lend()?;
            let turn = Turn::begin(lent.session()?, mode)?;
            let begun = Instant::now();
            waited += begun.duration_since(asked);
            let done = act(&turn);
            let ended = turn::ended(turn, done);
            took += begun.elapsed();
            match ended? {
                (done, Ended::Committed) => Ok(done),
                (done, Ended::Unknown(mark, fault)) => {
                    // The lost connection is not needed to ask.
                    drop(lent);
                    self.resolve(&mark, fault).map(|()| done)
                }
            }
        });
        self.spent.write(waited, took, Duration::ZERO);
        self.note(answer.as_ref().err());
        answer
    }

    /// Reads whether a transaction was committed whose answer was lost. Whoever still works on it is waited
    /// for: it holds the row.
    ///
    /// # Errors
    /// The fault, when it was not committed: it may be tried again. Another, when that cannot be read.
    fn resolve(&self, mark: &CommitMark, fault: Fault) -> Result<()> {
        let until = Instant::now() + RESOLVING;
        let mut pause = PAUSE;
        loop {
            let read = self.server.connect(ANSWER).and_then(|session| {
                session.query(
                    "SELECT number FROM commits WHERE connection = $1::text::uuid FOR UPDATE",
                    &with![&mark.connection],
                )
            });
            match read {
                Ok(rows) => {
                    let number = rows.first().and_then(|row| row.try_get::<_, i64>(0).ok());
                    let is_made = number == Some(mark.number);
                    tracing::warn!(
                        is_made,
                        why = fault.why,
                        "the answer to a commit was lost, and read"
                    );
                    return if is_made { Ok(()) } else { Err(fault.into()) };
                }
                Err(_) if Instant::now() < until => {
                    thread::sleep(pause);
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                Err(_) => return Err(turn::unknown(&self.server.place, &fault)),
            }
        }
    }

    /// Notes how a write ended. What the caller asked for wrongly says nothing of the database.
    fn note(&self, error: Option<&StoreError>) {
        let failure = match error {
            Some(error @ StoreError::Engine(_)) => Some(fault::in_public(error)),
            Some(StoreError::Conflict | StoreError::Damaged { .. }) => return,
            Some(StoreError::InUse(_) | StoreError::TooNew { .. }) | None => None,
        };
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    fn failing(&self) -> Option<String> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the database whether it is well, on a connection of its own, and tries to write where the last
    /// write failed.
    fn ask_whether_well(&self) -> Result<()> {
        let mut held = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        let session = match held.take().filter(Session::is_usable) {
            Some(session) => session,
            None => {
                let session = self.server.connect(PROBE)?;
                session.batch("SET lock_timeout = 2000; SET statement_timeout = 3000")?;
                session
            }
        };
        let is_failing = self.failing().is_some();
        let asked = match is_failing {
            false => session.query("SELECT one FROM store", &[]),
            true => session.query("UPDATE store SET one = one WHERE one = 1", &[]),
        };
        asked?;
        if is_failing {
            self.note(None);
        }
        *held = Some(session);
        Ok(())
    }
}

/// Tries a call again while the database undoes it or is away, but not for long: somebody waits.
fn trying<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    let until = Instant::now() + PATIENCE;
    let mut pause = PAUSE;
    loop {
        match call() {
            Err(error) if may_pass(&error) && Instant::now() + pause < until => {
                tracing::debug!(%error, "tried again");
                thread::sleep(pause);
                pause = (pause * 2).min(PAUSE_MAX);
            }
            answer => return answer,
        }
    }
}

fn may_pass(error: &StoreError) -> bool {
    match fault::kind(error) {
        Some(FaultKind::Undone | FaultKind::Lost) => true,
        Some(FaultKind::Final) | None => false,
    }
}

impl Engine for PostgresStore {
    type Rows<'r> = Turn<'r>;

    fn read<T>(&self, ask: impl FnMut(&Turn<'_>) -> Result<T>) -> Result<T> {
        self.reading(Mode::Read, ask)
    }

    fn read_one<T>(&self, ask: impl FnMut(&Turn<'_>) -> Result<T>) -> Result<T> {
        self.reading(Mode::ReadOne, ask)
    }

    fn write<T>(&self, act: impl FnMut(&Turn<'_>) -> Result<T>) -> Result<T> {
        self.writing(Mode::Write, act)
    }

    fn write_leases<T>(&self, act: impl FnMut(&Turn<'_>) -> Result<T>) -> Result<T> {
        self.writing(Mode::Lease, act)
    }

    fn takes_writes(&self) -> Result<()> {
        match self.failing() {
            None => Ok(()),
            Some(why) => Err(StoreError::Engine(why.into())),
        }
    }

    fn recover(&self) -> Result<()> {
        // `/readyz` tells it to whoever asks.
        self.ask_whether_well().map_err(|error| {
            tracing::debug!(%error, "the database is not well");
            StoreError::Engine(fault::in_public(&error).into())
        })?;
        self.takes_writes()
    }

    fn spent(&self) -> Result<Effort> {
        let bytes = self.reading(Mode::ReadOne, |turn| turn.size())?;
        Ok(Effort { bytes, ..self.spent.so_far() })
    }
}
