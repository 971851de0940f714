//! The key under which a store's secrets are sealed: where it comes from, and what is done when it
//! is not there or not the right one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use palisade_api::audit::Actor;
use palisade_api::keys::{Adopted, KeyError, Keyring};
use palisade_api::vault::{Vault, VaultError};
use palisade_api::{Clock as _, Entropy as _, mint};
use palisade_store::{Keys, StoreError};

use crate::args::StoreAddress;
use crate::failure::{Failure, unreadable};
use crate::system::{SystemClock, SystemEntropy};

/// Holds the sealing key itself, for surroundings that hand out secrets so.
pub const VARIABLE: &str = "PALISADE_KEY";

/// The vault of a store: under the key file, else under [`VARIABLE`], else under the file that goes
/// with a store in a file, `PATH.key`. A file that is not there is made while the store remembers no sealing
/// key; from then on it remembers this one. Secrets that an older Palisade left in the clear are
/// sealed. Whoever asks is told of all that.
///
/// # Errors
/// Both a file and the variable, or neither for a store in a database; a key that cannot be read, is missing,
/// or is not the one that the store's secrets are sealed under.
pub fn vault(
    address: &StoreAddress,
    store: &dyn Keys,
    file: Option<&Path>,
    tell: &dyn Fn(&str),
) -> Result<Vault, Failure> {
    let vault = Vault::new(&match Source::of(address, file)? {
        Source::Given(key) => key,
        Source::File(file) => of_file(&file, store, tell)?,
    });
    adopt(store, &vault, tell)?;
    Ok(vault)
}

/// The vault of a store whose sealing key may be lost: `None` when there is no such file. The store
/// is not looked at.
///
/// # Errors
/// Both a file and the variable; a key that cannot be read.
pub fn left(
    address: &StoreAddress,
    file: Option<&Path>,
    tell: &dyn Fn(&str),
) -> Result<Option<Vault>, Failure> {
    let key = match Source::of(address, file)? {
        Source::Given(key) => key,
        Source::File(file) if !file.exists() => return Ok(None),
        Source::File(file) => new_file(&file, tell)?,
    };
    Ok(Some(Vault::new(&key)))
}

/// Where a sealing key comes from.
enum Source {
    Given([u8; 32]),
    File(PathBuf),
}

impl Source {
    fn of(address: &StoreAddress, file: Option<&Path>) -> Result<Source, Failure> {
        let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
        match (file, text) {
            (Some(_), Some(_)) => Err(Failure::Usage(format!(
                "both a key file and {VARIABLE} are given; give one of them"
            ))),
            (Some(file), None) if is_key(file) => Err(Failure::Usage(
                "a key file was asked for, and what is given looks like a key: put it into a file, or \
                 into PALISADE_KEY"
                    .to_owned(),
            )),
            (Some(file), None) => Ok(Source::File(file.to_owned())),
            (None, Some(text)) => Vault::key(&text)
                .map(Source::Given)
                .map_err(|error| Failure::Usage(format!("{VARIABLE} cannot be read: {error}"))),
            (None, None) => match address {
                StoreAddress::File(path) => Ok(Source::File(beside(path))),
                StoreAddress::Memory => {
                    let mut key = [0; 32];
                    SystemEntropy.fill(&mut key).map_err(|error| {
                        Failure::Refused(format!("no random bytes can be had: {error}"))
                    })?;
                    Ok(Source::Given(key))
                }
                StoreAddress::Database(_) => Err(Failure::Usage(format!(
                    "a store in PostgreSQL has no key file of its own: give all nodes the same sealing key, \
                     with --key-file or in {VARIABLE}; a --key-file that is not there is made for a new store"
                ))),
            },
        }
    }
}

/// Whether what was given as a file is a key itself, which no message and no file's name may hold.
fn is_key(file: &Path) -> bool {
    !file.exists() && file.to_str().is_some_and(|text| Vault::key(text).is_ok())
}

/// The key file that goes with a store unless another is named.
pub fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// Refuses to have an empty store made where what belongs to one is left: its disk may not be mounted,
/// or its file moved away, and an empty one in its place would say that nothing is wrong.
///
/// # Errors
/// There is a sealing key or a log, and no store.
pub fn refuse_lost(path: &Path) -> Result<(), Failure> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |facts| facts.len());
    if length(path) > 0 {
        return Ok(());
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let (key, log) = (beside(path), PathBuf::from(log));
    let Some(left) = [key, log].into_iter().find(|left| length(left) > 0) else { return Ok(()) };
    Err(Failure::Usage(format!(
        "store `{}` is not there or empty, but `{}` of one is: bring the store back, or, to begin an \
         empty one in its place, say --new or move that file away",
        path.display(),
        left.display()
    )))
}

/// A key file that is read, or made.
///
/// # Errors
/// It cannot be read or made; it is not there and the store remembers a sealing key.
fn of_file(file: &Path, store: &dyn Keys, tell: &dyn Fn(&str)) -> Result<[u8; 32], Failure> {
    let failed = |error: StoreError| Failure::Refused(error.to_string());
    if !file.exists()
        && let Some(under) = store.sealed_under().map_err(failed)?
    {
        return Err(Failure::Usage(format!(
            "key file `{}` is not there, and the store's secrets are sealed under key `{under}`; say where its file is with --key-file, or put the key in {VARIABLE}, or, if it is lost, say `palisade keys reseal --forget-lost`",
            file.display()
        )));
    }
    new_file(file, tell)
}

/// A key file to seal under from now on: read, or made when it is not there.
///
/// # Errors
/// It cannot be read or made.
pub fn new_file(file: &Path, tell: &dyn Fn(&str)) -> Result<[u8; 32], Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let key = parsed(file, &text)?;
            if is_open_to_others(file) {
                tell(&format!(
                    "key file `{0}` can be read by others than its owner; `chmod 600 {0}` keeps it to them",
                    file.display()
                ));
            }
            Ok(key)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(file, tell),
        Err(error) => Err(unreadable(file, error)),
    }
}

#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|facts| facts.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// The key that a file's text holds.
///
/// # Errors
/// It holds none.
pub fn parsed(file: &Path, text: &str) -> Result<[u8; 32], Failure> {
    Vault::key(text).map_err(|error| {
        Failure::Usage(format!("key file `{}` cannot be read: {error}", file.display()))
    })
}

/// Makes a key file. If another process was
/// faster, its file is the one.
fn make(file: &Path, tell: &dyn Fn(&str)) -> Result<[u8; 32], Failure> {
    let mut key = [0; 32];
    SystemEntropy.fill(&mut key).map_err(|error| unmade(file, &error))?;
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    match write(file, &text)? {
        Written::New => {
            tell(&format!(
                "made key file `{}`: it opens the secrets of access keys; keep a copy of it, apart from copies of the store",
                file.display()
            ));
            Ok(key)
        }
        Written::WasThere => {
            let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, error))?;
            parsed(file, &text)
        }
    }
}

fn unmade(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Refused(format!("key file `{}` cannot be made: {error}", file.display()))
}

/// Whether a file was written.
enum Written {
    New,
    WasThere,
}

/// Writes a key file that its owner alone may read and nothing else is at, whole or not at all.
fn write(file: &Path, text: &str) -> Result<Written, Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| unmade(file, &error);
    let mut fresh = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    writeln!(fresh, "{}", text.trim()).map_err(failed)?;
    fresh.as_file().sync_all().map_err(failed)?;
    match fresh.persist_noclobber(file) {
        Ok(_) => {
            // What is sealed under it is durable; so must the name be.
            #[cfg(unix)]
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
            Ok(Written::New)
        }
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Ok(Written::WasThere)
        }
        Err(error) => Err(failed(error.error)),
    }
}

/// Writes a key that was read elsewhere into a key file of its own.
///
/// # Errors
/// It cannot be made, or is there already.
pub fn keep(file: &Path, text: &str) -> Result<(), Failure> {
    match write(file, text)? {
        Written::New => Ok(()),
        Written::WasThere => Err(unmade(file, &"it is there already")),
    }
}

/// Tells the user of a command.
pub fn aloud(text: &str) {
    crate::terminal::say(text);
}

/// Somebody on the store's own machine.
///
/// # Errors
/// No random bytes can be had.
pub fn local() -> Result<Actor, Failure> {
    let request_id = mint::uuid(&SystemEntropy)
        .map_err(|error| Failure::Refused(format!("no random bytes can be had: {error}")))?;
    Ok(Actor::local(request_id, SystemClock.now_ms()))
}

/// Checks that the vault is the store's or makes it so, and seals what an older Palisade left.
fn adopt(store: &dyn Keys, vault: &Vault, tell: &dyn Fn(&str)) -> Result<(), Failure> {
    let actor = local()?;
    let keys = Keyring {
        store,
        vault: Some(vault),
        entropy: &SystemEntropy,
        actor: &actor,
        keeps_an_operator: false,
    };
    let Adopted { sealed, strays } = keys.adopt().map_err(refused)?;
    if sealed > 0 {
        tell(&format!("sealed the secrets of {sealed} access keys under key `{}`", vault.id()));
    }
    if let Some(first) = strays.first() {
        tell(&format!(
            "{} access keys are believed by nobody, `{first}` among them: their secrets are not sealed under key `{}`; `palisade keys delete` removes them",
            strays.len(),
            vault.id()
        ));
    }
    Ok(())
}

/// A failure to change keys as the user is told of it: what they named is their usage.
pub fn refused(error: KeyError) -> Failure {
    match error {
        KeyError::Unknown(_)
        | KeyError::NoAccount(_)
        | KeyError::NoName(_)
        | KeyError::NoEnd { .. }
        | KeyError::NoSealingKey
        | KeyError::Vault(VaultError::OtherKey { .. }) => Failure::Usage(error.to_string()),
        KeyError::Rotated { .. }
        | KeyError::LastOperator(_)
        | KeyError::Vault(_)
        | KeyError::Entropy(_)
        | KeyError::Store(_) => Failure::Refused(error.to_string()),
    }
}
