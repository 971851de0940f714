//! Whether a write-ahead log that a crash left behind is whole.
//!
//! SQLite believes a log up to the first frame whose checksum is another, and tells nobody of commits behind
//! it. Each frame's checksum goes on from that of the frame before, so frames behind a damaged one can still be
//! told to be as they were written: by the checksum that is written in the one before them (file format §4.2).
//!
//! ```text
//! head | frame 1 | frame 2 ✗ | frame 3, a commit: goes on from what is written in 2
//! ```
//!
//! Of the last frames only a [`Mark`] tells.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::mark::{FRAME_HEAD_LEN, HEAD_LEN, Mark};

/// How a log begins; the last bit says that numbers are summed with their high bytes first.
const MAGIC: u32 = 0x377f_0682;
/// Bytes of a page of every store that Palisade made: for a log whose head does not tell.
const PAGE_SIZE_USUAL: usize = 4_096;

/// What a log is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::sqlite) enum Left {
    /// Nothing in it says otherwise.
    Whole,
    /// The last frames are not whole: they were being written, or undone, when the server ended. Were they
    /// damaged, nothing would tell.
    Torn,
    /// A frame is not as it was written, and a commit comes behind it.
    Damaged {
        /// Its number from 1; 0 is the head.
        frame: u64,
    },
    /// A frame is not as it was written, or is not there, and was on disk when a commit was acknowledged.
    Lost {
        /// Its number from 1; 0 is the head.
        frame: u64,
    },
}

/// Looks at a log that nobody writes, and of which a mark may claim something.
///
/// # Errors
/// It cannot be read.
pub(in crate::sqlite) fn left(log: &Path, mark: Option<Mark>) -> io::Result<Left> {
    let file = match File::open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::Whole),
        opened => opened?,
    };
    walked(&mut BufReader::with_capacity(1 << 20, file), mark)
}

fn walked(log: &mut impl Read, mark: Option<Mark>) -> io::Result<Left> {
    // Of one that is empty or gone the file tells whether it was moved.
    let Some(head) = piece::<HEAD_LEN>(log)? else { return Ok(Left::Whole) };
    let [magic, _, page_size, _, salt, other_salt, low, high] = words::<8>(&head);
    let is_big = magic == MAGIC | 1;
    let written = Sum(low, high);
    let is_whole = magic | 1 == MAGIC | 1
        && Sum(0, 0).over(head.get(..FRAME_HEAD_LEN).unwrap_or_default(), is_big) == written;
    // What is claimed of another log is in the file. Which one this is a damaged head does not tell.
    let mark = mark.filter(|mark| !is_whole || mark.salts == joined(salt, other_salt));
    let mut bad = (!is_whole).then_some(0);
    let mut salts = is_whole.then_some([salt, other_salt]);
    let size = match page_size {
        512..=65_536 if is_whole => usize::try_from(page_size).unwrap_or(PAGE_SIZE_USUAL),
        _ => PAGE_SIZE_USUAL,
    };
    let (mut before, mut number, mut torn) = (written, 0u64, !is_whole);
    let mut page = vec![0; size];
    while let Some(head) = piece::<FRAME_HEAD_LEN>(log)? {
        if !filled(log, &mut page)? {
            break;
        }
        number = number.saturating_add(1);
        let [_, commit, one, two, low, high] = words::<6>(&head);
        let [salt, other_salt] = *salts.get_or_insert([one, two]);
        let is_ours = salt == one && other_salt == two;
        let sum = before.over(head.get(..8).unwrap_or_default(), is_big).over(&page, is_big);
        let goes_on = is_ours && sum == Sum(low, high);
        match bad {
            None if !goes_on => {
                bad = Some(number);
                // Frames of an older log that this one has not reached yet have two other salts.
                torn = salt == one || other_salt == two;
            }
            // Frames without a commit were undone, and others written in place of the first of them.
            Some(frame) if goes_on && commit != 0 => {
                let is_lost = mark.is_some_and(|mark| frame <= mark.frames);
                return Ok(if is_lost { Left::Lost { frame } } else { Left::Damaged { frame } });
            }
            None | Some(_) => {}
        }
        before = Sum(low, high);
    }
    let whole = bad.map_or(number, |frame| frame.saturating_sub(1));
    Ok(match mark {
        Some(mark) if whole < mark.frames => {
            Left::Lost { frame: bad.unwrap_or(number.saturating_add(1)) }
        }
        Some(_) | None if torn => Left::Torn,
        Some(_) | None => Left::Whole,
    })
}

/// Both salts as a mark has them.
fn joined(salt: u32, other: u32) -> u64 {
    u64::from(salt) << 32 | u64::from(other)
}

/// A checksum of the log's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Sum(u32, u32);

impl Sum {
    fn over(self, bytes: &[u8], is_big: bool) -> Sum {
        let (mut low, mut high) = (self.0, self.1);
        for pair in bytes.chunks_exact(8) {
            let [one, two] = words::<2>(pair);
            let (one, two) = if is_big { (one, two) } else { (one.swap_bytes(), two.swap_bytes()) };
            low = low.wrapping_add(one).wrapping_add(high);
            high = high.wrapping_add(two).wrapping_add(low);
        }
        Sum(low, high)
    }
}

/// Numbers of four bytes, the high one first.
fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = bytes.try_into().map_or(0, u32::from_be_bytes);
    }
    words
}

fn piece<const N: usize>(log: &mut impl Read) -> io::Result<Option<[u8; N]>> {
    let mut piece = [0; N];
    Ok(filled(log, &mut piece)?.then_some(piece))
}

/// Whether there was as much.
fn filled(log: &mut impl Read, piece: &mut [u8]) -> io::Result<bool> {
    match log.read_exact(piece) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A log of small commits, with what an undone transaction of many pages left among and behind them.
    fn log() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection.pragma_update(None, "cache_size", 10).unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER NOT NULL, b BLOB)").unwrap();
        let small = "INSERT INTO t VALUES (1, zeroblob(5000))";
        for undone in [90_000, 400_000] {
            connection.execute_batch(small).unwrap();
            let many = format!("BEGIN; INSERT INTO t VALUES (2, zeroblob({undone}))");
            connection.execute_batch(&many).unwrap();
            connection.execute_batch("ROLLBACK").unwrap();
            connection.execute_batch(small).unwrap();
        }
        std::fs::read(folder.path().join("db-wal")).unwrap()
    }

    const FRAME_LEN: usize = FRAME_HEAD_LEN + PAGE_SIZE_USUAL;

    fn found(mut log: &[u8]) -> Left {
        walked(&mut log, None).unwrap()
    }

    #[test]
    fn what_was_undone_is_no_damage_and_neither_is_an_early_end() {
        let log = log();
        assert!(log.len() > HEAD_LEN + 80 * FRAME_LEN, "the undone transaction is in it");
        assert_eq!(found(&log), Left::Torn, "it may have been one that was being written");
        for end in (0..log.len()).step_by(997) {
            assert!(!matches!(found(&log[..end]), Left::Damaged { .. }), "{end}");
        }
        assert_eq!(found(&[]), Left::Whole);
    }

    #[test]
    fn a_frame_of_an_older_log_is_no_part_of_this_one() {
        let (older, mut log) = (log(), log());
        let end = HEAD_LEN + 4 * FRAME_LEN;
        assert_eq!(found(&log[..end]), Left::Whole);
        log.truncate(end);
        log.extend_from_slice(&older[end..]);
        assert_eq!(found(&log), Left::Whole, "its salts are others");
    }

    #[test]
    fn each_damaged_byte_before_the_last_commit_is_found() {
        let mut log = log();
        log.truncate(HEAD_LEN + 8 * FRAME_LEN);
        assert_eq!(found(&log), Left::Whole);
        // The last two frames are two pages of one commit.
        for place in (0..HEAD_LEN).chain((HEAD_LEN..log.len() - 2 * FRAME_LEN).step_by(61)) {
            log[place] ^= 4;
            let frame = place.saturating_sub(HEAD_LEN).div_euclid(FRAME_LEN) + 1;
            let frame = if place < HEAD_LEN { 0 } else { u64::try_from(frame).unwrap() };
            assert_eq!(found(&log), Left::Damaged { frame }, "{place}");
            log[place] ^= 4;
        }
    }
}
