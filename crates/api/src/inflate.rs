//! Reads a delivered file, plain or gzip (or gzip in gzip), in UTF-8 or UTF-16, told apart by its first bytes, and
//! never lets a small file become an endless one.

use std::fmt;
use std::io::{BufRead, BufReader, Chain, Cursor, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

/// Inflated bytes that one chunk holds at most: few enough to be in the processor's own cache still
/// when they are parsed.
pub const CHUNK_MAX: usize = 128 * 1024;
/// Bytes of a gzip source that are read ahead.
const AHEAD: usize = 64 * 1024;
/// Inflated bytes that are free of the ratio: 16 MiB.
pub const FREE_MAX: u64 = 16 * 1024 * 1024;
/// Inflated bytes for each compressed byte, beyond [`FREE_MAX`].
pub const RATIO_MAX: u64 = 200;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Whether a file's first bytes are those of gzip.
pub fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&GZIP_MAGIC)
}

/// Whether a file, by its first bytes, is text that can be read as it lies there.
pub fn is_plain(start: &[u8]) -> bool {
    !is_gzip(start) && Wide::of(start).is_none()
}

/// Why a file cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum InflateError {
    /// It inflates beyond what an honest file does.
    #[error(
        "the gzip data inflates to more than {ratio_max} times its size after {free_max} bytes \
         ({inflated} bytes out of {compressed} so far); deliver it in smaller files or unzipped"
    )]
    Bomb {
        /// Bytes that came out.
        inflated: u64,
        /// Bytes that went in.
        compressed: u64,
        /// The limit.
        ratio_max: u64,
        /// Bytes without limit.
        free_max: u64,
    },
    /// It ends before its gzip data does.
    #[error("the gzip data ends in the middle, after {compressed} bytes; deliver the whole file")]
    Truncated {
        /// Bytes that went in.
        compressed: u64,
    },
    /// It is no gzip after all, or its checksum is wrong.
    #[error("the gzip data is damaged after {compressed} bytes: {why}")]
    Damaged {
        /// Bytes that went in.
        compressed: u64,
        /// What the decoder said.
        why: String,
    },
    /// The source failed.
    #[error("the file cannot be read: {0}")]
    Source(#[from] std::io::Error),
}

/// How much a file may inflate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bounds {
    /// Inflated bytes for each compressed byte, beyond `free_max`.
    pub ratio_max: u64,
    /// Inflated bytes to which the ratio does not apply.
    pub free_max: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { ratio_max: RATIO_MAX, free_max: FREE_MAX }
    }
}

/// A file's content, inflated when it is gzip (several members one after another included).
pub struct Inflate<R: Read> {
    source: Source<R>,
    bounds: Bounds,
    inflated: u64,
    chunk: Chunk,
    /// Of a file in UTF-16.
    wide: Option<Wide>,
}

/// Where a chunk is read to: for one file after the other.
#[derive(Debug, Default)]
pub struct Chunk(Vec<u8>);

/// What came out of a gzip, its first bytes again before the rest.
type Inflated<R> = BufReader<Chain<Cursor<Vec<u8>>, MultiGzDecoder<Counted<R>>>>;

enum Source<R: Read> {
    Plain {
        source: R,
        count: u64,
        /// How many bytes at the start of the chunk were read already, to see what they are.
        ahead: usize,
    },
    Gzip(Box<MultiGzDecoder<Counted<R>>>),
    /// What is inflated begins as gzip does.
    Twice(Box<MultiGzDecoder<Inflated<R>>>),
    /// While one becomes another.
    Spent,
}

impl<R: Read> Inflate<R> {
    /// Looks at the first two bytes of `source` and reads on accordingly.
    ///
    /// # Errors
    /// [`InflateError::Source`] when the first bytes cannot be read.
    pub fn new(source: R, bounds: Bounds) -> Result<Self, InflateError> {
        Inflate::reusing(Chunk::default(), source, bounds)
    }

    /// The same with a chunk that was [left](Inflate::into_chunk) by another file.
    ///
    /// # Errors
    /// [`InflateError::Source`] when the first bytes cannot be read.
    pub fn reusing(
        Chunk(mut chunk): Chunk,
        mut source: R,
        bounds: Bounds,
    ) -> Result<Self, InflateError> {
        chunk.resize(CHUNK_MAX, 0);
        // A short first read is not read on: a source of which it is one byte (a pipe written byte
        // by byte) is not met, and is read as plain text.
        let ahead = read_some(&mut source, &mut chunk)?;
        let start = chunk.get(..ahead).unwrap_or_default();
        let source = match is_gzip(start) {
            true => {
                let source = Cursor::new(start.to_vec()).chain(source);
                let inner = BufReader::with_capacity(AHEAD, source);
                Source::Gzip(Box::new(MultiGzDecoder::new(Counted { inner, count: 0 })))
            }
            false => Source::Plain { source, count: ahead as u64, ahead },
        };
        Ok(Inflate { source, bounds, inflated: 0, chunk: Chunk(chunk), wide: None })
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// Whatever [`InflateError`] says; the reader is of no use afterwards.
    pub fn next_chunk(&mut self) -> Result<Option<&[u8]>, InflateError> {
        let is_first = self.inflated == 0;
        let mut read = self.read_chunk()?;
        if is_first && self.unwrap_inner(read) {
            read = self.read_chunk()?;
        }
        if is_first {
            self.wide = Wide::of(self.chunk.0.get(..read).unwrap_or_default());
        }
        let bytes = self.chunk.0.get(..read).unwrap_or_default();
        match &mut self.wide {
            None if read == 0 => Ok(None),
            None => Ok(Some(bytes)),
            Some(wide) => Ok(wide.decoded(bytes)),
        }
    }

    /// Goes on with the gzip that the first bytes of a gzip are. Answers whether they were.
    fn unwrap_inner(&mut self, read: usize) -> bool {
        let start = self.chunk.0.get(..read).unwrap_or_default();
        if !is_gzip(start) || !matches!(self.source, Source::Gzip(_)) {
            return false;
        }
        let start = Cursor::new(start.to_vec());
        if let Source::Gzip(outer) = std::mem::replace(&mut self.source, Source::Spent) {
            let inner = BufReader::with_capacity(AHEAD, start.chain(*outer));
            self.source = Source::Twice(Box::new(MultiGzDecoder::new(inner)));
        }
        true
    }

    /// Fills the chunk, and answers how far; 0 at the end.
    fn read_chunk(&mut self) -> Result<usize, InflateError> {
        let Chunk(chunk) = &mut self.chunk;
        let read = match &mut self.source {
            Source::Plain { source, count, ahead } => match std::mem::take(ahead) {
                0 => read_some(source, chunk).inspect(|read| {
                    *count = count.saturating_add(*read as u64);
                }),
                ahead => Ok(ahead),
            },
            Source::Gzip(source) => read_some(source, chunk),
            Source::Twice(source) => read_some(source, chunk),
            Source::Spent => Ok(0),
        };
        let read = read.map_err(|error| self.explain(error))?;
        self.inflated = self.inflated.saturating_add(read as u64);
        self.check_ratio()?;
        Ok(read)
    }

    /// Bytes taken from the source so far.
    pub fn compressed(&self) -> u64 {
        match &self.source {
            Source::Plain { count, .. } => *count,
            Source::Gzip(source) => source.get_ref().count,
            Source::Twice(source) => source.get_ref().get_ref().get_ref().1.get_ref().count,
            Source::Spent => 0,
        }
    }

    /// Leaves the chunk to the next file.
    pub fn into_chunk(self) -> Chunk {
        self.chunk
    }

    fn check_ratio(&self) -> Result<(), InflateError> {
        if matches!(self.source, Source::Plain { .. }) {
            return Ok(());
        }
        let compressed = self.compressed();
        let Bounds { ratio_max, free_max } = self.bounds;
        if self.inflated > free_max && self.inflated > compressed.saturating_mul(ratio_max) {
            return Err(InflateError::Bomb {
                inflated: self.inflated,
                compressed,
                ratio_max,
                free_max,
            });
        }
        Ok(())
    }

    fn explain(&self, error: std::io::Error) -> InflateError {
        let compressed = self.compressed();
        match (&self.source, error.kind()) {
            (Source::Gzip(_) | Source::Twice(_), ErrorKind::UnexpectedEof) => {
                InflateError::Truncated { compressed }
            }
            (
                Source::Gzip(_) | Source::Twice(_),
                ErrorKind::InvalidInput | ErrorKind::InvalidData,
            ) => InflateError::Damaged { compressed, why: error.to_string() },
            _ => InflateError::Source(error),
        }
    }
}

impl<R: Read> fmt::Debug for Inflate<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflate").field("inflated", &self.inflated).finish_non_exhaustive()
    }
}

/// Makes UTF-8 of UTF-16, chunk by chunk.
#[derive(Debug)]
struct Wide {
    is_big_endian: bool,
    /// The bytes of a unit, or of a pair of them, that the next chunk goes on with.
    rest: Vec<u8>,
    text: String,
}

impl Wide {
    /// Of a file that begins with the mark of UTF-16, or with a bracket and a zero as JSON does in it.
    fn of(start: &[u8]) -> Option<Wide> {
        let is_big_endian = match start {
            [0xFF, 0xFE, ..] | [b'{' | b'[', 0, ..] => false,
            [0xFE, 0xFF, ..] | [0, b'{' | b'[', ..] => true,
            _ => return None,
        };
        Some(Wide { is_big_endian, rest: Vec::new(), text: String::new() })
    }

    /// The text of these bytes; `None` at the end. What is no UTF-16 is the replacement character.
    fn decoded(&mut self, bytes: &[u8]) -> Option<&[u8]> {
        let is_end = bytes.is_empty();
        let mut held = std::mem::take(&mut self.rest);
        held.extend_from_slice(bytes);
        if is_end && held.is_empty() {
            return None;
        }
        let unit = |pair: &[u8]| match pair {
            [first, second] if self.is_big_endian => u16::from_be_bytes([*first, *second]),
            [first, second] => u16::from_le_bytes([*first, *second]),
            _ => 0xFFFD,
        };
        let mut whole = if is_end { held.len() } else { held.len() & !1 };
        let last = whole.checked_sub(2).and_then(|from| held.get(from..whole)).map(unit);
        // The first half of a pair waits for the other.
        if !is_end && last.is_some_and(|unit| (0xD800..0xDC00).contains(&unit)) {
            whole = whole.saturating_sub(2);
        }
        let units = held.get(..whole).unwrap_or_default().chunks(2).map(unit);
        self.text.clear();
        let decoded = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        self.text.extend(decoded.filter(|c| *c != '\u{feff}'));
        self.rest = held.split_off(whole);
        Some(self.text.as_bytes())
    }
}

/// Reads once, and again only when that was interrupted.
fn read_some(source: &mut impl Read, chunk: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match source.read(chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Counts the bytes that were used, rather than those that were buffered.
struct Counted<R: Read> {
    inner: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count = self.count.saturating_add(read as u64);
        Ok(read)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count = self.count.saturating_add(amount as u64);
        self.inner.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(bytes: &[u8], bounds: Bounds) -> Result<Vec<u8>, InflateError> {
        let mut reader = Inflate::new(bytes, bounds)?;
        let mut out = Vec::new();
        while let Some(chunk) = reader.next_chunk()? {
            out.extend_from_slice(chunk);
        }
        Ok(out)
    }

    #[test]
    fn plain_and_gzip_are_told_apart_by_content() {
        let text = "{\"configurationItems\":[]}".repeat(10_000).into_bytes();
        assert_eq!(inflate(&text, Bounds::default()).unwrap(), text);
        assert_eq!(inflate(&gzip(&text), Bounds::default()).unwrap(), text);
        assert_eq!(inflate(b"", Bounds::default()).unwrap(), b"");
    }

    #[test]
    fn files_read_one_after_the_other_share_a_chunk() {
        let mut chunk = Chunk::default();
        let (long, short) = (b"long ".repeat(CHUNK_MAX), b"short".to_vec());
        for text in [&long, &gzip(&short), &short, &gzip(&long), &long, &Vec::new(), &short] {
            let mut reader = Inflate::reusing(chunk, text.as_slice(), Bounds::default()).unwrap();
            let mut out = Vec::new();
            while let Some(chunk) = reader.next_chunk().unwrap() {
                out.extend_from_slice(chunk);
            }
            assert_eq!(out, inflate(text, Bounds::default()).unwrap());
            assert_eq!(reader.compressed(), text.len() as u64);
            chunk = reader.into_chunk();
        }
    }

    #[test]
    fn gzip_in_gzip_is_one_file() {
        let text = "{\"configurationItems\":[]}".repeat(20_000).into_bytes();
        assert_eq!(inflate(&gzip(&gzip(&text)), Bounds::default()).unwrap(), text);
        assert_eq!(inflate(&gzip(&gzip(b"")), Bounds::default()).unwrap(), b"");
        let bounds = Bounds { ratio_max: 10, free_max: 100_000 };
        let error = inflate(&gzip(&gzip(&vec![0; 2_000_000])), bounds).unwrap_err();
        assert!(matches!(error, InflateError::Bomb { .. }), "{error}");
        let whole = gzip(&gzip(b"some text that is long enough to be cut anywhere"));
        for cut in 2..whole.len() {
            assert!(inflate(&whole[..cut], Bounds::default()).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn utf_16_is_read_as_text() {
        // Pairs of units stand across the ends of chunks.
        let text = format!("{{\"name\":\"{}\"}}", "Zürich 🦀 x".repeat(CHUNK_MAX / 7));
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for wide in [
            little.clone(),
            big.clone(),
            marked(&[0xFF, 0xFE], &little),
            marked(&[0xFE, 0xFF], &big),
            gzip(&little),
        ] {
            assert_eq!(inflate(&wide, Bounds::default()).unwrap(), text.as_bytes());
        }
        let cut = inflate(&little[..little.len() - 1], Bounds::default()).unwrap();
        assert!(String::from_utf8(cut).unwrap().ends_with('\u{fffd}'), "half a character is none");
    }

    #[test]
    fn several_members_are_one_file() {
        let both = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(inflate(&both, Bounds::default()).unwrap(), b"one two");
    }

    #[test]
    fn a_cut_file_is_said_to_be_cut() {
        let whole = gzip(b"some text that is long enough to be cut anywhere");
        for cut in 2..whole.len() {
            let error = inflate(&whole[..cut], Bounds::default()).unwrap_err();
            assert!(matches!(error, InflateError::Truncated { .. }), "cut at {cut}: {error}");
        }
    }

    #[test]
    fn a_wrong_checksum_is_damage() {
        let mut whole = gzip(b"some text");
        let at = whole.len() - 6;
        whole[at] ^= 1;
        let error = inflate(&whole, Bounds::default()).unwrap_err();
        assert!(matches!(error, InflateError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_bomb_is_refused_beyond_the_free_bytes_alone() {
        let free_max = 100_000;
        let bounds = Bounds { ratio_max: 10, free_max };
        let zeros = |n: u64| gzip(&vec![0; usize::try_from(n).unwrap()]);
        assert!(inflate(&zeros(free_max - 1), bounds).is_ok(), "one under");
        assert!(inflate(&zeros(free_max), bounds).is_ok(), "at it");
        let error = inflate(&zeros(free_max + 1), bounds).unwrap_err();
        assert!(matches!(error, InflateError::Bomb { .. }), "one over: {error}");
        assert!(error.to_string().contains("10 times its size after 100000 bytes"));
    }

    #[test]
    fn an_honest_ratio_may_go_on_for_ever() {
        let mut text = vec![0; 200_000];
        palisade_testkit::Rng::with_seed(7).fill(&mut text);
        let bounds = Bounds { ratio_max: 2, free_max: 10 };
        assert_eq!(inflate(&gzip(&text), bounds).unwrap(), text);
    }
}
