//! The connection that writes: one at a time has it, commits, and waits for the disk when the next
//! one has it already ([`super::disk`]).

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior, ffi};

use crate::{Result, StoreError};

use super::checkpoint;
use super::disk::Disk;
use super::mark::Marks;

/// A transaction that is open on this connection.
pub(crate) struct Transaction<'c>(&'c Connection);

impl<'c> Transaction<'c> {
    /// For whoever began one and ends it.
    pub(in crate::sqlite) fn on(connection: &'c Connection) -> Transaction<'c> {
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
pub(in crate::sqlite) struct Writer {
    connection: Mutex<Connection>,
    /// `None` where nobody waits for it.
    disk: Option<Disk>,
    /// `None` where it is not told how long the log is.
    marks: Option<Arc<Marks>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Why the last write failed, and when.
    failed: Option<(String, Instant)>,
    /// Since when another process's turn is waited for.
    waits: Option<Instant>,
}

/// Why no write is to be expected to succeed.
#[derive(Debug, thiserror::Error)]
enum NotWorking {
    #[error("the last write failed ({0}); it is tried again by itself whether one succeeds")]
    Failed(String),
    #[error("another process has been writing to the store for {0} s")]
    LockedOut(u64),
}

/// How long a write that failed is told of, and nothing is tried: where little room is left, a small one
/// that succeeds meanwhile, such as a lease of the worker's, says nothing of those that do not fit. As
/// long as a prober waits between two looks at `/readyz`.
const TOLD: Duration = Duration::from_secs(10);
/// How long another process may write before that is told.
const LOCKED_OUT: Duration = Duration::from_secs(3);

/// How a write went.
pub(in crate::sqlite) struct Written<T> {
    pub(in crate::sqlite) answer: Result<T>,
    /// How long the turn took to come.
    pub(in crate::sqlite) waited: Duration,
    /// How long it was.
    pub(in crate::sqlite) took: Duration,
    /// How long the disk was waited for then.
    pub(in crate::sqlite) synced: Duration,
}

impl Writer {
    pub(in crate::sqlite) fn of(connection: Connection, disk: Option<Disk>) -> Writer {
        let connection = Mutex::new(connection);
        Writer { connection, disk, marks: None, state: Mutex::default() }
    }

    /// The same, whose syncs note where the log ends.
    pub(in crate::sqlite) fn marking(self, marks: Option<Arc<Marks>>) -> Writer {
        Writer { marks, ..self }
    }

    /// Empties the log ([`checkpoint::emptied`]), of which nothing is claimed any more.
    ///
    /// # Errors
    /// SQLite's; that the mark cannot be written is told in the log, and nothing is emptied.
    pub(in crate::sqlite) fn emptied(&self) -> rusqlite::Result<bool> {
        let connection = self.alone();
        checkpoint::emptied(&connection, self.marks.as_deref())
    }

    /// Before the last connection is closed, which moves the log.
    pub(in crate::sqlite) fn forget(&self) {
        if let Some(Err(error)) = self.marks.as_deref().map(Marks::forget) {
            tracing::error!(%error, "the mark beside the store's log stays");
        }
    }

    /// Whether writes succeed, as far as the last ones tell, and none is kept waiting.
    ///
    /// # Errors
    /// One failed, less than [`TOLD`] ago or with none that succeeded since; one waits.
    pub(in crate::sqlite) fn is_working(&self) -> Result<()> {
        let state = self.state();
        if let Some((why, _)) = &state.failed {
            return Err(StoreError::Engine(Box::new(NotWorking::Failed(why.clone()))));
        }
        match state.waits.map(|since| since.elapsed()).filter(|long| *long >= LOCKED_OUT) {
            Some(long) => Err(StoreError::Engine(Box::new(NotWorking::LockedOut(long.as_secs())))),
            None => Ok(()),
        }
    }

    /// Where the last write failed a while ago, tries a small one that changes nothing: as long as
    /// nobody else writes.
    pub(in crate::sqlite) fn probe(&self) {
        let is_due = |(_, at): &(String, Instant)| at.elapsed() >= TOLD;
        if !self.state().failed.as_ref().is_some_and(is_due) {
            return;
        }
        let Ok(mut connection) = self.connection.try_lock() else { return };
        let commit = self.turn(&mut connection, |tx| {
            // SQLite writes a page that is set to what it holds as well.
            Ok(tx.execute("UPDATE store SET sequence = sequence", []).map(drop)?)
        });
        drop(connection);
        if let (Ok(()), Some(commit)) = (&commit.0, commit.1)
            && let Some(disk) = &self.disk
            && let Err(error) = disk.wait(commit)
        {
            tracing::error!(%error, "a write that was tried is not on disk");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One turn to write: what came of it, and the number of the commit.
    fn turn<T>(
        &self,
        connection: &mut Connection,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> (Result<T>, Option<u64>) {
        checkpoint::COMMITTED.set(0);
        let answer = self.is_fine().and_then(|()| self.transaction(connection, act));
        self.note(&answer);
        // Nobody may commit in between.
        let end = self.marks.as_ref().and_then(|marks| marks.end(checkpoint::COMMITTED.get()));
        let commit = self.disk.as_ref().map(|disk| disk.committed(end));
        (answer, commit)
    }

    fn transaction<T>(
        &self,
        connection: &mut Connection,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.state().waits = Some(Instant::now());
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        self.state().waits = None;
        let tx = begun?;
        let answer = act(&Transaction::on(&tx))?;
        tx.commit()?;
        Ok(answer)
    }

    /// Remembers how a write ended. What its caller asked for in vain, such as a conflict, says nothing
    /// of the disk.
    fn note<T>(&self, answer: &Result<T>) {
        match answer {
            Ok(_) => drop(self.state().failed.take_if(|(_, at)| at.elapsed() >= TOLD)),
            Err(StoreError::Engine(error)) => {
                let Some(error) = error.downcast_ref::<rusqlite::Error>() else { return };
                if is_of_the_disk(error) {
                    self.state().failed = Some((error.to_string(), Instant::now()));
                }
                self.mind(error);
            }
            Err(_) => {}
        }
    }

    /// Runs `act` and commits what it did, or undoes it when it fails or panics. Returns when what
    /// was committed is on disk.
    pub(in crate::sqlite) fn write<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Written<T> {
        let (written, commit) = self.committed(act);
        let began = Instant::now();
        let on_disk = |value| match (&self.disk, commit) {
            (Some(disk), Some(commit)) => disk.wait(commit).map(|()| value),
            (None, _) | (_, None) => Ok(value),
        };
        let answer = written.answer.and_then(on_disk);
        Written { answer, synced: began.elapsed(), ..written }
    }

    /// The same without waiting for the disk: the end of the machine may undo it, together with all
    /// that was written after it or with nothing else, since the log keeps the order and the next
    /// [`Writer::write`] waits for all of it.
    pub(in crate::sqlite) fn write_unawaited<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Written<T> {
        self.committed(act).0
    }

    /// # Errors
    /// The disk failed before.
    pub(in crate::sqlite) fn is_fine(&self) -> Result<()> {
        self.disk.as_ref().map_or(Ok(()), Disk::is_fine)
    }

    /// Where the log, or the file that it is moved into, was not synced: nobody knows what of it is on
    /// disk, and the next sync would not tell.
    pub(in crate::sqlite) fn mind(&self, error: &rusqlite::Error) {
        let code = error.sqlite_error().map(|error| error.extended_code);
        let is_unsynced =
            matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC));
        if let Some(disk) = self.disk.as_ref().filter(|_| is_unsynced) {
            disk.fail(error);
            tracing::error!(%error, "nothing more is written until the store is opened again");
        }
    }

    /// The connection, which has no transaction open.
    pub(in crate::sqlite) fn alone(&self) -> MutexGuard<'_, Connection> {
        // A panic left no half-done write behind: it was undone.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What came of it, and the number of the commit.
    fn committed<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> (Written<T>, Option<u64>) {
        let asked = Instant::now();
        let mut connection = self.alone();
        let began = Instant::now();
        let (answer, commit) = self.turn(&mut connection, act);
        drop(connection);
        let (waited, took) = (began.duration_since(asked), began.elapsed());
        (Written { answer, waited, took, synced: Duration::ZERO }, commit)
    }
}

/// Whether a write failed at what the store is kept on, rather than at what was written.
fn is_of_the_disk(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        None | Some(
            ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::TooBig
                | ErrorCode::ApiMisuse
                | ErrorCode::OperationAborted
                | ErrorCode::OperationInterrupted
        )
    )
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread;

    use super::super::disk::tests::{PATIENCE, gated};
    use super::*;

    fn connection() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER NOT NULL)").unwrap();
        connection
    }

    fn put(n: usize) -> impl FnOnce(&Transaction<'_>) -> Result<()> {
        move |tx| Ok(tx.execute("INSERT INTO t VALUES (?1)", [n]).map(drop)?)
    }

    fn held(writer: &Writer) -> Vec<usize> {
        let connection = writer.alone();
        let mut every = connection.prepare("SELECT n FROM t ORDER BY n").unwrap();
        every.query_map([], |row| row.get(0)).unwrap().map(|n| n.unwrap()).collect()
    }

    #[test]
    fn what_fails_or_panics_leaves_nothing_and_keeps_nobody_from_writing() {
        let writer = Writer::of(connection(), None);
        writer.write(put(0)).answer.unwrap();
        let fails = writer.write(|tx| {
            put(1)(tx)?;
            Err::<(), _>(StoreError::Conflict)
        });
        assert!(matches!(fails.answer, Err(StoreError::Conflict)));
        let panics = |tx: &Transaction<'_>| -> Result<()> {
            put(2)(tx)?;
            panic!("on purpose")
        };
        assert!(catch_unwind(AssertUnwindSafe(|| writer.write(panics).answer)).is_err());
        writer.write(put(3)).answer.unwrap();
        assert_eq!(held(&writer), [0, 3]);
    }

    #[test]
    fn a_write_that_failed_is_told_of_though_smaller_ones_succeed_after_it() {
        let writer = Writer::of(connection(), None);
        let full = || rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_FULL), None);
        writer.write(put(0)).answer.unwrap();
        assert!(writer.is_working().is_ok());
        for _ in 0..2 {
            assert!(writer.write(|_| Err::<(), _>(full().into())).answer.is_err());
            writer.write(put(1)).answer.unwrap();
            writer.write_unawaited(put(1)).answer.unwrap();
            assert!(writer.is_working().is_err());
            // Time passes, and one succeeds.
            writer.state().failed.as_mut().unwrap().1 -= TOLD;
            assert!(writer.is_working().is_err());
            writer.write(put(1)).answer.unwrap();
            assert!(writer.is_working().is_ok());
        }
    }

    /// Whoever waits for the disk has let the turn go.
    #[test]
    fn others_write_while_one_waits_for_the_disk_and_each_is_told_after_a_sync_of_its_own() {
        let (disk, begins, end) = gated();
        let writer = Writer::of(connection(), Some(disk));
        let told = AtomicUsize::new(0);
        thread::scope(|scope| {
            let write = |n| {
                let (writer, told) = (&writer, &told);
                scope.spawn(move || {
                    writer.write(put(n)).answer.unwrap();
                    told.fetch_add(1, SeqCst);
                })
            };
            let first = write(1);
            begins.recv_timeout(PATIENCE).unwrap();
            let others = [write(2), write(3)];
            while held(&writer) != [1, 2, 3] {
                thread::yield_now();
            }
            assert_eq!(told.load(SeqCst), 0, "nothing is on disk yet");
            end.send(()).unwrap();
            first.join().unwrap();
            // Both may have committed before either asked for the disk.
            begins.recv_timeout(PATIENCE).unwrap();
            assert_eq!(told.load(SeqCst), 1);
            end.send(()).unwrap();
            for other in others {
                other.join().unwrap();
            }
        });
        assert!(begins.try_recv().is_err());
    }

    #[test]
    fn what_is_not_awaited_is_on_disk_with_what_is() {
        let syncs = Arc::new(AtomicUsize::new(0));
        let counted = syncs.clone();
        let disk = Disk::of(move |_| {
            counted.fetch_add(1, SeqCst);
            Ok(())
        });
        let writer = Writer::of(connection(), Some(disk));
        writer.write_unawaited(put(1)).answer.unwrap();
        writer.write_unawaited(put(2)).answer.unwrap();
        assert_eq!(syncs.load(SeqCst), 0);
        writer.write(put(3)).answer.unwrap();
        assert_eq!(syncs.load(SeqCst), 1);
        let fails = writer.write(|_| Err::<(), _>(StoreError::Conflict));
        assert!(fails.answer.is_err());
        assert_eq!(syncs.load(SeqCst), 1, "for nothing nobody waits");
        assert_eq!(held(&writer), [1, 2, 3]);
    }

    #[test]
    fn a_sync_of_sqlites_that_fails_is_minded_and_other_errors_are_not() {
        for (code, is_fine) in [
            (ffi::SQLITE_IOERR_FSYNC, false),
            (ffi::SQLITE_IOERR_DIR_FSYNC, false),
            (ffi::SQLITE_IOERR_READ, true),
            (ffi::SQLITE_FULL, true),
            (ffi::SQLITE_BUSY, true),
        ] {
            let writer = Writer::of(connection(), Some(Disk::of(|_| Ok(()))));
            let error = || rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            assert!(writer.write(|_| Err::<(), _>(error().into())).answer.is_err());
            assert_eq!(writer.is_fine().is_ok(), is_fine, "{code}");
            assert_eq!(writer.write(put(1)).answer.is_ok(), is_fine, "{code}");
        }
    }

    #[test]
    fn when_the_disk_failed_nothing_more_is_written() {
        let disk = Disk::of(|_| Err(std::io::Error::other("worn out")));
        let writer = Writer::of(connection(), Some(disk));
        assert!(writer.is_fine().is_ok());
        assert!(writer.write(put(1)).answer.is_err());
        assert!(writer.is_fine().is_err());
        assert!(writer.write(put(2)).answer.is_err());
        assert!(writer.write_unawaited(put(3)).answer.is_err());
        assert_eq!(held(&writer), [1], "of the first nobody knows");
    }
}
