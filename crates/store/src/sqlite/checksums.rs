//! Checksums of all pages of a store that nobody has open, behind its last page.
//!
//! SQLite believes what it reads: one flipped bit may be another answer, a row that is not found, or a
//! row of somebody else. Whoever closes a store as the last one writes a checksum of each page behind
//! the last, where SQLite does not look, and whoever opens it first holds the pages against them and
//! takes them off again. Another program that writes to the database takes them off without knowing:
//! SQLite cuts the file to its pages when it moves its log. After a crash there are none, and nothing
//! is checked.
//!
//! ```text
//! page 1 … page n | checksum of page 1 … checksum of page n | footer: MAGIC, page size, n, checksum of all that
//! ```

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

/// How the footer begins.
const MAGIC: &[u8; 16] = b"palisade sums 1\n";
/// Bytes of the footer: [`MAGIC`], a page's size, how many, and the checksum of it all.
const FOOTER_LEN: usize = MAGIC.len() + 3 * SUM_LEN;
/// Bytes of a checksum, and of a number in the footer.
const SUM_LEN: usize = 8;
/// Bytes of SQLite's own head of a file.
const HEAD_LEN: usize = 100;
/// Bytes that are read at once, at least.
const READ_SIZE: usize = 1 << 20;
/// Damaged pages that are told one by one.
pub(super) const DAMAGED_TOLD_MAX: usize = 20;

/// What the checksums of a file say.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Checked {
    /// There are none, or none that can be read.
    Unknown,
    /// Every page is as it was.
    Intact,
    /// These pages are not, and so many more.
    Damaged { pages: Vec<u64>, more: u64 },
}

struct Footer {
    page_size: usize,
    pages: u64,
    sums: Vec<u8>,
}

impl Footer {
    /// Bytes of the file without the checksums.
    fn end(&self) -> u64 {
        self.pages.saturating_mul(self.page_size as u64)
    }
}

/// Writes the checksums of all pages. Nobody may have the database open.
///
/// # Errors
/// The file cannot be read or written. What was written of them then is no footer.
pub(super) fn write(mut file: &File) -> io::Result<()> {
    let length = file.metadata()?.len();
    let Some(page_size) = page_size(file)? else { return Ok(()) };
    if !length.is_multiple_of(page_size as u64) {
        // Something lies behind the pages, and it is not for us to say what.
        return Ok(());
    }
    let mut sums = Vec::new();
    each_page(file, page_size, length, &mut |number, page| {
        sums.extend_from_slice(&xxh3_64_with_seed(page, number).to_le_bytes());
    })?;
    let pages = length / page_size as u64;
    let mut all = sums;
    all.extend_from_slice(MAGIC);
    all.extend_from_slice(&(page_size as u64).to_le_bytes());
    all.extend_from_slice(&pages.to_le_bytes());
    let sum = sum(&all);
    all.extend_from_slice(&sum.to_le_bytes());
    file.seek(SeekFrom::Start(length))?;
    file.write_all(&all)?;
    file.sync_all()
}

/// Holds every page against its checksum.
///
/// # Errors
/// The file cannot be read.
pub(super) fn check(file: &File) -> io::Result<Checked> {
    let Some(footer) = footer(file)? else { return Ok(Checked::Unknown) };
    let mut known = footer.sums.chunks_exact(SUM_LEN);
    let (mut pages, mut more) = (Vec::new(), 0u64);
    each_page(file, footer.page_size, footer.end(), &mut |number, page| {
        let sum = xxh3_64_with_seed(page, number).to_le_bytes();
        match known.next() {
            Some(known) if known == sum => {}
            Some(_) | None if pages.len() < DAMAGED_TOLD_MAX => pages.push(number),
            Some(_) | None => more = more.saturating_add(1),
        }
    })?;
    match pages.is_empty() {
        true => Ok(Checked::Intact),
        false => Ok(Checked::Damaged { pages, more }),
    }
}

/// Takes the checksums off, if there are any.
///
/// # Errors
/// The file cannot be read or written.
pub(super) fn take_off(file: &File) -> io::Result<()> {
    match footer(file)? {
        // A log that is moved by SQLite would cut it as well, but not one that is moved in part.
        Some(footer) => file.set_len(footer.end()),
        None => Ok(()),
    }
}

/// The checksums, unless they are not there or not whole.
fn footer(mut file: &File) -> io::Result<Option<Footer>> {
    let length = file.metadata()?.len();
    let Some(start) = length.checked_sub(FOOTER_LEN as u64) else { return Ok(None) };
    let mut last = [0; FOOTER_LEN];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut last)?;
    let Some(numbers) = last.strip_prefix(MAGIC) else { return Ok(None) };
    let mut numbers = numbers.chunks_exact(SUM_LEN).filter_map(|n| n.try_into().ok());
    let mut number = || numbers.next().map(u64::from_le_bytes);
    let (Some(page_size), Some(pages), Some(known)) = (number(), number(), number()) else {
        return Ok(None);
    };
    let sums_len = pages.saturating_mul(SUM_LEN as u64);
    let end = pages.saturating_mul(page_size);
    if !is_page_size(page_size) || end.saturating_add(sums_len) != start {
        return Ok(None);
    }
    let mut sums = vec![0; usize::try_from(sums_len).unwrap_or(0)];
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut sums)?;
    let told = last.get(..FOOTER_LEN.saturating_sub(SUM_LEN)).unwrap_or_default();
    let mut all = Xxh3::new();
    all.update(&sums);
    all.update(told);
    if all.digest() != known {
        return Ok(None);
    }
    let page_size = usize::try_from(page_size).unwrap_or(0);
    Ok(Some(Footer { page_size, pages, sums }))
}

fn sum(all: &[u8]) -> u64 {
    let mut sum = Xxh3::new();
    sum.update(all);
    sum.digest()
}

/// The size of a page as SQLite wrote it (file format §1.3.2); none of an empty file.
pub(super) fn page_size(mut file: &File) -> io::Result<Option<usize>> {
    let mut head = [0; HEAD_LEN];
    file.seek(SeekFrom::Start(0))?;
    match file.read_exact(&mut head) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let [.., high, low] = *head.first_chunk::<18>().unwrap_or(&[0; 18]);
    let size = match u64::from(u16::from_be_bytes([high, low])) {
        1 => 65_536,
        size => size,
    };
    Ok(is_page_size(size).then(|| usize::try_from(size).unwrap_or(0)))
}

fn is_page_size(size: u64) -> bool {
    (512..=65_536).contains(&size) && size.is_power_of_two()
}

/// Hands every page with its number, the first being 1, to `take`.
fn each_page(
    mut file: &File,
    page_size: usize,
    end: u64,
    take: &mut dyn FnMut(u64, &[u8]),
) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    let mut left = end;
    let mut number = 0u64;
    let mut pages = vec![0; READ_SIZE.next_multiple_of(page_size)];
    while left > 0 {
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(pages.len());
        let read = pages.get_mut(..size).unwrap_or_default();
        file.read_exact(read)?;
        for page in read.chunks_exact(page_size) {
            number = number.saturating_add(1);
            take(number, page);
        }
        left = left.saturating_sub(size as u64);
    }
    Ok(())
}
