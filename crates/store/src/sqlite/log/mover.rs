//! The write-ahead log is moved into the file on a thread of its own, so that no commit waits for
//! it.
//!
//! ```text
//! commits ─ the log is long ─► move what is there, while commits go on behind it
//!                              move what came meanwhile
//!                              take the writer's turn, move the few that are left
//! next commit: begins the log anew
//! ```
//!
//! SQLite begins the log anew only when all of it is moved, and among commits that follow each other
//! closely there is no such moment: the turn makes one.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::checkpoint::{self, COMMITTED, Log, moved};
use super::writer::Writer;
use crate::{Result, StoreError};

/// Pages of the log after which it is moved: 16 MiB. Pages that every delivery writes are then moved
/// once for many.
pub(in crate::sqlite) const MOVED_PAGES: u32 = 4_096;

/// Pages by which the log grows, where a reader kept some of it from being moved, before that is
/// tried again.
const AGAIN_PAGES: u32 = 1_024;

/// After how long that is tried again, where it is left to the thread.
const EMPTIED_AGAIN: Duration = Duration::from_secs(5);

/// The thread that moves the log.
pub(in crate::sqlite) struct Mover {
    /// `None` only while it ends.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    state: Arc<State>,
}

struct State {
    /// Pages at which it is long, while nobody keeps it from being moved.
    long: u32,
    /// Pages at which the log is to be moved.
    due: AtomicU32,
    /// Whether it is to be emptied as well, for the sake of what was replaced in it.
    to_empty: AtomicBool,
    /// Why it was not moved the last time.
    failed: Mutex<Option<String>>,
    /// Held while it is moved, and by whoever does not want it moved. Comes before the writer's turn.
    moving: Mutex<()>,
}

/// Why the log grows without an end.
#[derive(Debug, thiserror::Error)]
enum NotMoved {
    #[error("the thread that moves the log into the store has ended; start the server again")]
    Ended,
    #[error("the log cannot be moved into the store ({0})")]
    Failed(String),
}

impl Mover {
    /// Of the log that `writer` writes; `connection` is another one to the same file.
    /// It is moved when it has `long` pages.
    pub(in crate::sqlite) fn start(
        connection: Connection,
        writer: Arc<Writer>,
        long: u32,
    ) -> std::io::Result<Mover> {
        writer
            .alone()
            .wal_hook(Some(|_: &mut Wal, pages| checkpoint::note(pages)))
            .map_err(std::io::Error::other)?;
        let (wake, woken) = sync_channel(1);
        let state = Arc::new(State::new(long));
        let moving = Moving { connection, writer, state: state.clone() };
        let thread =
            thread::Builder::new().name("log".to_owned()).spawn(move || moving.run(&woken))?;
        Ok(Mover { wake: Some(wake), thread: Some(thread), state })
    }

    /// To be called after whatever may have committed on this thread.
    pub(in crate::sqlite) fn committed(&self) {
        if COMMITTED.take() >= self.state.due.load(Relaxed) {
            self.wake();
        }
    }

    /// Whether the log is moved when it is to be.
    ///
    /// # Errors
    /// The thread has ended, or failed the last time.
    pub(in crate::sqlite) fn is_working(&self) -> Result<()> {
        if self.thread.as_ref().is_none_or(JoinHandle::is_finished) {
            return Err(StoreError::Engine(Box::new(NotMoved::Ended)));
        }
        match &*self.state.failed() {
            Some(why) => Err(StoreError::Engine(Box::new(NotMoved::Failed(why.clone())))),
            None => Ok(()),
        }
    }

    /// Has it moved, or tried to.
    pub(in crate::sqlite) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // Woken already is woken enough.
            let _ = wake.try_send(());
        }
    }

    /// Has the log emptied as soon as nobody reads from it.
    pub(in crate::sqlite) fn empty_later(&self) {
        self.state.to_empty.store(true, Relaxed);
        self.wake();
    }

    /// While it is held the log is not moved.
    pub(in crate::sqlite) fn hold(&self) -> MutexGuard<'_, ()> {
        self.state.hold()
    }
}

impl State {
    fn new(long: u32) -> State {
        let (due, to_empty) = (AtomicU32::new(long), AtomicBool::new(false));
        State { long, due, to_empty, failed: Mutex::default(), moving: Mutex::default() }
    }

    fn failed(&self) -> MutexGuard<'_, Option<String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self) -> MutexGuard<'_, ()> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // What it failed at it told; the log is as good where it is.
            let _ = thread.join();
        }
    }
}

struct Moving {
    connection: Connection,
    writer: Arc<Writer>,
    state: Arc<State>,
}

impl Moving {
    fn run(&self, woken: &Receiver<()>) {
        loop {
            let to_empty = self.state.to_empty.load(Relaxed);
            let wait = if to_empty { EMPTIED_AGAIN } else { Duration::MAX };
            match woken.recv_timeout(wait) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => self.round(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // What was committed meanwhile is moved, or the next commit wakes again.
            while woken.try_recv().is_ok() {}
        }
        self.empty();
    }

    fn round(&self) {
        if self.writer.is_fine().is_err() {
            return;
        }
        let due = &self.state.due;
        let moved = self.moved();
        *self.state.failed() = moved.as_ref().err().map(ToString::to_string);
        match moved {
            Ok(Log { pages, left: 0 }) => {
                due.store(self.state.long, Relaxed);
                tracing::debug!(pages, "the log is moved");
            }
            Ok(Log { pages, left }) => {
                due.store(pages.saturating_add(AGAIN_PAGES), Relaxed);
                tracing::debug!(pages, left, "a reader keeps the log from being moved");
            }
            Err(error) => {
                // What is in the log stays there, and readers find it.
                due.fetch_add(AGAIN_PAGES, Relaxed);
                self.writer.mind(&error);
                tracing::error!(%error, "the log cannot be moved into the store");
            }
        }
        self.empty();
    }

    /// Empties the log, if it is to be.
    fn empty(&self) {
        let to_empty = &self.state.to_empty;
        if self.writer.is_fine().is_err() || !to_empty.swap(false, Relaxed) {
            return;
        }
        let emptied = self.writer.emptied().unwrap_or_else(|error| {
            self.writer.mind(&error);
            tracing::error!(%error, "the log cannot be emptied");
            false
        });
        // Who asked again meanwhile is not forgotten.
        if !emptied {
            to_empty.store(true, Relaxed);
        }
    }

    fn moved(&self) -> rusqlite::Result<Log> {
        let _moving = self.state.hold();
        if moved(&self.connection)?.left > 0 {
            moved(&self.connection)?;
        }
        // Though nothing was left, something may have been committed meanwhile.
        moved(&self.writer.alone())
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    use super::super::checkpoint::emptied;
    use super::*;

    #[test]
    fn the_log_is_moved_when_it_is_so_long_and_not_before() {
        for (due, pages, is_due) in [
            (MOVED_PAGES, MOVED_PAGES - 1, false),
            (MOVED_PAGES, MOVED_PAGES, true),
            (MOVED_PAGES, MOVED_PAGES + 1, true),
            (MOVED_PAGES + AGAIN_PAGES, MOVED_PAGES + AGAIN_PAGES - 1, false),
            (MOVED_PAGES + AGAIN_PAGES, MOVED_PAGES + AGAIN_PAGES, true),
        ] {
            let (wake, woken) = sync_channel(1);
            let mover =
                Mover { wake: Some(wake), thread: None, state: Arc::new(State::new(MOVED_PAGES)) };
            mover.state.due.store(due, Relaxed);
            COMMITTED.set(pages);
            mover.committed();
            assert_eq!(woken.try_recv().is_ok(), is_due, "{pages} of {due}");
            mover.committed();
            assert!(woken.try_recv().is_err(), "a commit counts once");
        }
    }

    /// A database with its log, written as the store writes it, but not waiting for the disk.
    struct Bed {
        folder: tempfile::TempDir,
        writer: Arc<Writer>,
        mover: Mover,
    }

    impl Bed {
        fn new() -> Bed {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("db");
            let connection = connect(&path);
            connection.pragma_update(None, "journal_mode", "WAL").unwrap();
            connection.execute_batch("CREATE TABLE t (n INTEGER NOT NULL, b BLOB)").unwrap();
            let writer = Arc::new(Writer::of(connection, None));
            let mover = Mover::start(connect(&path), writer.clone(), MOVED_PAGES).unwrap();
            Bed { folder, writer, mover }
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("db")
        }

        /// As many commits of somewhat more than 128 pages each.
        fn write(&self, commits: u32) {
            for n in 0..commits {
                let insert = "INSERT INTO t VALUES (?1, zeroblob(524288))";
                self.writer.write(|tx| Ok(tx.execute(insert, [n])?)).answer.unwrap();
                self.mover.committed();
            }
        }

        fn in_file(&self) -> u64 {
            std::fs::metadata(self.path()).unwrap().len()
        }

        fn in_log(&self) -> u64 {
            std::fs::metadata(self.folder.path().join("db-wal")).unwrap().len()
        }
    }

    fn connect(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection
    }

    fn count(connection: &Connection) -> u32 {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    fn soon(what: &str, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            assert!(started.elapsed() < Duration::from_secs(60), "{what}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Commits that make the log long enough.
    const COMMITS: u32 = MOVED_PAGES / 128;
    const MEGABYTE: u64 = 1 << 20;

    #[test]
    fn a_long_log_is_moved_into_the_file_and_begins_anew() {
        let bed = Bed::new();
        bed.write(COMMITS / 2);
        assert!(bed.in_file() < MEGABYTE, "nobody moved a short one");
        bed.write(COMMITS);
        soon("is moved", || bed.in_file() > 16 * MEGABYTE);
        for round in 1..=4 {
            bed.write(COMMITS);
            let held = u64::from(COMMITS / 2 + COMMITS * (round + 1)) * MEGABYTE / 2;
            soon("is moved again", || bed.in_file() + 17 * MEGABYTE > held);
        }
        assert!(bed.in_log() < 64 * MEGABYTE, "{} bytes of 88 MiB written", bed.in_log());
        assert_eq!(count(&connect(&bed.path())), COMMITS / 2 + COMMITS * 5);
    }

    #[test]
    fn what_a_reader_looks_at_stays_and_is_moved_when_it_went() {
        let bed = Bed::new();
        bed.write(1);
        let reader = connect(&bed.path());
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(count(&reader), 1);
        bed.write(COMMITS);
        let grown = MOVED_PAGES + AGAIN_PAGES;
        soon("is tried later", || bed.mover.state.due.load(Relaxed) >= grown);
        assert_eq!(count(&reader), 1, "it sees its moment");
        assert!(bed.in_file() < 2 * MEGABYTE);
        reader.execute_batch("COMMIT").unwrap();
        bed.write(COMMITS);
        soon("is moved", || bed.mover.state.due.load(Relaxed) == MOVED_PAGES);
        assert!(bed.in_file() > 16 * MEGABYTE);
        assert_eq!(count(&reader), 1 + 2 * COMMITS);
    }

    #[test]
    fn while_it_is_held_it_is_not_moved() {
        let bed = Bed::new();
        let held = bed.mover.hold();
        bed.write(COMMITS + 1);
        thread::sleep(Duration::from_millis(50));
        assert!(bed.in_file() < MEGABYTE);
        drop(held);
        soon("is moved", || bed.in_file() > 16 * MEGABYTE);
    }

    #[test]
    fn one_that_cannot_be_moved_is_tried_when_it_has_grown_and_not_at_every_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let connection = connect(&path);
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        let writer = Arc::new(Writer::of(connection, None));
        let mut fails = connect(&path);
        fails.progress_handler(1, Some(|| true)).unwrap();
        let state = Arc::new(State::new(MOVED_PAGES));
        let moving = Moving { connection: fails, writer, state: state.clone() };
        for grown in 1..=3 {
            moving.round();
            assert_eq!(state.due.load(Relaxed), MOVED_PAGES + grown * AGAIN_PAGES);
        }
    }

    #[test]
    fn one_that_is_to_be_emptied_is_when_nobody_reads_from_it_any_more() {
        let bed = Bed::new();
        bed.write(2);
        let reader = connect(&bed.path());
        reader.execute_batch("BEGIN").unwrap();
        assert_eq!(count(&reader), 2);
        bed.write(1);
        assert!(!emptied(&bed.writer.alone(), None).unwrap());
        bed.mover.empty_later();
        bed.write(1);
        assert!(bed.in_log() > MEGABYTE);
        reader.execute_batch("COMMIT").unwrap();
        soon("is emptied", || bed.in_log() == 0);
        soon("once", || !bed.mover.state.to_empty.load(Relaxed));
        assert_eq!(count(&connect(&bed.path())), 4);
    }
}
