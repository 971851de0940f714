//! Archives that are the same bytes each time: no owner, name or time of the machine that makes them.

use std::io::Write as _;

use flate2::{Compression, GzBuilder};

/// A file or folder of an archive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Where it is unpacked to, without a slash before it.
    pub path: String,
    /// Permissions, as `0o755`.
    pub mode: u32,
    /// Number of user and group.
    pub owner: u64,
    /// A file's content; a folder has none.
    pub content: Option<Vec<u8>>,
}

impl Entry {
    /// A file of root's.
    pub fn file(path: impl Into<String>, mode: u32, content: impl Into<Vec<u8>>) -> Entry {
        Entry { path: path.into(), mode, owner: 0, content: Some(content.into()) }
    }

    /// A folder of root's.
    pub fn folder(path: impl Into<String>) -> Entry {
        Entry { path: path.into(), mode: 0o755, owner: 0, content: None }
    }
}

/// A tar archive; the folders that files lie in are to be named before them.
///
/// # Errors
/// When a path is too long for the format.
pub fn tar(entries: &[Entry], moment: u64) -> Result<Vec<u8>, String> {
    let mut builder = tar::Builder::new(Vec::new());
    for Entry { path, mode, owner, content } in entries {
        let failed = |error: std::io::Error| format!("{path} in an archive: {error}");
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_uid(*owner);
        header.set_gid(*owner);
        if *owner == 0 {
            let named = header.set_username("root").and_then(|()| header.set_groupname("root"));
            named.map_err(failed)?;
        }
        header.set_mtime(moment);
        let bytes = content.as_deref().unwrap_or_default();
        header.set_size(bytes.len() as u64);
        let (kind, path) = match content {
            Some(_) => (tar::EntryType::Regular, path.clone()),
            None => (tar::EntryType::Directory, format!("{path}/")),
        };
        header.set_entry_type(kind);
        builder.append_data(&mut header, path, bytes).map_err(failed)?;
    }
    builder.into_inner().map_err(|error| format!("an archive: {error}"))
}

/// The entries with every folder above them that is not among them, each once, before what is in it.
pub fn with_folders(entries: Vec<Entry>) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    for entry in entries {
        for (end, _) in entry.path.match_indices('/') {
            let folder = entry.path.get(..end).unwrap_or_default();
            if !all.iter().any(|known| known.path == folder) {
                all.push(Entry::folder(folder));
            }
        }
        all.push(entry);
    }
    all
}

/// Compressed, without a name or time.
///
/// # Errors
/// Writing to memory does not fail; the compressor's error is passed on.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| format!("compressing failed: {error}"))
}

/// An `ar` archive (ar(5)), which a Debian package is: 60 bytes of header for each member, and a line
/// break behind those of an odd length.
///
/// # Errors
/// When a name is longer than the 15 bytes that fit before its slash.
pub fn ar(members: &[(&str, Vec<u8>)], moment: u64) -> Result<Vec<u8>, String> {
    const NAME_MAX: usize = 15;
    let mut archive = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        if name.len() > NAME_MAX {
            return Err(format!("`{name}` is too long a name for a member of an ar archive"));
        }
        let size = bytes.len();
        archive.extend(
            format!("{name:<16}{moment:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, "100644").bytes(),
        );
        archive.extend(bytes);
        if size % 2 == 1 {
            archive.push(b'\n');
        }
    }
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_entries_are_the_same_bytes() {
        let entries = with_folders(vec![Entry::file("usr/bin/a", 0o755, "program")]);
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["usr", "usr/bin", "usr/bin/a"]);
        let made = || gzip(&tar(&entries, 1_000).unwrap()).unwrap();
        assert_eq!(made(), made());
        assert_ne!(tar(&entries, 1_000), tar(&entries, 1_001));
    }

    #[test]
    fn an_ar_archive_is_as_the_format_says() {
        let bytes = ar(&[("debian-binary", b"2.0\n".to_vec()), ("odd", b"x".to_vec())], 7).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let header = "debian-binary   7           0     0     100644  4         `\n";
        assert_eq!(header.len(), 60);
        assert!(text.starts_with(&format!("!<arch>\n{header}2.0\n")), "{text}");
        assert!(text.ends_with("`\nx\n"), "{text}");
        assert!(ar(&[("a-name-of-16-byte", Vec::new())], 0).is_err());
        assert!(ar(&[("a-name-of-15-by", Vec::new())], 0).is_ok());
    }
}
