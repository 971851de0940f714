//! The key under which a store's secrets are sealed: where it comes from, and what is done when it
//! is not there or not the right one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use palisade_api::audit::Actor;
use palisade_api::keys::{KeyError, Keyring};
use palisade_api::vault::{Vault, VaultError};
use palisade_api::{Clock as _, Entropy as _, mint};
use palisade_store::{Store, StoredSecret};

use crate::failure::{Failure, unreadable};
use crate::system::{SystemClock, SystemEntropy};

/// Holds the sealing key itself, for surroundings that hand out secrets so.
pub const VARIABLE: &str = "PALISADE_KEY";

/// The vault of a store: under the key file, else under [`VARIABLE`], else under the file that goes
/// with the store, `PATH.key`. A file that is not there is made while nothing is sealed yet. Secrets
/// that an older Palisade left in the clear are sealed. Whoever asks is told of both.
///
/// # Errors
/// Both a file and the variable; a key that cannot be read, is missing, or is not the one that the
/// store's secrets are sealed under.
pub fn vault(
    path: &Path,
    store: &dyn Store,
    file: Option<&Path>,
    tell: &dyn Fn(&str),
) -> Result<Vault, Failure> {
    let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    let key = match (file, text) {
        (Some(_), Some(_)) => {
            return Err(Failure::Usage(format!(
                "both a key file and {VARIABLE} are given; give one of them"
            )));
        }
        (Some(file), None) => of_file(file, store, tell)?,
        (None, Some(text)) => Vault::key(&text)
            .map_err(|error| Failure::Usage(format!("{VARIABLE} cannot be read: {error}")))?,
        (None, None) => of_file(&beside(path), store, tell)?,
    };
    let vault = Vault::new(&key);
    adopt(store, &vault, tell)?;
    Ok(vault)
}

/// The key file that goes with a store unless another is named.
fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// A key file that is read, or made.
///
/// # Errors
/// It cannot be read or made; it is not there and `store` has secrets that another key sealed.
fn of_file(file: &Path, store: &dyn Store, tell: &dyn Fn(&str)) -> Result<[u8; 32], Failure> {
    if !file.exists()
        && let Some(under) = sealed_under(store)?
    {
        return Err(Failure::Usage(format!(
            "key file `{}` is not there, and the store's secrets are sealed under key `{under}`; say where its file is with --key-file, or put the key in {VARIABLE}",
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
        Ok(text) => parsed(file, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(file, tell),
        Err(error) => Err(unreadable(file, error)),
    }
}

fn parsed(file: &Path, text: &str) -> Result<[u8; 32], Failure> {
    Vault::key(text).map_err(|error| {
        Failure::Usage(format!("key file `{}` cannot be read: {error}", file.display()))
    })
}

/// The sealing key of the first secret that is sealed.
fn sealed_under(store: &dyn Store) -> Result<Option<String>, Failure> {
    let keys = store.keys().map_err(|error| Failure::Refused(error.to_string()))?;
    Ok(keys.into_iter().find_map(|key| match key.secret {
        StoredSecret::Sealed { under, .. } => Some(under),
        StoredSecret::Plain(_) => None,
    }))
}

/// Makes a key file that its owner alone may read, whole or not at all. If another process was
/// faster, its file is the one.
fn make(file: &Path, tell: &dyn Fn(&str)) -> Result<[u8; 32], Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Refused(format!("key file `{}` cannot be made: {error}", file.display()))
    };
    let mut key = [0; 32];
    SystemEntropy.fill(&mut key).map_err(|error| failed(&error))?;
    let text: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut fresh = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    writeln!(fresh, "{text}").map_err(|error| failed(&error))?;
    fresh.as_file().sync_all().map_err(|error| failed(&error))?;
    match fresh.persist_noclobber(file) {
        Ok(_) => {
            // What is sealed under it is durable; so must the name be.
            #[cfg(unix)]
            std::fs::File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|e| failed(&e))?;
            tell(&format!(
                "made key file `{}`: it opens the secrets of access keys; keep a copy of it, apart from copies of the store",
                file.display()
            ));
            Ok(key)
        }
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, error))?;
            parsed(file, &text)
        }
        Err(error) => Err(failed(&error.error)),
    }
}

/// Tells the user of a command.
pub fn aloud(text: &str) {
    eprintln!("palisade: {text}");
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

/// Checks that the vault is the store's, and seals what is in the clear.
fn adopt(store: &dyn Store, vault: &Vault, tell: &dyn Fn(&str)) -> Result<(), Failure> {
    let actor = local()?;
    let keys =
        Keyring { store, vault, entropy: &SystemEntropy, actor: &actor, keeps_an_operator: false };
    let sealed = keys.adopt().map_err(refused)?;
    if sealed > 0 {
        tell(&format!("sealed the secrets of {sealed} access keys under key `{}`", vault.id()));
    }
    Ok(())
}

/// A failure to change keys as the user is told of it: what they named is their usage.
pub fn refused(error: KeyError) -> Failure {
    match error {
        KeyError::Unknown(_) | KeyError::Vault(VaultError::OtherKey { .. }) => {
            Failure::Usage(error.to_string())
        }
        KeyError::Rotated { .. }
        | KeyError::LastOperator(_)
        | KeyError::Vault(_)
        | KeyError::Entropy(_)
        | KeyError::Store(_) => Failure::Refused(error.to_string()),
    }
}
