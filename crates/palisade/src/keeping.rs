//! `palisade store …`: copies of a store, and whether it is whole.

use std::path::Path;

use palisade_api::vault::Vault;
use palisade_store::sqlite::SqliteStore;

use crate::args::{Keeping, StoreAddress, StoreBackup, StorePlace, StoreRestore};
use crate::failure::{Exit, Failure, Outcome, unreadable};
use crate::printable::escaped;
use crate::sealing;
use crate::terminal::{print, print_line, width};
use crate::wrapping::titled;

/// `palisade store …`
pub fn run(command: &Keeping) -> Outcome {
    match command {
        Keeping::Backup(args) => backup(args),
        Keeping::Restore(args) => restore(args),
        Keeping::Verify(args) => verify(file(&args.place)?),
    }
}

/// The file of a store that is in one.
fn file(place: &StorePlace) -> Result<&Path, Failure> {
    match &place.store {
        StoreAddress::File(path) => Ok(path),
        StoreAddress::Database(_) => Err(Failure::Usage(
            "a store in PostgreSQL is copied by its own tools: `pg_dump --format=custom --schema=palisade`, \
             `pg_restore`, `pg_amcheck`; keep the sealing key apart (docs/operating.md)"
                .to_owned(),
        )),
        StoreAddress::Memory => Err(Failure::Usage(
            "a store in memory ends with its server, and is never copied".to_owned(),
        )),
    }
}

fn refused(error: palisade_store::StoreError) -> Failure {
    Failure::Refused(error.to_string())
}

/// Nothing is written over.
fn refuse_there(path: &Path, flag: &str) -> Result<(), Failure> {
    match path.exists() {
        false => Ok(()),
        true => Err(Failure::Usage(format!(
            "`{}` is there already, and nothing is written over: name another with {flag}, or move it away",
            path.display()
        ))),
    }
}

fn backup(args: &StoreBackup) -> Outcome {
    let path = file(&args.place)?;
    if !path.exists() {
        return Err(Failure::Usage(format!(
            "there is no store at `{}`; say where it is with --store sqlite:PATH",
            path.display()
        )));
    }
    refuse_there(&args.to, "--to")?;
    SqliteStore::back_up(path, &args.to).map_err(refused)?;
    let found = SqliteStore::examine(&args.to).map_err(refused)?;
    if let Some(first) = found.first() {
        return Err(Failure::Refused(format!(
            "`{}` was written, and is damaged as the store is: {} (`palisade store verify` tells all)",
            args.to.display(),
            escaped(first)
        )));
    }
    print_line(&format!(
        "copied to {}, {} KiB, and found whole",
        args.to.display(),
        std::fs::metadata(&args.to).map_or(0, |facts| facts.len().div_ceil(1024))
    ))?;
    print_line(&format!("its access keys work with the sealing key alone: {}", key_of(path)))?;
    Ok(Exit::Done)
}

/// Where the key is that the secrets of a store's access keys are sealed under, and what to do with it.
fn key_of(path: &Path) -> String {
    let key = sealing::beside(path);
    match key.exists() {
        true => format!("keep `{}` too, apart from the copy", key.display()),
        false => "keep what --key-file or PALISADE_KEY gives it, apart from the copy".to_owned(),
    }
}

fn restore(args: &StoreRestore) -> Outcome {
    let path = file(&args.place)?;
    if !args.from.exists() {
        return Err(Failure::Usage(format!("there is no copy at `{}`", args.from.display())));
    }
    let found = SqliteStore::examine(&args.from).map_err(refused)?;
    if let Some(first) = found.first() {
        return Err(Failure::Refused(format!(
            "the copy `{}` is damaged: {}; nothing was restored",
            args.from.display(),
            escaped(first)
        )));
    }
    refuse_there(path, "--store")?;
    let under = SqliteStore::copy_sealed_under(&args.from).map_err(refused)?;
    // Before anything is written: a key that does not open the copy is the wrong file.
    let text = match &args.sealing_key {
        Some(file) => Some(sealing_key(file, under.as_deref())?),
        None => None,
    };
    let beside = sealing::beside(path);
    if text.is_some() && beside.exists() {
        return Err(Failure::Usage(format!(
            "`{}` is there already: move it away, or leave --sealing-key out where it is the right one",
            beside.display()
        )));
    }
    SqliteStore::bring_back(&args.from, path).map_err(refused)?;
    if let Some(text) = text {
        sealing::keep(&beside, &text)?;
        print_line(&format!(
            "restored to {}, with its sealing key `{}`; `palisade serve --store sqlite:{}` serves it",
            path.display(),
            beside.display(),
            path.display()
        ))?;
        return Ok(Exit::Done);
    }
    let what = match beside.exists() {
        true => format!("`{}` must be the sealing key of that time", beside.display()),
        false => format!(
            "bring its sealing key to `{}`, as `store restore --sealing-key FILE` does, or name it with --key-file \
             or PALISADE_KEY",
            beside.display()
        ),
    };
    print_line(&format!("restored to {}; {what}, before it is served", path.display()))?;
    Ok(Exit::Done)
}

/// The sealing key in a file, of a copy that is sealed under the one of this name.
///
/// # Errors
/// It cannot be read, or is another one.
fn sealing_key(file: &Path, under: Option<&str>) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, error))?;
    let vault = Vault::new(&sealing::parsed(file, &text)?);
    match under.filter(|under| *under != vault.id()) {
        None => Ok(text),
        Some(under) => Err(Failure::Usage(format!(
            "key file `{}` holds key `{}`, and the copy's secrets are sealed under key `{under}`; nothing was \
             restored",
            file.display(),
            vault.id()
        ))),
    }
}

/// Tells each damage in a line.
///
/// # Errors
/// There is no store there, or it is damaged.
pub fn verify(path: &Path) -> Outcome {
    if !path.exists() {
        return Err(Failure::Usage(format!("there is no store at `{}`", path.display())));
    }
    let found = SqliteStore::examine(path).map_err(refused)?;
    let mut text: String =
        found.iter().map(|line| titled("damaged", &escaped(line), width())).collect();
    if found.is_empty() {
        let found = format!("{}: nothing is damaged", path.display());
        text = titled("store", &escaped(&found), width());
    }
    print(&text)?;
    match found.len() {
        0 => Ok(Exit::Done),
        count => Err(Failure::Unwell(format!(
            "`{}` is damaged in {count} places; put a copy of it in place",
            path.display()
        ))),
    }
}
