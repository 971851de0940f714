//! What can be done with access keys, by the operator's endpoint and by `palisade keys` alike: each is
//! decided on one revision of the keys and committed against it, with its event.

use palisade_core::ident::AccountId;
use palisade_store::{
    AuditChange, AuditEvent, KeyChange, KeyRecord, Store, StoreError, StoredSecret,
};
use serde_json::{Value, json};

use crate::audit::{self, Actor, own};
use crate::vault::{Vault, VaultError};
use crate::{Entropy, mint};

/// How often a change is decided again because the keys changed meanwhile, or an id was taken.
const ATTEMPTS_MAX: usize = 32;
/// Keys that rotation keeps beside each other: the one in use and the one that takes its place, as
/// many as AWS gives an IAM user.
pub const KEYS_OF_A_ROTATION_MAX: usize = 2;

/// Changes access keys on somebody's behalf.
#[derive(Clone, Copy)]
pub struct Keyring<'a> {
    /// Where the keys are.
    pub store: &'a dyn Store,
    /// What seals their secrets.
    pub vault: &'a Vault,
    /// Draws ids and secrets.
    pub entropy: &'a dyn Entropy,
    /// Who asks.
    pub actor: &'a Actor,
    /// Whether one enabled operator key must stay: whoever asks from afar could not come back.
    pub keeps_an_operator: bool,
}

/// A key that was just made. Its secret is told this once.
pub struct NewKey {
    /// The key as kept.
    pub record: KeyRecord,
    /// Its secret.
    pub secret: String,
}

/// Why the keys stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such key.
    #[error("access key `{0}` does not exist; `palisade keys list` shows those there are")]
    Unknown(String),
    /// A rotation of it is under way.
    #[error(
        "access key `{key}` is one of {KEYS_OF_A_ROTATION_MAX} already, `{other}` being the other, and there are never more of one rotation; delete the one that is no longer used first"
    )]
    Rotated {
        /// The key that was to be rotated.
        key: String,
        /// The key that it replaces or that replaces it.
        other: String,
    },
    /// Nobody could operate the server after this.
    #[error(
        "access key `{0}` is the last enabled operator key; make another first, or use `palisade keys` with --store on the server's own machine"
    )]
    LastOperator(String),
    /// A secret cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No random bytes can be had.
    #[error("no random bytes can be had: {0}")]
    Entropy(#[from] std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keyring<'_> {
    /// Makes a key that acts as an account, or as the operator.
    ///
    /// # Errors
    /// Failures of the store and of the source of random bytes.
    pub fn create(&self, account: Option<&AccountId>) -> Result<NewKey, KeyError> {
        self.decide(|_| {
            let new = self.draw(account.cloned(), None)?;
            Ok((vec![KeyChange::Create(new.record.clone())], own::CREATE_KEY, new))
        })
    }

    /// Makes another key for the caller of this one, which goes on being believed until it is
    /// disabled.
    ///
    /// # Errors
    /// [`KeyError::Unknown`]; [`KeyError::Rotated`] while the key that it replaced or that replaces
    /// it is still there.
    pub fn rotate(&self, access_key_id: &str) -> Result<NewKey, KeyError> {
        self.decide(|keys| {
            let old = find(keys, access_key_id)?;
            let other = keys.iter().find(|key| {
                old.replaces.as_ref() == Some(&key.access_key_id)
                    || key.replaces.as_deref() == Some(access_key_id)
            });
            if let Some(other) = other {
                let (key, other) = (access_key_id.to_owned(), other.access_key_id.clone());
                return Err(KeyError::Rotated { key, other });
            }
            let new = self.draw(old.account.clone(), Some(access_key_id.to_owned()))?;
            Ok((vec![KeyChange::Create(new.record.clone())], own::ROTATE_KEY, new))
        })
    }

    /// Believes calls signed with a key, or no longer. Answers the key as it is then.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], [`KeyError::LastOperator`].
    pub fn enable(&self, access_key_id: &str, enabled: bool) -> Result<KeyRecord, KeyError> {
        let operation = if enabled { own::ENABLE_KEY } else { own::DISABLE_KEY };
        self.decide(|keys| {
            let key = KeyRecord { enabled, ..find(keys, access_key_id)?.clone() };
            if !enabled {
                self.operators_left(keys, access_key_id)?;
            }
            let access_key_id = access_key_id.to_owned();
            Ok((vec![KeyChange::Enable { access_key_id, enabled }], operation, key))
        })
    }

    /// Forgets a key. Answers what it was.
    ///
    /// # Errors
    /// [`KeyError::Unknown`], [`KeyError::LastOperator`].
    pub fn delete(&self, access_key_id: &str) -> Result<KeyRecord, KeyError> {
        self.decide(|keys| {
            let key = find(keys, access_key_id)?.clone();
            self.operators_left(keys, access_key_id)?;
            let change = KeyChange::Remove(access_key_id.to_owned());
            Ok((vec![change], own::DELETE_KEY, key))
        })
    }

    /// Seals the secrets that an older Palisade kept in the clear. Answers how many.
    ///
    /// # Errors
    /// [`VaultError::OtherKey`] when some are sealed under another sealing key.
    pub fn adopt(&self) -> Result<usize, KeyError> {
        self.reseal(self.vault, own::SEAL_KEYS, |key| matches!(key.secret, StoredSecret::Plain(_)))
    }

    /// Seals every secret under `new`'s sealing key instead. Answers how many.
    ///
    /// # Errors
    /// Those of [`Vault::open`].
    pub fn reseal_under(&self, new: &Vault) -> Result<usize, KeyError> {
        self.reseal(new, own::RESEAL_KEYS, |_| true)
    }

    fn reseal(
        &self,
        new: &Vault,
        operation: &'static str,
        wanted: impl Fn(&KeyRecord) -> bool,
    ) -> Result<usize, KeyError> {
        self.decide(|keys| {
            let mut changes = Vec::new();
            for key in keys {
                if !wanted(key) {
                    self.vault.is_of(key)?;
                    continue;
                }
                let text = self.vault.open_text(key)?;
                let (access_key_id, account) = (key.access_key_id.clone(), key.account.as_ref());
                let secret = new.seal(self.entropy, &access_key_id, account, &text)?;
                changes.push(KeyChange::Seal { access_key_id, secret });
            }
            let count = changes.len();
            Ok((changes, operation, count))
        })
    }

    /// Decides on the present keys, commits if they are still those, and otherwise decides again.
    fn decide<T>(
        &self,
        mut decide: impl FnMut(&[KeyRecord]) -> Result<(Vec<KeyChange>, &'static str, T), KeyError>,
    ) -> Result<T, KeyError> {
        let mut attempt = 1;
        loop {
            let revision = self.store.keys_revision()?;
            let keys = self.store.keys()?;
            let (changes, operation, answer) = decide(&keys)?;
            if changes.is_empty() {
                return Ok(answer);
            }
            let event = self.event(operation, &keys, &changes);
            match self.store.commit_keys(revision, &changes, &event) {
                Ok(_) => return Ok(answer),
                Err(StoreError::Conflict) if attempt < ATTEMPTS_MAX => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn event(&self, operation: &str, keys: &[KeyRecord], changes: &[KeyChange]) -> AuditEvent {
        self.actor.event(operation, changes.iter().map(|change| told(keys, change)).collect())
    }

    fn draw(
        &self,
        account: Option<AccountId>,
        replaces: Option<String>,
    ) -> Result<NewKey, KeyError> {
        let (access_key_id, secret) = mint::access_key(self.entropy)?;
        let sealed = self.vault.seal(self.entropy, &access_key_id, account.as_ref(), &secret)?;
        let record = KeyRecord {
            access_key_id,
            secret: sealed,
            account,
            enabled: true,
            replaces,
            created_ms: self.actor.at_ms,
            last_used_ms: None,
        };
        Ok(NewKey { record, secret })
    }

    /// Whether the server can be operated without this key.
    fn operators_left(&self, keys: &[KeyRecord], without: &str) -> Result<(), KeyError> {
        let operates = |key: &KeyRecord| key.account.is_none() && key.enabled;
        let goes = keys.iter().any(|key| key.access_key_id == without && operates(key));
        let stays = keys.iter().any(|key| key.access_key_id != without && operates(key));
        if !self.keeps_an_operator || !goes || stays {
            return Ok(());
        }
        Err(KeyError::LastOperator(without.to_owned()))
    }
}

fn find<'k>(keys: &'k [KeyRecord], access_key_id: &str) -> Result<&'k KeyRecord, KeyError> {
    keys.iter()
        .find(|key| key.access_key_id == access_key_id)
        .ok_or_else(|| KeyError::Unknown(access_key_id.to_owned()))
}

/// A change of a key as the audit log tells it: everything but the secret.
fn told(keys: &[KeyRecord], change: &KeyChange) -> AuditChange {
    let known = |id: &str| keys.iter().find(|key| key.access_key_id == id);
    let (id, after) = match change {
        KeyChange::Create(key) => (&key.access_key_id, Some(state(key))),
        KeyChange::Enable { access_key_id: id, enabled } => {
            let after = |key: &KeyRecord| state(&KeyRecord { enabled: *enabled, ..key.clone() });
            (id, known(id).map(after))
        }
        KeyChange::Seal { access_key_id: id, secret } => {
            let after =
                |key: &KeyRecord| state(&KeyRecord { secret: secret.clone(), ..key.clone() });
            (id, known(id).map(after))
        }
        KeyChange::Remove(id) => (id, None),
    };
    audit::change("key", id.as_str(), known(id).map(state), after)
}

fn state(key: &KeyRecord) -> Value {
    let sealed_under = match &key.secret {
        StoredSecret::Plain(_) => None,
        StoredSecret::Sealed { under, .. } => Some(under),
    };
    json!({
        "account": key.account,
        "operator": key.account.is_none(),
        "enabled": key.enabled,
        "replaces": key.replaces,
        "sealedUnder": sealed_under,
    })
}
