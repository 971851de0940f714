//! The files that a command was pointed at.

use std::fs::FileType;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use palisade_core::ident::AccountId;
use palisade_core::inventory::{archive, is_query_table};

use crate::failure::{Failure, unreadable};
use crate::terminal::warn;

/// Said where folders hold nothing to read.
pub const NONE: &str = "no files in the folders given";

/// Every file among `paths` and in the folders among them, each folder's in order of name. The file
/// by which AWS Config checks that it can write is left out, and, with a warning, what is hidden and
/// what by name and content is something else, such as a README.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Found::default();
    for path in paths {
        let kind = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
        match kind.is_dir() {
            true => found.walk(path)?,
            false => found.files.push(regular(path.clone(), kind.file_type())?),
        }
    }
    tell_left_out(&found.hidden, "their names begin with a dot");
    tell_left_out(&found.strays, "not JSON by name and beginning");
    Ok(found.files)
}

fn tell_left_out(paths: &[PathBuf], why: &str) {
    let [first, rest @ ..] = paths else { return };
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    warn(format_args!("`{}`{more} left out: {why}", first.display()));
}

/// The path of a file that can be read to its end and again. A pipe, a socket or a device is none: it
/// would be waited for.
fn regular(path: PathBuf, kind: FileType) -> Result<PathBuf, Failure> {
    match kind.is_file() {
        true => Ok(path),
        false => Err(Failure::Input(format!(
            "`{}` is neither a file nor a folder: give files alone, or take it out of the folder",
            path.display()
        ))),
    }
}

/// What is in folders.
#[derive(Debug, Default)]
struct Found {
    files: Vec<PathBuf>,
    /// Files and folders of which the names begin with a dot.
    hidden: Vec<PathBuf>,
    /// Files that are something else than deliveries.
    strays: Vec<PathBuf>,
}

impl Found {
    fn walk(&mut self, folder: &Path) -> Result<(), Failure> {
        let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        let mut found_here = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(folder, error))?;
            let name = entry.file_name();
            if name == "ConfigWritabilityCheckFile" {
                continue;
            }
            // Most file systems tell the kind with the name.
            let kind = entry.file_type().map_err(|error| unreadable(&entry.path(), error))?;
            found_here.push((name, kind));
        }
        found_here.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (name, kind) in found_here {
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            // A joined path has room for as much again, and there may be many thousands of them.
            let path = folder.join(name).as_path().to_owned();
            if is_hidden {
                self.hidden.push(path);
                continue;
            }
            // Following links, so that a folder of links to deliveries works; a broken one is an error.
            let kind = match kind.is_symlink() {
                true => {
                    std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?.file_type()
                }
                false => kind,
            };
            if kind.is_dir() {
                self.walk(&path)?;
                continue;
            }
            let path = regular(path, kind)?;
            let kept = if is_stray(&path)? { &mut self.strays } else { &mut self.files };
            kept.push(path);
        }
        Ok(())
    }
}

/// The account in whose folder a file is, `…/<account>/Config/…`, or which its name tells,
/// `<account>_Config_…` (formats §5).
pub fn account(path: &Path) -> Option<AccountId> {
    let account = |text: &str| AccountId::try_from(text).ok().filter(|_| text.len() == 12);
    let file = name(path);
    if let Some(id) = file.split_once("_Config_").and_then(|(id, _)| account(id)) {
        return Some(id);
    }
    parts(path).windows(2).rev().find_map(|pair| match pair {
        [id, config] if config == "Config" => account(id),
        _ => None,
    })
}

/// Whether a file in a folder is something else than a delivery. AWS's own files may have lost their
/// ending, and are theirs whatever they hold; a file elsewhere that has another ending must begin as
/// JSON, gzip or an archive does, or tell of items.
fn is_stray(path: &Path) -> Result<bool, Failure> {
    let of_deliveries = ["json", "gz", "jsonl", "ndjson", "eml"];
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    // What stands behind the last dot of an id is no ending: `…_i-0.1_…`.
    let Some(ending) = ending.filter(|ending| ending.chars().all(char::is_alphanumeric)) else {
        return Ok(false);
    };
    if of_deliveries.contains(&ending.as_str()) || account(path).is_some() {
        return Ok(false);
    }
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, error))?;
    file.take(HEAD_READ).read_to_end(&mut start).map_err(|error| unreadable(path, error))?;
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start).trim_ascii_start();
    let is_json = text.starts_with(b"{") || text.starts_with(b"[");
    // Nobody sees what is in an archive: it may be anybody's. Rows of a query are Config's.
    if archive(&start).is_some() || is_query_table(&start) {
        return Ok(false);
    }
    Ok(!(is_json || start.starts_with(b"\x1f\x8b") || tells_of_items(&start)))
}

/// Whether a text that does not begin as JSON tells of configuration items: an e-mail, or one of two
/// bytes a character.
fn tells_of_items(start: &[u8]) -> bool {
    let letters = start.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase);
    let letters: Vec<u8> = letters.collect();
    let tells = |word: &[u8]| letters.windows(word.len()).any(|bytes| bytes == word);
    tells(b"\"configurationitem") || tells(b"\"configsnapshotid")
}

/// How much of a file tells how it begins, bytes.
const HEAD_READ: u64 = 64 * 1024;

/// The name a delivery is known by: its file name, from which a snapshot's moment is read.
pub fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The name by which a delivery is read: its file name and, where that does not tell the account and
/// Region (or service) of whose files it is, the folders that do: `AWSLogs/<account>/Config/<region>/x`
/// (formats §5). Other folders say nothing of a file that somebody put there.
pub fn origin(path: &Path) -> String {
    let file = name(path);
    let folders: Vec<String> = path.parent().map(parts).unwrap_or_default();
    let account = |text: &String| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    let at = folders.iter().rposition(account);
    let Some([account, service, rest @ ..]) = at.and_then(|at| folders.get(at..)) else {
        return file;
    };
    let is_logs = folders.iter().any(|folder| folder == "AWSLogs") || service == "Config";
    let mut words = file.split('_');
    let tells = words.next().is_some_and(|first| first == account)
        && words.next().is_some_and(|second| second == service);
    if !is_logs || tells {
        return file;
    }
    let region = rest.first().map(|region| format!("{region}/")).unwrap_or_default();
    format!("AWSLogs/{account}/{service}/{region}{file}")
}

fn parts(folder: &Path) -> Vec<String> {
    folder.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_tell_whose_a_file_is_where_its_name_does_not() {
        let named = "111122223333_Config_eu-west-1_ConfigSnapshot_20260203T040506Z_u.json.gz";
        let inside =
            format!("x/AWSLogs/111122223333/Config/eu-west-1/2026/2/3/ConfigSnapshot/{named}");
        for (path, wanted) in [
            (inside.as_str(), named),
            (
                "x/AWSLogs/o-1/111122223333/Config/eu-west-1/2026/2/3/ConfigSnapshot/x.json",
                "AWSLogs/111122223333/Config/eu-west-1/x.json",
            ),
            (
                "111122223333/Config/eu-west-1/x.json",
                "AWSLogs/111122223333/Config/eu-west-1/x.json",
            ),
            ("111122223333/Config/x.json", "AWSLogs/111122223333/Config/x.json"),
            (
                "AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/x.log.gz",
                "AWSLogs/111122223333/vpcflowlogs/eu-west-1/x.log.gz",
            ),
            ("111122223333/exports/x.json", "x.json"),
            ("Config/eu-west-1/x.json", "x.json"),
            ("x.json", "x.json"),
        ] {
            assert_eq!(origin(Path::new(path)), wanted, "{path}");
        }
    }

    #[test]
    fn what_is_hidden_is_left_out_and_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at(".git/x")).unwrap();
        for name in [".n.json", ".git/x/1.json", "a.json", "ConfigWritabilityCheckFile"] {
            std::fs::write(at(name), b"{}").unwrap();
        }
        let mut found = Found::default();
        found.walk(folder.path()).unwrap();
        assert_eq!(found.files, [at("a.json")]);
        assert_eq!(found.hidden, [at(".git"), at(".n.json")]);
        assert!(found.strays.is_empty(), "{:?}", found.strays);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_rather_than_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("n.json");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for path in [folder.path().to_owned(), socket, link, PathBuf::from("/dev/null")] {
            let Err(Failure::Input(text)) = find(&[path]) else { panic!("it was taken") };
            assert!(text.contains("is neither a file nor a folder"), "{text}");
        }
    }

    #[test]
    fn folders_are_walked_in_order_and_what_is_no_delivery_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("b/c")).unwrap();
        for name in
            ["b/c/2.json", "b/1.json.gz", "a.json", ".hidden", "b/ConfigWritabilityCheckFile"]
        {
            std::fs::write(at(name), b"").unwrap();
        }
        let found = find(&[folder.path().to_owned()]).unwrap();
        assert_eq!(found, [at("a.json"), at("b/1.json.gz"), at("b/c/2.json")]);
        let strays = [("README.md", "# Notes"), ("INDEX.tsv", "id\tname"), ("notes.txt", "")];
        for (name, text) in strays {
            std::fs::write(at(name), text).unwrap();
        }
        let kept = [("x.dump", " {}"), ("x.list", "[]"), ("x.gzip", "\x1f\u{8b}"), ("x", "x")];
        for (name, text) in kept {
            // One byte a character: 1f 8b is no UTF-8.
            let bytes: Vec<u8> =
                text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
            std::fs::write(at(name), bytes).unwrap();
        }
        let found = find(&[folder.path().to_owned()]).unwrap();
        let names: Vec<String> = found.iter().map(|path| name(path)).collect();
        assert_eq!(names, ["a.json", "1.json.gz", "2.json", "x", "x.dump", "x.gzip", "x.list"]);
        let named = find(&[at("notes.txt")]).unwrap();
        assert_eq!(named, [at("notes.txt")], "what is named itself is meant");
        // AWS Config's own files are read whatever they hold, and so is what tells of items.
        let own = "AWSLogs/111122223333/Config/eu-west-1/2026/2/3/ConfigHistory";
        std::fs::create_dir_all(at(own)).unwrap();
        let body = r#"{"configurationItem":{}}"#;
        let wide: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let told = [
            (format!("{own}/x.json.bz2"), b"BZh9".to_vec()),
            (format!("{own}/error.txt"), b"<Error/>".to_vec()),
            ("items.zip".to_owned(), b"PK\x03\x04".to_vec()),
            ("items.tar".to_owned(), [&b"x.json"[..], &[0; 251], b"ustar\0"].concat()),
            ("111122223333_Config_eu-west-1_x.zip".to_owned(), b"PK".to_vec()),
            ("mail.txt".to_owned(), format!("New State\n---\n{body}").into_bytes()),
            ("wide.log".to_owned(), wide),
        ];
        for (name, bytes) in &told {
            std::fs::write(at(name), bytes).unwrap();
        }
        let found = find(&[folder.path().to_owned()]).unwrap();
        for (name, _) in &told {
            assert!(found.contains(&at(name)), "{name}");
        }
        assert_eq!(found.len(), names.len() + told.len());
        let missing = find(&[at("none")]).unwrap_err();
        assert!(matches!(missing, Failure::Input(_)), "{missing}");
    }
}
