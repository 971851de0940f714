//! The database file as opened: one connection that writes, a few that read, and the process lock.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use crate::{Effort, Result, StoreError};

use super::checkpoint;
use super::connect::{connect, keep_log, keep_statements};
use super::disk::Disk;
use super::files::{Claim, Files};
use super::mark::{self, Marks};
use super::mover::Mover;
use super::writer::{Transaction, Writer, Written};
use crate::effort::Spent;
use crate::sqlite::opening::{Opening, Synchronous};
use crate::sqlite::spent;
use crate::sqlite::unusable::engine;
use crate::sqlite::{recheck, schema, sums};

/// Reading connections open at one time; who comes when all are taken waits for one.
pub(in crate::sqlite) const READERS_MAX: usize = 16;

/// What the writing connection keeps of the file, in KiB (told as a negative number): more than
/// nearly any transaction writes, so that none is written to the log twice.
const WRITER_CACHE_KIB: i64 = 16 * 1024;

/// Size to which the write-ahead log is cut back after a checkpoint, in bytes.
const LOG_KEPT_MAX: i64 = 64 << 20;

/// For how long it is tried to empty the log, and how long writers have in between.
const EMPTYING: Duration = Duration::from_secs(10);
const EMPTYING_REST: Duration = Duration::from_millis(100);

/// Connections to one database.
pub(in crate::sqlite) struct Connections {
    /// `None` where nothing is served: what writes little waits for the log itself.
    mover: Option<Mover>,
    // INVARIANT: the only connection that writes, so that writers queue here and not in SQLite.
    writer: Arc<Writer>,
    /// `None` in memory, where the writer's connection is the database: it reads as well.
    readers: Option<Readers>,
    spent: Spent,
    /// `None` in memory. Closed after all that is open in them.
    files: Option<Arc<Files>>,
}

struct Readers {
    files: Arc<Files>,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    /// INVARIANT: at most [`READERS_MAX`].
    lent: usize,
    /// Callers that wait for one: only they are worth a call of the system when one comes back.
    waiting: usize,
}

/// Why something that was replaced may still be read in the files.
#[derive(Debug, thiserror::Error)]
#[error(
    "the change is made, but what it replaced stays in the write-ahead log beside the store, which \
     others read all the while; it is emptied when the store is served and they have stopped"
)]
struct NotEmptied;

/// Why a database cannot be a store.
#[derive(Debug, thiserror::Error)]
#[error(
    "it keeps a journal of mode `{0}` and no write-ahead log: its file system may not allow one"
)]
struct NoLog(String);

/// A reading connection that goes back to the pool when it is let go, by a panic too.
struct Lent<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Readers {
    fn lend(&self) -> Lent<'_> {
        let full = |pool: &mut Pool| pool.lent >= READERS_MAX;
        let mut pool = locked(&self.pool);
        if full(&mut pool) {
            pool.waiting += 1;
            let waited = self.returned.wait_while(pool, full);
            pool = waited.unwrap_or_else(PoisonError::into_inner);
            pool.waiting -= 1;
        }
        pool.lent += 1;
        Lent { readers: self, connection: pool.idle.pop() }
    }
}

impl Readers {
    /// Another connection to the same files: what their names lead to meanwhile is another store.
    fn connect(&self) -> Result<Connection> {
        self.files.are_in_place()?;
        let connection = connect(self.files.path())?;
        self.files.are_in_place()?;
        Ok(connection)
    }
}

impl Lent<'_> {
    fn connection(&mut self) -> Result<&mut Connection> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.readers.connect()?,
        };
        Ok(self.connection.insert(connection))
    }
}

impl Drop for Connections {
    /// Whoever closes the last connection moves the log, if it may: none may but these, when all that
    /// was written is safe. To a disk that failed the log is not trusted; it stays for whoever opens
    /// the store next.
    fn drop(&mut self) {
        // It may find the disk to fail until it ends.
        drop(self.mover.take());
        self.save_log();
        // Nor where the names lead elsewhere: the log that goes then would be another store's.
        if self.writer.is_fine().is_err() || self.are_in_place().is_err() {
            return;
        }
        self.writer.forget();
        let readers = self.readers.as_ref().map(|readers| locked(&readers.pool));
        let idle = readers.iter().flat_map(|pool| &pool.idle);
        for connection in idle.chain([&*self.writer.alone()]) {
            if let Err(error) = keep_log(connection, false) {
                tracing::error!(%error, "the log stays beside the store");
            }
        }
        if let Some(files) = &self.files {
            files.will_be_settled();
        }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = locked(&self.readers.pool);
        pool.lent = pool.lent.saturating_sub(1);
        pool.idle.extend(self.connection.take());
        let is_awaited = pool.waiting > 0;
        drop(pool);
        if is_awaited {
            self.readers.returned.notify_one();
        }
    }
}

impl Connections {
    /// Opens or creates the database at `path`, whose log is moved when it has `long` pages.
    pub(in crate::sqlite) fn open(
        path: &Path,
        opening: &Opening,
        long: u32,
    ) -> Result<Connections> {
        let mut claim = Claim::of(path, opening.serve)?;
        let name = claim.name().to_owned();
        let path = claim.path().to_owned();
        let mut writer = connect(&path).map_err(|error| engine(&name, error))?;
        let found = schema::version(&writer, &name)?;
        configure(&writer, opening.synchronous, long).map_err(|error| engine(&name, error))?;
        if !claim.is_checked() {
            recheck::look_through(&writer, &name)?;
        }
        if !schema::is_current(found) {
            // Under an older server's feet the schema must not move.
            claim.lock()?;
            schema::migrate(&mut writer, &name, &opening.fresh_sealing_key)?;
        }
        if opening.serve {
            // Whoever held a lease is gone: the lock says so. Its work need not wait for the end of it.
            writer.execute("DELETE FROM leases", [])?;
        }
        sums::keep(&writer).map_err(|error| engine(&name, error))?;
        let files = Arc::new(claim.opened(opening.serve)?);
        let readers =
            Readers { files: files.clone(), pool: Mutex::default(), returned: Condvar::new() };
        let marks = marks(&files, opening).map_err(|error| engine(&name, error))?;
        // Whoever had the store before may have left in its log what was to be emptied.
        let emptied = || checkpoint::emptied(&writer, marks.as_deref());
        let is_emptied = !opening.serve || emptied().map_err(|error| engine(&name, error))?;
        let disk = match opening.synchronous {
            Synchronous::Grouped => {
                let disk = disk(&files.log(), marks.clone());
                Some(disk.map_err(|error| engine(&name, error))?)
            }
            // SQLite has synced what it says is committed; that it once failed is remembered.
            Synchronous::Full => Some(Disk::of(|_| Ok(()))),
            Synchronous::Off => None,
        };
        let writer = Arc::new(Writer::of(writer, disk).marking(marks));
        let is_moved_here = opening.serve && opening.synchronous != Synchronous::Full;
        let mover = is_moved_here.then(|| {
            let connection = moving(&path, opening.synchronous)?;
            Mover::start(connection, writer.clone(), long)
                .map_err(|error| StoreError::Engine(error.into()))
        });
        let mover = mover.transpose().map_err(|error| engine(&name, error))?;
        if let Some(mover) = mover.as_ref().filter(|_| !is_emptied) {
            mover.empty_later();
        }
        let (has_mover, spent) = (mover.is_some(), Spent::default());
        let opened =
            Connections { mover, writer, readers: Some(readers), spent, files: Some(files) };
        if !is_emptied && !has_mover {
            // Nobody does it later.
            opened.empty_log()?;
        }
        Ok(opened)
    }

    /// A database that ends with the process.
    pub(in crate::sqlite) fn in_memory(sealing_key: &[u8; 32]) -> Result<Connections> {
        let mut writer = Connection::open_in_memory()?;
        keep_statements(&writer)?;
        schema::migrate(&mut writer, "memory", sealing_key)?;
        sums::keep(&writer)?;
        let (writer, spent) = (Arc::new(Writer::of(writer, None)), Spent::default());
        Ok(Connections { mover: None, writer, readers: None, spent, files: None })
    }

    /// Runs `act` as a transaction and returns when what it did is on disk, or undoes it when it
    /// fails.
    pub(in crate::sqlite) fn write<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.counted(|writer| writer.write(act))
    }

    /// As [`Connections::write`], without waiting for the disk ([`Writer::write_unawaited`]).
    pub(in crate::sqlite) fn write_unawaited<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.counted(|writer| writer.write_unawaited(act))
    }

    /// Whether writes are to be expected to succeed.
    ///
    /// # Errors
    /// The disk failed before; the last write did, whatever it failed at; a name does not lead to its
    /// file any more; the disk is full; the log is not moved; another process holds the file.
    pub(in crate::sqlite) fn takes_writes(&self) -> Result<()> {
        self.writer.is_fine()?;
        self.are_in_place()?;
        self.writer.is_working()?;
        if let Some(files) = &self.files {
            files.have_room()?;
        }
        self.mover.as_ref().map_or(Ok(()), Mover::is_working)
    }

    /// As [`Connections::takes_writes`], and does what helps: tries a small write where the last one
    /// failed, has the log moved where that failed, and takes what a log that was removed still holds.
    ///
    /// # Errors
    /// As [`Connections::takes_writes`].
    pub(in crate::sqlite) fn probe(&self) -> Result<()> {
        if let Some(files) = &self.files {
            files.keep_locked()?;
        }
        self.save_log();
        self.are_in_place()?;
        if let Some(files) = &self.files {
            files.have_room()?;
        }
        self.writer.probe();
        if let Some(mover) = self.mover.as_ref().filter(|mover| mover.is_working().is_err()) {
            mover.wake();
        }
        self.takes_writes()
    }

    fn are_in_place(&self) -> Result<()> {
        self.files.as_ref().map_or(Ok(()), |files| files.are_in_place())
    }

    /// Moves what was acknowledged out of a log that nobody will find any more.
    fn save_log(&self) {
        let is_gone = self.files.as_ref().is_some_and(|files| files.lack_their_log());
        if !is_gone || self.writer.is_fine().is_err() {
            return;
        }
        match checkpoint::moved(&self.writer.alone()) {
            Ok(moved) => tracing::debug!(?moved, "what the removed log holds is in the store"),
            Err(error) => {
                self.writer.mind(&error);
                tracing::error!(%error, "what the removed log holds cannot be saved");
            }
        }
    }

    fn counted<T>(&self, write: impl FnOnce(&Writer) -> Written<T>) -> Result<T> {
        self.are_in_place()?;
        let Written { answer, waited, took, synced } = write(&self.writer);
        self.spent.write(waited, took, synced);
        self.committed();
        // What is on disk where nobody looks is not acknowledged.
        answer.and_then(|answer| self.are_in_place().map(|()| answer))
    }

    fn committed(&self) {
        if let Some(mover) = &self.mover {
            mover.committed();
        }
    }

    /// As if SQLite's own sync failed.
    #[cfg(test)]
    pub(in crate::sqlite) fn fail_disk(&self) {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
        self.writer.mind(&rusqlite::Error::SqliteFailure(code, None));
    }

    /// What the calls cost so far.
    pub(in crate::sqlite) fn effort(&self) -> Result<Effort> {
        self.read(|tx| spent::effort(&self.spent, tx))
    }

    /// Moves what the write-ahead log holds into the file and empties it: nothing is then left in it
    /// of what was replaced. Who reads at the time keeps it from that: it is tried again and again,
    /// while others may write, and left to the log's own thread in the end.
    ///
    /// # Errors
    /// Somebody read all the while.
    pub(in crate::sqlite) fn empty_log(&self) -> Result<()> {
        let _still = self.mover.as_ref().map(Mover::hold);
        let begun = Instant::now();
        loop {
            self.writer.is_fine()?;
            self.are_in_place()?;
            let minded = |error| {
                self.writer.mind(&error);
                error
            };
            // Most of it while others write.
            self.lent(|connection| Ok(checkpoint::moved(connection).map_err(minded)?))?;
            if self.writer.emptied().map_err(minded)? {
                return Ok(());
            }
            if begun.elapsed() >= EMPTYING {
                break;
            }
            thread::sleep(EMPTYING_REST);
        }
        if let Some(mover) = &self.mover {
            mover.empty_later();
        }
        Err(StoreError::Engine(Box::new(NotEmptied)))
    }

    /// Runs `ask` in a transaction, so that all of its reads see one moment.
    pub(in crate::sqlite) fn read<T>(
        &self,
        ask: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        self.lent(|connection| within(connection, ask))
    }

    /// Runs `ask`, which runs one statement: that sees one moment by itself, so a transaction would
    /// only be two statements more, neither of which SQLite keeps prepared.
    pub(in crate::sqlite) fn read_one<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        self.lent(|connection| ask(connection))
    }

    fn lent<T>(&self, ask: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let asked = Instant::now();
        let answer = match &self.readers {
            Some(readers) => ask(readers.lend().connection()?),
            None => ask(&mut self.writer.alone()),
        };
        self.spent.read(asked.elapsed());
        answer
    }
}

fn within<T>(
    connection: &mut Connection,
    ask: impl FnOnce(&Transaction<'_>) -> Result<T>,
) -> Result<T> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
    ask(&Transaction::on(&tx))
}

/// A panic of another caller left no half-done write behind: its transaction was undone.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn configure(writer: &Connection, synchronous: Synchronous, long: u32) -> Result<()> {
    // Read from the log as well, which is how it comes to be.
    let mode: String =
        writer.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Engine(Box::new(NoLog(mode))));
    }
    writer.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    writer.pragma_update(None, "journal_size_limit", LOG_KEPT_MAX)?;
    // Where a thread moves the log, it takes the place of this.
    writer.pragma_update(None, "wal_autocheckpoint", long)?;
    writer.pragma_update(None, "cache_size", WRITER_CACHE_KIB.saturating_neg())?;
    if !has_temporary_folder() {
        // As in a container that may write to its volume alone.
        writer.pragma_update(None, "temp_store", "MEMORY")?;
    }
    Ok(synchronize(writer, synchronous)?)
}

/// A connection that moves the log.
pub(in crate::sqlite) fn moving(path: &Path, synchronous: Synchronous) -> Result<Connection> {
    let connection = connect(path)?;
    synchronize(&connection, synchronous)?;
    Ok(connection)
}

fn synchronize(connection: &Connection, synchronous: Synchronous) -> rusqlite::Result<()> {
    connection.pragma_update(None, "synchronous", level(synchronous))
}

/// The setting as SQLite counts it.
fn level(synchronous: Synchronous) -> i64 {
    match synchronous {
        Synchronous::Full => 2,
        // NORMAL: a commit is in the log, which is on disk before anything is moved out of it. For
        // the commit itself [`Disk`] waits.
        Synchronous::Grouped => 1,
        Synchronous::Off => 0,
    }
}

/// The mark beside the log, where commits wait for a sync of ours. Others make no marks, and leave none that
/// would be of a log that is gone.
fn marks(files: &Files, opening: &Opening) -> std::io::Result<Option<Arc<Marks>>> {
    match (opening.serve, opening.synchronous) {
        (false, _) => Ok(None),
        (true, Synchronous::Grouped) => {
            Marks::open(files.path(), &files.log()).map(Arc::new).map(Some)
        }
        (true, Synchronous::Full | Synchronous::Off) => mark::forget(files.path()).map(|()| None),
    }
}

/// The disk below a log.
fn disk(log: &Path, marks: Option<Arc<Marks>>) -> std::io::Result<Disk> {
    // The same file for as long as some connection is open.
    let log = OpenOptions::new().write(true).open(log)?;
    Ok(Disk::of(move |end| {
        log.sync_data()?;
        let noted = marks.as_ref().zip(end).map(|(marks, end)| marks.note(end));
        if let Some(Err(error)) = noted {
            // What is on disk is. Were its last frames damaged, fewer would be missed.
            tracing::warn!(%error, "the mark beside the store's log cannot be written");
        }
        Ok(())
    }))
}

/// Whether SQLite finds a folder for temporary files where it looks for one.
fn has_temporary_folder() -> bool {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].into_iter().filter_map(std::env::var_os);
    let usual = ["/var/tmp", "/usr/tmp", "/tmp"].into_iter().map(Into::into);
    let mut folders = named.chain(usual).map(PathBuf::from);
    folders.any(|folder| {
        let probe = folder.join(format!("palisade-{}.probe", std::process::id()));
        let made = OpenOptions::new().create_new(true).write(true).open(&probe);
        made.is_ok() && std::fs::remove_file(&probe).is_ok()
    })
}
