//! Files as they are delivered: plain, gzip, damaged gzip.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use palisade_api::inflate::{Bounds, CHUNK_MAX, Inflate, InflateError};

use crate::prng::Prng;

const BOUNDS: Bounds = Bounds { ratio_max: 20, free_max: 4096 };

const GZIP: &[u8] = b"\x1f\x8b";

/// Whether content is of a form that is read once more.
fn is_read_on(content: &[u8]) -> bool {
    let is_wide = matches!(content, [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..]);
    is_wide || [GZIP, b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| content.starts_with(mark))
}

/// As gzip: bounded in what comes out. As content: given back from gzip as it was, and never
/// something else from gzip that is cut off or damaged.
pub fn gzip(input: &[u8]) -> bool {
    let read = inflate(input, BOUNDS);
    let accepted = read.is_ok();
    match read {
        Ok(_) if is_read_on(input) && !input.starts_with(GZIP) => {}
        Ok(out) if !input.starts_with(GZIP) => assert_eq!(out, input, "plain bytes"),
        Ok(out) => assert!(out.len() <= allowed(input), "{} bytes came out", out.len()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let free = Bounds { ratio_max: 1, free_max: u64::MAX };
    // Gzip in gzip and UTF-16 are read on: what comes out is not what went in.
    if is_read_on(input) {
        return accepted;
    }
    let mut random = Prng::of_bytes(input);
    let (first, second) = input.split_at(random.below(input.len() + 1));
    let mut file = compressed(first, &mut random);
    if random.below(4) == 0 {
        file.extend(compressed(second, &mut random));
        assert_eq!(inflate(&file, free).unwrap(), input, "two members");
        return accepted;
    }
    assert_eq!(inflate(&file, free).unwrap(), first);
    let cut = 2 + random.below(file.len() - 2);
    match inflate(&file[..cut], free) {
        Err(InflateError::Truncated { .. }) => {}
        other => panic!("cut to {cut} of {} bytes: {other:?}", file.len()),
    }
    let at = random.below(file.len());
    file[at] ^= 1 << random.below(8);
    match inflate(&file, free) {
        Ok(out) => {
            let plain = !file.starts_with(GZIP);
            assert!(if plain { out == file } else { out == first }, "damaged at {at} and believed");
        }
        Err(InflateError::Damaged { .. } | InflateError::Truncated { .. }) => {}
        Err(other) => panic!("damaged at {at}: {other:?}"),
    }
    grows_within_bounds(first, &mut random);
    accepted
}

/// The same content over and over: the more often, the more of a bomb.
fn grows_within_bounds(content: &[u8], random: &mut Prng) {
    let times = [1, 2, 8, 32, 128][random.below(5)];
    let content = content.repeat(times.min(64 * 1024 / content.len().max(1)));
    let file = compressed(&content, random);
    match inflate(&file, BOUNDS) {
        Ok(out) => {
            assert_eq!(out, content);
            assert!(out.len() <= allowed(&file), "{} bytes of {}", out.len(), file.len());
        }
        Err(InflateError::Bomb { .. }) => {
            assert!(content.len() > allowed(&[]), "{} bytes are a bomb", content.len());
        }
        Err(other) => panic!("{} bytes repeated: {other:?}", content.len()),
    }
}

fn allowed(input: &[u8]) -> usize {
    let ratio = usize::try_from(BOUNDS.ratio_max).unwrap();
    let free = usize::try_from(BOUNDS.free_max).unwrap();
    free.max(input.len() * ratio)
}

fn compressed(content: &[u8], random: &mut Prng) -> Vec<u8> {
    let level = Compression::new([0, 1, 6][random.below(3)]);
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn inflate(bytes: &[u8], bounds: Bounds) -> Result<Vec<u8>, InflateError> {
    let mut reader = Inflate::new(bytes, bounds)?;
    let mut out = Vec::new();
    while let Some(chunk) = reader.next_chunk()? {
        assert!(!chunk.is_empty() && chunk.len() <= CHUNK_MAX);
        out.extend_from_slice(chunk);
    }
    assert!(reader.compressed() <= bytes.len() as u64);
    Ok(out)
}
