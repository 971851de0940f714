//! The connection that writes, and how writers that wait for it share a wait for the disk.
//!
//! ```text
//! A: begin, act ──┐                 told
//! B:   (waits) savepoint, act ──┐    told
//! C:             (waits) savepoint, act, commit ─► A, B and C return
//! ```
//!
//! Whoever has written leaves the transaction open for those who wait already, and returns when one
//! of them has committed it; who finds nobody waiting commits at once. So one writer costs what it
//! did, and many cost one wait for the disk together. Each acts behind a savepoint: what one of them
//! fails at takes nothing from the others. None returns before its writes are on disk.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::{Result, StoreError};

/// Writers that share one transaction: the first of them waits for all others.
pub(super) const SHARERS_MAX: usize = 16;
/// What they may weigh together, in rows: who waits for a long delivery would rather have gone
/// before it.
pub(super) const SHARED_ROWS_MAX: usize = 10_000;

/// A transaction that is open on this connection.
pub(super) struct Transaction<'c>(&'c Connection);

impl<'c> Transaction<'c> {
    /// For whoever began one and ends it.
    pub(super) fn on(connection: &'c Connection) -> Transaction<'c> {
        Transaction(connection)
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0
    }
}

/// The writing connection, for one at a time.
pub(super) struct Writer {
    turn: Mutex<Turn>,
    /// Who stands before the lock. INVARIANT: each of them, once in, ends the transaction that it
    /// finds or joins it, so that it does not stay open.
    waiting: AtomicUsize,
}

/// Who has this writes.
pub(super) struct Turn {
    connection: Connection,
    /// The transaction that others left open.
    shared: Option<Shared>,
}

struct Shared {
    sharers: usize,
    rows: usize,
    end: Arc<End>,
}

/// What became of a transaction.
#[derive(Default)]
struct End {
    became: Mutex<Option<Result<(), String>>>,
    told: Condvar,
}

/// Why a writer's transaction, which others shared, is not on disk.
#[derive(Debug, thiserror::Error)]
#[error("nothing was written: {0}")]
struct Undone(String);

impl Writer {
    pub(super) fn of(connection: Connection) -> Writer {
        Writer { turn: Mutex::new(Turn { connection, shared: None }), waiting: AtomicUsize::new(0) }
    }

    /// Runs `act`, which writes about as many `rows`, and commits what it did, or undoes it when it
    /// fails. Answers with it how long the turn took to come.
    pub(super) fn write<T>(
        &self,
        rows: usize,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> (Result<T>, Duration) {
        let asked = Instant::now();
        let mut turn = self.turn();
        let waited = asked.elapsed();
        turn.make_room(rows);
        let acted = turn.act(rows, act);
        let end = turn.shared.as_ref().map(|shared| shared.end.clone());
        if self.waiting.load(Ordering::SeqCst) == 0 {
            turn.commit();
        }
        drop(turn);
        let answer = acted.unwrap_or_else(|panic| resume_unwind(panic));
        let committed = |value| end.map_or(Ok(()), |end| end.wait()).map(|()| value);
        (answer.and_then(committed), waited)
    }

    /// The connection, when all that was written on it is committed.
    pub(super) fn alone(&self) -> Alone<'_> {
        let mut turn = self.turn();
        turn.commit();
        Alone(turn)
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        // A panic left no half-done write behind: it was undone.
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        turn
    }
}

/// The connection without a transaction.
pub(super) struct Alone<'w>(MutexGuard<'w, Turn>);

impl Alone<'_> {
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.0.connection
    }
}

impl Turn {
    /// Commits what others left open, where this one would be too many or too much.
    fn make_room(&mut self, rows: usize) {
        let is_full = self.shared.as_ref().is_some_and(|shared| {
            shared.sharers >= SHARERS_MAX || shared.rows.saturating_add(rows) > SHARED_ROWS_MAX
        });
        if is_full {
            self.commit();
        }
    }

    /// In the transaction that is open, or in a new one. What fails or panics leaves nothing behind.
    fn act<T>(
        &mut self,
        rows: usize,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> std::thread::Result<Result<T>> {
        let first = self.shared.is_none();
        // Alone in it there is no need to tell one's own writes from those of others.
        let (begin, keep, undo) = match first {
            true => ("BEGIN IMMEDIATE", "", "ROLLBACK"),
            false => ("SAVEPOINT sharer", "RELEASE sharer", "ROLLBACK TO sharer; RELEASE sharer"),
        };
        if let Err(error) = self.connection.execute_batch(begin) {
            return Ok(Err(error.into()));
        }
        let connection = &self.connection;
        let acted = catch_unwind(AssertUnwindSafe(|| {
            let answer = act(&Transaction::on(connection))?;
            connection.execute_batch(keep)?;
            Ok(answer)
        }));
        if matches!(acted, Ok(Ok(_))) {
            let end = Arc::default();
            let shared = self.shared.get_or_insert(Shared { sharers: 0, rows: 0, end });
            shared.sharers += 1;
            shared.rows = shared.rows.saturating_add(rows);
        } else if connection.is_autocommit() || connection.execute_batch(undo).is_err() {
            // Some failures, such as a full disk, undo the whole transaction.
            self.lose("another write failed, and all that were on their way with it");
        }
        acted
    }

    /// Commits the open transaction, if there is one, and tells those who wrote in it.
    fn commit(&mut self) {
        let Some(shared) = &self.shared else { return };
        match self.connection.execute_batch("COMMIT") {
            Ok(()) => {
                shared.end.tell(Ok(()));
                self.shared = None;
            }
            Err(error) => self.lose(&error.to_string()),
        }
    }

    fn lose(&mut self, why: &str) {
        if !self.connection.is_autocommit() {
            // Where this fails as well, whoever begins the next transaction is told so.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        if let Some(shared) = self.shared.take() {
            shared.end.tell(Err(why.to_owned()));
        }
    }
}

impl End {
    fn tell(&self, became: Result<(), String>) {
        *self.became.lock().unwrap_or_else(PoisonError::into_inner) = Some(became);
        self.told.notify_all();
    }

    fn wait(&self) -> Result<()> {
        let became = self.became.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = self.told.wait_while(became, |became| became.is_none());
        match &*ended.unwrap_or_else(PoisonError::into_inner) {
            Some(Err(why)) => Err(StoreError::Engine(Box::new(Undone(why.clone())))),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn() -> Turn {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER NOT NULL)").unwrap();
        Turn { connection, shared: None }
    }

    fn put(n: usize) -> impl FnOnce(&Transaction<'_>) -> Result<()> {
        move |tx| Ok(tx.execute("INSERT INTO t VALUES (?1)", [n]).map(drop)?)
    }

    fn held(turn: &Turn) -> Vec<usize> {
        let mut every = turn.connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
        every.query_map([], |row| row.get(0)).unwrap().map(|n| n.unwrap()).collect()
    }

    /// Lets as many write that many rows each; answers how many share what is open then.
    fn sharers(writers: usize, rows: usize) -> usize {
        let mut turn = turn();
        for n in 0..writers {
            turn.make_room(rows);
            turn.act(rows, put(n)).unwrap().unwrap();
        }
        let sharers = turn.shared.as_ref().unwrap().sharers;
        turn.commit();
        assert_eq!(held(&turn), (0..writers).collect::<Vec<_>>());
        sharers
    }

    #[test]
    fn so_many_share_a_transaction_and_no_more() {
        for (writers, wanted) in
            [(SHARERS_MAX - 1, SHARERS_MAX - 1), (SHARERS_MAX, SHARERS_MAX), (SHARERS_MAX + 1, 1)]
        {
            assert_eq!(sharers(writers, 1), wanted, "{writers}");
        }
    }

    #[test]
    fn they_share_it_while_they_write_so_many_rows() {
        let half = SHARED_ROWS_MAX / 2;
        for (rows, wanted) in [(half - 1, 2), (half, 2), (half + 1, 1), (SHARED_ROWS_MAX + 1, 1)] {
            assert_eq!(sharers(2, rows), wanted, "{rows}");
        }
    }

    #[test]
    fn what_one_fails_at_takes_nothing_from_the_others() {
        let mut turn = turn();
        let fail = |n| {
            move |tx: &Transaction<'_>| {
                put(n)(tx)?;
                Err::<(), _>(StoreError::Conflict)
            }
        };
        assert!(matches!(turn.act(1, fail(0)), Ok(Err(StoreError::Conflict))), "the first");
        assert!(turn.shared.is_none() && turn.connection.is_autocommit());
        turn.act(1, put(1)).unwrap().unwrap();
        assert!(matches!(turn.act(1, fail(2)), Ok(Err(StoreError::Conflict))), "another");
        let panics = |tx: &Transaction<'_>| -> Result<()> {
            put(3)(tx)?;
            panic!("on purpose")
        };
        assert!(turn.act(1, panics).is_err());
        turn.act(1, put(4)).unwrap().unwrap();
        turn.commit();
        assert_eq!(held(&turn), [1, 4]);
    }

    #[test]
    fn where_all_is_undone_all_are_told() {
        let mut turn = turn();
        turn.act(1, put(1)).unwrap().unwrap();
        let end = turn.shared.as_ref().unwrap().end.clone();
        // As SQLite does by itself when the disk is full.
        let undoes_all = |tx: &Transaction<'_>| -> Result<()> {
            tx.execute_batch("ROLLBACK")?;
            Err(StoreError::Conflict)
        };
        assert!(matches!(turn.act(1, undoes_all), Ok(Err(StoreError::Conflict))));
        assert!(end.wait().unwrap_err().to_string().contains("another write failed"));
        turn.act(1, put(2)).unwrap().unwrap();
        turn.commit();
        assert_eq!(held(&turn), [2]);
    }

    #[test]
    fn whoever_returns_is_committed_though_others_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let Turn { connection, .. } = turn();
        connection.execute("VACUUM INTO ?1", [path.to_str().unwrap()]).unwrap();
        let writer = Writer::of(Connection::open(&path).unwrap());
        let others = 3;
        let has_turn = std::sync::Barrier::new(others + 1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (answer, _) = writer.write(1, |tx| {
                    has_turn.wait();
                    // Until all of them stand before the lock.
                    while writer.waiting.load(Ordering::SeqCst) < others {
                        std::thread::yield_now();
                    }
                    put(0)(tx)
                });
                answer.unwrap();
                assert!(seen(&path).contains(&0));
            });
            for n in 1..=others {
                let (writer, path, has_turn) = (&writer, &path, &has_turn);
                scope.spawn(move || {
                    has_turn.wait();
                    writer.write(1, put(n)).0.unwrap();
                    assert!(seen(path).contains(&n));
                });
            }
        });
        assert_eq!(seen(&path), [0, 1, 2, 3]);
        assert!(writer.alone().connection().is_autocommit());
    }

    fn seen(path: &std::path::Path) -> Vec<usize> {
        let connection = Connection::open(path).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        held(&Turn { connection, shared: None })
    }
}
