//! The store's files as opened: held against what their names lead to now, and locked against a second
//! server.
//!
//! SQLite writes on into a file whose name is gone, and nobody finds what it wrote: where a name does
//! not lead to the open file any more, nothing is acknowledged.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rusqlite::ErrorCode;

use crate::{Result, StoreError};

use crate::sqlite::checksums::{self, Checked};
use crate::sqlite::integrity::{damaged_log, damaged_pages, lost_frame, lost_log};
use crate::sqlite::unusable::engine;

use super::left::{Left, left};
use super::mark::{self, Mark};
use super::names::sibling;

/// Bytes on the store's disk below which the store counts as full: room for a few small writes.
const ROOM_MIN: u64 = 1 << 20;

/// A database's file, by which it is locked, before it is opened.
pub(in crate::sqlite) struct Claim {
    /// As the caller named it; a link may lead elsewhere one day.
    given: PathBuf,
    /// Where that leads.
    path: PathBuf,
    name: String,
    // INVARIANT: closed last. Whoever closes a file ends the locks that SQLite has on it, whichever
    // handle it took them by.
    held: File,
    lock: Option<Lock>,
    /// Whether the machine has not been started since whoever served the store last.
    is_same_boot: bool,
    /// Whether what is in the file is as it was written: its pages have checksums, there is nothing in it,
    /// or somebody else has it open, who looked.
    is_checked: bool,
}

/// The files of a store that is open.
pub(in crate::sqlite) struct Files {
    claim: Claim,
    named: Vec<Named>,
    lock: Mutex<Option<Lock>>,
    /// Whether all that was written is in the file once the last connection is closed.
    is_settled: AtomicBool,
}

/// `PATH.lock`, by which older servers know. In it is which start of the machine it was locked in.
struct Lock {
    file: File,
    named: Named,
}

impl Lock {
    fn noted(&self) -> Option<String> {
        let mut noted = String::new();
        (&self.file).take(BOOT_LEN_MAX).read_to_string(&mut noted).ok()?;
        Some(noted)
    }

    fn note(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        (&self.file).write_all(boot().unwrap_or_default().as_bytes())
    }
}

/// Bytes of what tells one start of the machine from another, at most.
const BOOT_LEN_MAX: u64 = 64;

/// Which start of the machine this is, where the system tells.
fn boot() -> Option<String> {
    let told = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(told.trim().to_owned()).filter(|told| !told.is_empty())
}

/// A file, and the name that led to it.
struct Named {
    what: &'static str,
    path: PathBuf,
    id: Id,
}

/// Device and inode.
type Id = (u64, u64);

/// Why nothing is written.
#[derive(Debug, thiserror::Error)]
enum Astray {
    #[error(
        "the store's {0} was removed while the store is open: what is written now would be lost, so \
         nothing is. Put it back as it was, or start the server again"
    )]
    Removed(&'static str),
    #[error(
        "the store's {0} was replaced by another while the store is open: what is written now would be \
         lost, so nothing is. Put it back as it was, or start the server again"
    )]
    Replaced(&'static str),
    #[error("the store's {0} cannot be looked at: {1}")]
    Unseen(&'static str, io::Error),
}

/// Why a store is not taken as it is.
#[derive(Debug, thiserror::Error)]
#[error("its write-ahead log cannot be emptied while another program has it open")]
struct LogStays;

/// Why no write is to be expected to succeed.
#[derive(Debug, thiserror::Error)]
enum NoRoom {
    #[error("the store's disk is full: {0} bytes are left")]
    Full(u64),
    #[error("the store's disk may only be read")]
    ReadOnly,
}

impl Claim {
    /// Makes the file, readable by its owner alone for it holds secrets of keys, or finds it; locks it
    /// to serve from it.
    ///
    /// # Errors
    /// [`StoreError::InUse`] where another process serves from that file, under whatever name.
    pub(in crate::sqlite) fn of(given: &Path, serve: bool) -> Result<Claim> {
        let mut claim = Claim::unchecked(given)?;
        match claim.lock() {
            Ok(()) => claim.check()?,
            // Somebody else has it open, and looked.
            Err(StoreError::InUse(_)) if !serve => claim.is_checked = true,
            Err(error) => return Err(error),
        }
        if !serve {
            claim.let_go()?;
        }
        Ok(claim)
    }

    /// As [`Claim::of`], neither locked nor looked at.
    fn unchecked(given: &Path) -> Result<Claim> {
        let (given, name) = (given.to_owned(), given.display().to_string());
        let failed = |error: io::Error| engine(&name, error);
        let held = made(&given).map_err(failed)?;
        // SQLite keeps the log beside the file and not beside a link to it.
        let path = std::fs::canonicalize(&given).map_err(failed)?;
        Ok(Claim { given, path, name, held, lock: None, is_same_boot: false, is_checked: false })
    }

    /// Holds the pages against their checksums and takes these off.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where a page is not as it was. The checksums stay.
    fn check(&mut self) -> Result<()> {
        let failed = |error: io::Error| engine(&self.name, error);
        let mark = Mark::of(&self.path).map_err(failed)?;
        self.check_log(mark)?;
        // Pages that are newer than their checksums may lie in the file beside a log.
        if has_no_log(&self.path) {
            self.is_checked = match checksums::check(&self.held).map_err(failed)? {
                Checked::Intact => true,
                Checked::Unknown if self.held.metadata().map_err(failed)?.len() == 0 => true,
                Checked::Unknown => {
                    let moved = mark.map(|mark| mark.is_moved(&self.held)).transpose();
                    if moved.map_err(failed)? == Some(false) {
                        return Err(lost_log(&self.name));
                    }
                    false
                }
                Checked::Damaged { pages, more } => {
                    return Err(damaged_pages(&self.path, &self.name, &pages, more));
                }
            };
        }
        checksums::take_off(&self.held).map_err(failed)
    }

    /// Looks at a log that a crash left.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where commits would be lost that were in it when the server ended. Where the
    /// machine ended, its disk may lack what nobody waited for, whatever comes behind it: that is told.
    fn check_log(&self, mark: Option<Mark>) -> Result<()> {
        let failed = |error: io::Error| engine(&self.name, error);
        match left(&sibling(&self.path, "-wal"), mark).map_err(failed)? {
            Left::Whole => {}
            Left::Lost { frame } => return Err(lost_frame(&self.name, frame)),
            Left::Torn => tracing::warn!(
                "the end of the store's log is not whole: what was being written when the server ended is \
                 left out"
            ),
            Left::Damaged { frame } if self.is_same_boot => {
                return Err(damaged_log(&self.name, frame));
            }
            Left::Damaged { frame } => tracing::error!(
                frame,
                "the store's log is not whole, and commits behind that are left out: of those that were \
                 acknowledged none is, if the disk keeps what it is told to"
            ),
        }
        Ok(())
    }

    /// Whether nothing has to be looked through before it is believed.
    pub(in crate::sqlite) fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// Believes what is in the file, as it is. `accept` does what can be done about it, and empties the log.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when it is open; the log is not empty then; the file cannot be written.
    pub(in crate::sqlite) fn believe(
        given: &Path,
        accept: impl FnOnce(&Path) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let mut claim = Claim::unchecked(given)?;
        claim.lock()?;
        checksums::take_off(&claim.held).map_err(|error| engine(&claim.name, error))?;
        mark::forget(&claim.path).map_err(|error| engine(&claim.name, error))?;
        match accept(&claim.path) {
            Err(error) if !has_no_log(&claim.path) || !is_of_damage(&error) => {
                Err(engine(&claim.name, error))
            }
            // What fails for what is damaged leaves that as it is.
            Ok(()) | Err(_) if has_no_log(&claim.path) => claim.imprint(),
            Ok(()) | Err(_) => Err(engine(&claim.name, LogStays)),
        }
    }

    /// Ends a lock that was taken for a while.
    fn let_go(&mut self) -> Result<()> {
        if self.lock.take().is_some() && cfg!(target_os = "linux") {
            self.held.unlock().map_err(|error| engine(&self.name, error))?;
        }
        Ok(())
    }

    /// Writes checksums of all pages, if the database is closed by all.
    fn imprint(&mut self) -> Result<()> {
        self.lock()?;
        if has_no_log(&self.path) {
            checksums::write(&self.held).map_err(|error| engine(&self.name, error))?;
        }
        Ok(())
    }

    pub(in crate::sqlite) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::sqlite) fn name(&self) -> &str {
        &self.name
    }

    /// Locks the file for as long as it is held, if it is not already.
    ///
    /// # Errors
    /// As [`Claim::of`].
    pub(in crate::sqlite) fn lock(&mut self) -> Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        // By its inode, which other names lead to as well. Elsewhere such a lock would be one of those
        // that SQLite takes.
        if cfg!(target_os = "linux") {
            self.taken(self.held.try_lock())?;
        }
        let lock = self.beside()?;
        self.is_same_boot = boot().is_some_and(|boot| lock.noted() == Some(boot));
        self.lock = Some(lock);
        Ok(())
    }

    fn beside(&self) -> Result<Lock> {
        let path = sibling(&self.path, ".lock");
        let failed = |error: io::Error| engine(&path.to_string_lossy(), error);
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).read(true).open(&path).map_err(failed)?;
        self.taken(file.try_lock())?;
        let id = id(&file.metadata().map_err(failed)?);
        let named = Named { what: "lock", path, id };
        Ok(Lock { file, named })
    }

    fn taken(&self, locked: Result<(), TryLockError>) -> Result<()> {
        match locked {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(self.name.clone())),
            Err(TryLockError::Error(error)) => Err(engine(&self.name, error)),
        }
    }

    /// To be called when the database is open, and so has its log and the index of that. A lock that
    /// was taken for a while is let go unless `serve`.
    ///
    /// # Errors
    /// They are not there.
    pub(in crate::sqlite) fn opened(mut self, serve: bool) -> Result<Files> {
        let failed = |error: io::Error| engine(&self.name, error);
        let of = |what, path: PathBuf| {
            let id = id(&std::fs::metadata(&path)?);
            Ok(Named { what, path, id })
        };
        let held = id(&self.held.metadata().map_err(failed)?);
        let named = vec![
            Named { what: "file", path: self.given.clone(), id: held },
            of("log", sibling(&self.path, "-wal")).map_err(failed)?,
            of("log's index", sibling(&self.path, "-shm")).map_err(failed)?,
        ];
        if !serve {
            self.let_go()?;
        }
        if let Some(lock) = &self.lock {
            // Now that the log was read: another crash is of this start of the machine.
            lock.note().map_err(|error| engine(&self.name, error))?;
        }
        let lock = Mutex::new(self.lock.take());
        Ok(Files { claim: self, named, lock, is_settled: AtomicBool::new(false) })
    }
}

impl Drop for Files {
    /// Whoever closes the database last writes the checksums of its pages.
    fn drop(&mut self) {
        let is_in_place = self.named.first().is_some_and(|file| is_in_place(file).is_ok());
        if !self.is_settled.load(Ordering::Relaxed) || !is_in_place {
            return;
        }
        self.claim.lock = self.lock.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        match self.claim.imprint() {
            // Somebody else has it open still.
            Ok(()) | Err(StoreError::InUse(_)) => {}
            Err(error) => tracing::error!(%error, "no checksums of the store could be written"),
        }
    }
}

impl Files {
    /// Notes that the connections, once closed, leave nothing in the log.
    pub(in crate::sqlite) fn will_be_settled(&self) {
        self.is_settled.store(true, Ordering::Relaxed);
    }

    pub(in crate::sqlite) fn path(&self) -> &Path {
        self.claim.path()
    }

    pub(in crate::sqlite) fn log(&self) -> PathBuf {
        sibling(&self.claim.path, "-wal")
    }

    /// Whether the names still lead to the files that are open.
    ///
    /// # Errors
    /// One does not.
    pub(in crate::sqlite) fn are_in_place(&self) -> Result<()> {
        self.named.iter().try_for_each(is_in_place).map_err(engine_error)
    }

    /// Whether all is in place but the log, which is gone: what it holds can still be moved into the
    /// file, and is lost otherwise when the store is closed.
    pub(in crate::sqlite) fn lack_their_log(&self) -> bool {
        self.named.iter().all(|named| match is_in_place(named) {
            Ok(()) => named.what != "log",
            Err(Astray::Removed(what)) => what == "log",
            Err(Astray::Replaced(_) | Astray::Unseen(..)) => false,
        })
    }

    /// Takes the lock file again where it was removed.
    ///
    /// # Errors
    /// Another process did.
    pub(in crate::sqlite) fn keep_locked(&self) -> Result<()> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.as_ref().is_some_and(|lock| is_in_place(&lock.named).is_err()) {
            *lock = Some(self.claim.beside()?);
        }
        Ok(())
    }

    /// Whether the disk has room.
    ///
    /// # Errors
    /// It is full, or may only be read.
    pub(in crate::sqlite) fn have_room(&self) -> Result<()> {
        match room(&self.claim.held) {
            Some((_, true)) => Err(engine_error(NoRoom::ReadOnly)),
            Some((left, false)) if left < ROOM_MIN => Err(engine_error(NoRoom::Full(left))),
            Some(_) | None => Ok(()),
        }
    }
}

/// Whether it may be what is damaged that something fails at, and not who else has the file open, or its disk.
pub(in crate::sqlite) fn is_of_damage(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
        )
    )
}

fn engine_error(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Engine(Box::new(error))
}

fn is_in_place(named: &Named) -> Result<(), Astray> {
    match std::fs::metadata(&named.path) {
        Ok(found) if id(&found) == named.id => Ok(()),
        Ok(_) => Err(Astray::Replaced(named.what)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Astray::Removed(named.what)),
        Err(error) => Err(Astray::Unseen(named.what, error)),
    }
}

/// Whether nothing lies in the log beside a database.
pub(in crate::sqlite) fn has_no_log(path: &Path) -> bool {
    match std::fs::metadata(sibling(path, "-wal")) {
        Ok(log) => log.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn made(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn id(facts: &Metadata) -> Id {
    use std::os::unix::fs::MetadataExt as _;
    (facts.dev(), facts.ino())
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn id(_: &Metadata) -> Id {
    (0, 0)
}

/// Bytes left to us on a file's disk, and whether it may only be read.
#[cfg(unix)]
fn room(file: &File) -> Option<(u64, bool)> {
    use rustix::fs::StatVfsMountFlags;
    let disk = rustix::fs::fstatvfs(file).ok()?;
    let left = disk.f_bavail.saturating_mul(disk.f_frsize);
    Some((left, disk.f_flag.contains(StatVfsMountFlags::RDONLY)))
}

#[cfg(not(unix))]
fn room(_: &File) -> Option<(u64, bool)> {
    None
}
