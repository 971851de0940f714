//! How far the log was on disk when a write was last acknowledged: `PATH.synced`.
//!
//! A last frame that is damaged looks like one that was being written when the server ended, and a log that is
//! gone like one that was moved into the file. The mark tells them apart. It is written after each sync and
//! before anybody is told of it, and is not synced itself: the disk may keep an older mark, which claims less,
//! but none that claims what the log did not hold.
//!
//! ```text
//! MAGIC | salts of the log | frames | page of the last frame | checksum of that page | checksum of all this
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::names::sibling;
use crate::sqlite::checksums::page_size;

/// Bytes of the log's head, and of a frame's.
pub(super) const HEAD_LEN: usize = 32;
pub(super) const FRAME_HEAD_LEN: usize = 24;
/// How a mark begins.
const MAGIC: &[u8; 16] = b"palisade sync 1\n";
/// Bytes of a number in it.
const NUMBER_LEN: usize = 8;
/// Bytes of a mark: [`MAGIC`], salts, frames, page, that page's checksum, and the checksum of it all.
const MARK_LEN: usize = MAGIC.len() + 5 * NUMBER_LEN;
/// Where a page's size is in the log's head, and the largest.
const PAGE_SIZE_AT: usize = 8;
const PAGE_SIZE_MAX: u32 = 65_536;
/// Where the salts are in the log's head (file format §4.1), and where in a frame's.
const SALTS_AT: u64 = 16;
const FRAME_SALTS_AT: usize = 8;

/// Where the log ended after a commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct End {
    /// Which log: it has others each time it begins anew.
    salts: u64,
    frames: u32,
}

/// What a mark claims to be in the log, or in the file if the log is gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::sqlite) struct Mark {
    pub(super) salts: u64,
    /// From the first; at least one.
    pub(super) frames: u64,
    /// The page that the last of them holds, from 1.
    page: u64,
    sum: u64,
}

impl Mark {
    /// The mark beside a database, unless there is none, or none that can be read.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub(in crate::sqlite) fn of(database: &Path) -> io::Result<Option<Mark>> {
        let mut bytes = Vec::new();
        match File::open(sibling(database, ".synced")) {
            Ok(file) => file.take(MARK_LEN as u64).read_to_end(&mut bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Mark::read(&bytes).filter(|mark| mark.frames > 0))
    }

    fn read(bytes: &[u8]) -> Option<Mark> {
        let (told, sum) = bytes.split_at_checked(MARK_LEN.checked_sub(NUMBER_LEN)?)?;
        if sum != xxh3_64(told).to_le_bytes() {
            return None;
        }
        let mut numbers = told.strip_prefix(MAGIC)?.chunks_exact(NUMBER_LEN);
        let mut number = || numbers.next()?.try_into().ok().map(u64::from_le_bytes);
        Some(Mark { salts: number()?, frames: number()?, page: number()?, sum: number()? })
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for number in [self.salts, self.frames, self.page, self.sum] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
        bytes
    }

    /// Whether the database's file holds what the last frame held, as it does once the log was moved.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(in crate::sqlite) fn is_moved(self, mut database: &File) -> io::Result<bool> {
        let Some(size) = page_size(database)? else { return Ok(false) };
        let at = self.page.saturating_sub(1).saturating_mul(size as u64);
        let mut page = vec![0; size];
        database.seek(SeekFrom::Start(at))?;
        match database.read_exact(&mut page) {
            Ok(()) => Ok(xxh3_64_with_seed(&page, self.page) == self.sum),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Makes the mark beside a database, if there is one, claim nothing more.
///
/// # Errors
/// It cannot be written.
pub(super) fn forget(database: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).open(sibling(database, ".synced")) {
        Ok(mut mark) => write_none(&mut mark),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Writes a mark that claims nothing, and has it on disk: what it claimed may not come back when the log is gone.
fn write_none(mark: &mut File) -> io::Result<()> {
    write(mark, Mark { salts: 0, frames: 0, page: 0, sum: 0 })?;
    mark.sync_data()
}

fn write(file: &mut File, mark: Mark) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    // In one piece, which a process that is killed writes wholly or not at all.
    file.write_all(&mark.bytes())
}

/// The mark of a database that is served.
pub(in crate::sqlite) struct Marks {
    /// Read for the salts with the writer's turn.
    log: Mutex<File>,
    open: Mutex<Open>,
}

/// Held while the log is cut off, so that no mark of what was in it is written meanwhile.
pub(in crate::sqlite) struct Open {
    mark: File,
    log: File,
}

impl Marks {
    /// # Errors
    /// The log is not there; the mark cannot be made.
    pub(super) fn open(database: &Path, log: &Path) -> io::Result<Marks> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let open =
            Open { mark: options.open(sibling(database, ".synced"))?, log: File::open(log)? };
        Ok(Marks { log: Mutex::new(File::open(log)?), open: Mutex::new(open) })
    }

    /// Where the log ends that has so many frames. To be asked with the writer's turn: the log may begin anew
    /// after it. `None` where that cannot be told.
    pub(super) fn end(&self, frames: u32) -> Option<End> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        (frames > 0).then_some(End { salts: salts(&mut log).ok()?, frames })
    }

    /// Writes that all up to there is on disk. Nothing is written where the log has begun anew: all of it is in
    /// the file then.
    ///
    /// # Errors
    /// The log cannot be read, or the mark cannot be written. An older one claims less.
    pub(super) fn note(&self, end: End) -> io::Result<()> {
        let mut open = self.held();
        match open.mark_of(end)? {
            Some(mark) => write(&mut open.mark, mark),
            None => Ok(()),
        }
    }

    /// Claims nothing more; nothing is noted until what is answered is let go.
    ///
    /// # Errors
    /// The mark cannot be written.
    pub(super) fn forget(&self) -> io::Result<MutexGuard<'_, Open>> {
        let mut open = self.held();
        write_none(&mut open.mark)?;
        Ok(open)
    }

    fn held(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn mark_of(&mut self, end: End) -> io::Result<Option<Mark>> {
        let log = &mut self.log;
        let mut head = [0; HEAD_LEN];
        if !read_at(log, 0, &mut head)? {
            return Ok(None);
        }
        let size = head.get(PAGE_SIZE_AT..).and_then(|size| size.first_chunk());
        let size = size.map_or(0, |size| u32::from_be_bytes(*size));
        let size = usize::try_from(size.min(PAGE_SIZE_MAX)).unwrap_or_default();
        let before = u64::from(end.frames.saturating_sub(1));
        let at = before.saturating_mul((FRAME_HEAD_LEN.saturating_add(size)) as u64);
        let mut frame = vec![0; FRAME_HEAD_LEN.saturating_add(size)];
        if !read_at(log, at.saturating_add(HEAD_LEN as u64), &mut frame)? {
            return Ok(None);
        }
        // Whoever begins the log anew writes its head before any frame.
        if salts(log).ok() != Some(end.salts) {
            return Ok(None);
        }
        let Some((head, page)) = frame.split_at_checked(FRAME_HEAD_LEN) else { return Ok(None) };
        let number = head.first_chunk().map_or(0, |number| u32::from_be_bytes(*number));
        let of_frame = head.get(FRAME_SALTS_AT..).and_then(|salts| salts.first_chunk());
        if of_frame.map(|salts| u64::from_be_bytes(*salts)) != Some(end.salts) {
            return Ok(None);
        }
        let page_number = u64::from(number);
        let sum = xxh3_64_with_seed(page, page_number);
        let (salts, frames) = (end.salts, u64::from(end.frames));
        Ok(Some(Mark { salts, frames, page: page_number, sum }))
    }
}

fn salts(log: &mut File) -> io::Result<u64> {
    let mut salts = [0; 8];
    match read_at(log, SALTS_AT, &mut salts)? {
        true => Ok(u64::from_be_bytes(salts)),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Whether there was as much.
fn read_at(file: &mut File, at: u64, bytes: &mut [u8]) -> io::Result<bool> {
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_that_is_not_whole_claims_nothing() {
        let mark = Mark { salts: 1 << 40, frames: 7, page: 3, sum: 9 };
        let bytes = mark.bytes();
        assert_eq!(bytes.len(), MARK_LEN);
        assert_eq!(Mark::read(&bytes), Some(mark));
        for place in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[place] ^= 16;
            assert_eq!(Mark::read(&flipped), None, "{place}");
            assert_eq!(Mark::read(&bytes[..place]), None, "{place}");
        }
    }

    #[test]
    fn no_mark_is_made_of_a_log_that_has_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1)").unwrap();
        let marks = Marks::open(&path, &sibling(&path, "-wal")).unwrap();
        // Two pages, and the second once more.
        let end = marks.end(3).unwrap();
        marks.note(end).unwrap();
        let first = Mark::of(&path).unwrap().unwrap();
        assert_eq!((first.frames, first.salts), (3, end.salts));
        let file = File::open(&path).unwrap();
        assert!(!first.is_moved(&file).unwrap());
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        assert!(first.is_moved(&file).unwrap());
        connection.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        marks.note(end).unwrap();
        assert_eq!(Mark::of(&path).unwrap(), Some(first), "it is of the log before");
        let next = marks.end(1).unwrap();
        assert_ne!(next.salts, end.salts);
        marks.note(next).unwrap();
        assert_eq!(Mark::of(&path).unwrap().map(|mark| mark.frames), Some(1));
        drop(marks.forget().unwrap());
        assert_eq!(Mark::of(&path).unwrap(), None);
        assert_eq!(marks.end(0), None, "nothing was committed");
    }
}
