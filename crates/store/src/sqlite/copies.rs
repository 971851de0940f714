//! Copies of a store: taken while a server serves from it, and brought back.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Result, StoreError};

use super::SqliteStore;
use super::log::{connect, has_no_log, keep_log, sibling};
use super::schema;
use super::unusable::engine;

/// The version of the schema from which on a store keeps the name of its sealing key.
const SEALED_UNDER_SINCE: u32 = 4;
/// What belongs to a store beside its file, and is another store's where that file is replaced.
const BESIDE: [&str; 3] = ["-wal", "-shm", ".synced"];

impl SqliteStore {
    /// Copies the store at `path` to the new file `to`, as it is at one moment, beside a server too: one file
    /// without a log, on disk when this answers. Nothing of the store is changed.
    ///
    /// # Errors
    /// `to` is there already or cannot be written; `path` is no store or cannot be read.
    pub fn back_up(path: &Path, to: &Path) -> Result<()> {
        refuse_present(to)?;
        let name = path.display().to_string();
        // Opening would make a file of that name.
        File::open(path).map_err(|error| engine(&name, error))?;
        let unfinished = sibling(to, ".unfinished");
        let is_closed = has_no_log(path);
        let connection = connect(path).map_err(|error| engine(&name, error))?;
        keep_log(&connection, !is_closed)?;
        if schema::version(&connection, &name)? == 0 {
            return Err(engine(&name, "it is empty"));
        }
        let written = write(&unfinished, || {
            let into = unfinished.to_string_lossy();
            connection.execute("VACUUM INTO ?1", [into.as_ref()]).map(drop)?;
            Ok(())
        });
        finish(written, &unfinished, to)
    }

    /// Puts the copy `from` where the store `path` is to be, which nothing may be at yet.
    ///
    /// # Errors
    /// A store, or what belongs to one, is there; a file cannot be read or written.
    pub fn bring_back(from: &Path, path: &Path) -> Result<()> {
        refuse_present(path)?;
        for ending in BESIDE {
            refuse_present(&sibling(path, ending))?;
        }
        let failed = |error: io::Error| engine(&from.display().to_string(), error);
        if !has_no_log(from) {
            return Err(failed(io::Error::other(
                "it has a log beside it, so it is no copy that `palisade store backup` made",
            )));
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let unfinished = sibling(path, ".unfinished");
        let written =
            write(&unfinished, || std::fs::copy(from, &unfinished).map(drop).map_err(failed));
        finish(written, &unfinished, path)
    }
}

impl SqliteStore {
    /// The name of the key under which a copy's secrets are sealed; `None` where none was used yet, or an edition
    /// wrote it that kept no name.
    ///
    /// # Errors
    /// It is no store or cannot be read.
    pub fn copy_sealed_under(copy: &Path) -> Result<Option<String>> {
        let name = copy.display().to_string();
        File::open(copy).map_err(|error| engine(&name, error))?;
        let is_closed = has_no_log(copy);
        let connection = connect(copy).map_err(|error| engine(&name, error))?;
        keep_log(&connection, !is_closed)?;
        connection.pragma_update(None, "query_only", true)?;
        if schema::version(&connection, &name)? < SEALED_UNDER_SINCE {
            return Ok(None);
        }
        Ok(connection.query_row("SELECT sealed_under FROM store", [], |row| row.get(0))?)
    }
}

/// Begins anew where an earlier attempt was interrupted.
fn write(unfinished: &Path, write: impl FnOnce() -> Result<()>) -> Result<()> {
    match std::fs::remove_file(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(engine(&unfinished.display().to_string(), error))
        }
        _ => write(),
    }
}

/// Gives what is on disk its name; removes what is not whole.
fn finish(written: Result<()>, unfinished: &Path, to: &Path) -> Result<()> {
    let kept = written.and_then(|()| {
        let keep = || -> io::Result<()> {
            File::open(unfinished)?.sync_all()?;
            std::fs::rename(unfinished, to)?;
            sync_folder(to)
        };
        keep().map_err(|error| engine(&to.display().to_string(), error))
    });
    if kept.is_err() {
        let _ = std::fs::remove_file(unfinished);
    }
    kept
}

/// A file's name is on disk when its folder is.
fn sync_folder(file: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.map_or_else(|| PathBuf::from("."), Path::to_owned))?.sync_all()
}

fn refuse_present(path: &Path) -> Result<()> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(engine(&path.display().to_string(), error)),
        Ok(_) => Err(present(path)),
    }
}

fn present(path: &Path) -> StoreError {
    engine(&path.display().to_string(), "it is there already: move it away, or name another")
}

#[cfg(test)]
mod tests {
    use crate::contract::facts::{delivery, group, loaded, shard};
    use crate::sqlite::tests::beds::serving;
    use crate::{Inventory as _, Keys as _};

    use super::*;

    /// A copy that is taken while a server writes is what a moment saw, and opens as a store.
    #[test]
    fn a_copy_beside_a_server_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let store = SqliteStore::open(&at("s.db"), serving()).unwrap();
        let accept = |n: u32| {
            let items: Vec<_> =
                (0..200).map(|id| group(&shard(n), &format!("sg-{id}"), 5)).collect();
            store.accept(&delivery(&items), 10, None).unwrap();
        };
        accept(1);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (2..40).for_each(accept));
            for copy in 0..4 {
                SqliteStore::back_up(&at("s.db"), &at(&format!("{copy}.db"))).unwrap();
            }
            writer.join().unwrap();
        });
        for copy in 0..4 {
            let copy = at(&format!("{copy}.db"));
            assert_eq!(SqliteStore::examine(&copy).unwrap(), [""; 0]);
            SqliteStore::bring_back(&copy, &at("back/s.db")).unwrap();
            let back = SqliteStore::open(&at("back/s.db"), serving()).unwrap();
            assert_eq!(back.sealing_key().unwrap(), store.sealing_key().unwrap());
            for n in 1..40 {
                let held = loaded(&back, &shard(n))
                    .shard
                    .items
                    .values()
                    .map(std::collections::BTreeMap::len)
                    .sum::<usize>();
                assert!(held == 200 || held == 0, "a delivery is there as a whole or not at all");
                assert!(n > 1 || held == 200, "what was there before is there");
            }
            drop(back);
            std::fs::remove_dir_all(at("back")).unwrap();
        }
        assert!(store.accept(&delivery(&[group(&shard(1), "sg-x", 5)]), 11, None).is_ok());
    }

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        drop(SqliteStore::open(&at("s.db"), serving()).unwrap());
        SqliteStore::back_up(&at("s.db"), &at("copy.db")).unwrap();
        let refused = SqliteStore::back_up(&at("s.db"), &at("copy.db")).unwrap_err().to_string();
        assert!(refused.contains("it is there already"), "{refused}");
        for there in ["s.db", "other.db-wal", "third.db.synced"] {
            std::fs::write(at(there), "x").unwrap();
            let path = at(there.trim_end_matches("-wal").trim_end_matches(".synced"));
            let refused = SqliteStore::bring_back(&at("copy.db"), &path).unwrap_err().to_string();
            assert!(refused.contains("it is there already"), "{there}: {refused}");
        }
        for nothing in ["none.db", "empty.db"] {
            if nothing == "empty.db" {
                std::fs::write(at(nothing), "").unwrap();
            }
            assert!(SqliteStore::back_up(&at(nothing), &at("new.db")).is_err(), "{nothing}");
            assert!(!at("new.db").exists() && !at("new.db.unfinished").exists());
        }
    }
}
