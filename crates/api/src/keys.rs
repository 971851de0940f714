//! What can be done with access keys, by the operator's endpoint and by `palisade keys` alike: each is
//! decided on one revision of the keys and committed against it, with its event.

use palisade_core::ident::AccountId;
use palisade_core::organization::Organization;
use palisade_store::{
    AuditChange, AuditEvent, KeyChange, KeyRecord, KeyRole, Keys, StoreError, StoredSecret,
};
use serde_json::{Value, json};

use crate::audit::{self, Actor, own};
use crate::own::moment;
use crate::printable::is_hidden;
use crate::vault::{Holder, Vault, VaultError};
use crate::{Entropy, mint};

/// How often a change is decided again because the keys changed meanwhile, or an id was taken.
const ATTEMPTS_MAX: usize = 32;
/// Keys that rotation keeps beside each other: the one in use and the one that takes its place, as
/// many as AWS gives an IAM user.
pub const KEYS_OF_A_ROTATION_MAX: usize = 2;

/// Characters of a key's name.
pub const KEY_NAME_LEN_MAX: usize = 64;
/// Days that a key lasts that expires.
pub const KEY_LASTS_DAYS_MAX: i64 = 3_650;
/// The same in milliseconds.
pub const KEY_LASTS_MS_MAX: i64 = KEY_LASTS_DAYS_MAX * 24 * 60 * 60 * 1_000;

/// Digits of an account id. The wire's model allows others, so identifiers do; a key for one would be
/// nobody's.
const ACCOUNT_ID_LEN: usize = 12;

/// Changes access keys on somebody's behalf.
#[derive(Clone, Copy)]
pub struct Keyring<'a> {
    /// Where the keys are.
    pub store: &'a dyn Keys,
    /// What seals their secrets; without it keys can be disabled, enabled and deleted.
    pub vault: Option<&'a Vault>,
    /// Draws ids and secrets.
    pub entropy: &'a dyn Entropy,
    /// Who asks.
    pub actor: &'a Actor,
    /// Whether one operator key that works must stay, unless the caller confirmed that none need be.
    pub keeps_an_operator: bool,
}

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The account that it acts as; `None` is the operator.
    pub account: Option<AccountId>,
    /// What people call it.
    pub name: Option<String>,
    /// What its holder may do.
    pub role: KeyRole,
    /// When it ends, milliseconds since the epoch; `None` is never.
    pub expires_ms: Option<i64>,
}

/// A key that was just made. Its secret is told this once.
pub struct NewKey {
    /// The key as kept.
    pub record: KeyRecord,
    /// Its secret.
    pub secret: String,
}

/// What became of the secrets that were there when a sealing key was first used.
#[derive(Debug, Default)]
pub struct Adopted {
    /// How many were in the clear and are sealed now.
    pub sealed: usize,
    /// Keys that nobody can call with: their secrets are in the clear or under another sealing key,
    /// though the store seals under this one.
    pub strays: Vec<String>,
}

/// What became of the secrets under another sealing key.
#[derive(Debug, Default)]
pub struct Resealed {
    /// How many are sealed under it.
    pub sealed: usize,
    /// Keys that are gone because nothing opens their secrets.
    pub forgotten: Vec<String>,
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
        "access key `{0}` is the last operator key that works: after this nobody operates the server until `palisade keys create --operator --store` makes another on its own machine; make another first, or confirm that this is meant (`--confirm`, `?confirm=true`)"
    )]
    LastOperator(String),
    /// A name is none.
    #[error("the name of a key {0}; give 1 to {KEY_NAME_LEN_MAX} characters on one line")]
    NoName(String),
    /// It would end at once, or never.
    #[error(
        "the key would expire at {at}; give a moment from now until {KEY_LASTS_DAYS_MAX} days on, or leave it out for a key that lasts until it is deleted"
    )]
    NoEnd {
        /// When it would end.
        at: String,
    },
    /// An account id is none.
    #[error("`{0}` is not the id of an account, which is 12 digits")]
    NoAccount(AccountId),
    /// A secret is to be sealed and there is nothing to seal it with.
    #[error("there is no key to seal the secrets of access keys with; give one with --key-file")]
    NoSealingKey,
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
    /// [`KeyError::NoAccount`], [`KeyError::NoName`], [`KeyError::NoEnd`]; those of sealing, as
    /// [`VaultError::OtherKey`] when the store seals under another sealing key.
    pub fn create(&self, wanted: &Wanted) -> Result<NewKey, KeyError> {
        wanted.account.as_ref().map_or(Ok(()), is_account)?;
        wanted.name.as_deref().map_or(Ok(()), is_name)?;
        is_end(wanted.expires_ms, self.actor.at_ms)?;
        self.decide(|keys| {
            let new = self.draw(self.sealing(keys)?, wanted, None)?;
            Ok((vec![KeyChange::Create(new.record.clone())], own::CREATE_KEY, new))
        })
    }

    /// Makes another key for the caller of this one, of its name and role, which goes on being believed
    /// until it is disabled. Of a key that ends, the new one lasts as long from now on as the old one did
    /// when it was made, unless another end is given.
    ///
    /// # Errors
    /// [`KeyError::Unknown`]; [`KeyError::Rotated`] while the key that it replaced or that replaces
    /// it is still there; [`KeyError::NoEnd`]; those of sealing, as with [`Keyring::create`].
    pub fn rotate(&self, access_key_id: &str, expires_ms: Option<i64>) -> Result<NewKey, KeyError> {
        is_end(expires_ms, self.actor.at_ms)?;
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
            let vault = self.sealing(keys)?;
            let lasts = |end: i64| end.saturating_sub(old.created_ms);
            let again = |lasts: i64| self.actor.at_ms.saturating_add(lasts);
            let wanted = Wanted {
                account: old.account.clone(),
                name: old.name.clone(),
                role: old.role,
                expires_ms: expires_ms.or(old.expires_ms.map(lasts).map(again)),
            };
            let new = self.draw(vault, &wanted, Some(access_key_id.to_owned()))?;
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

    /// Ends the sessions of people with a key that began until now, on every server over the store.
    ///
    /// # Errors
    /// [`KeyError::Unknown`]
    pub fn sign_out(&self, access_key_id: &str) -> Result<(), KeyError> {
        self.decide(|keys| {
            find(keys, access_key_id)?;
            let (access_key_id, at_ms) = (access_key_id.to_owned(), self.actor.at_ms);
            Ok((vec![KeyChange::SignOut { access_key_id, at_ms }], own::SIGN_OUT, ()))
        })
    }

    /// Has the store remember the sealing key, and then seals the secrets that an older Palisade
    /// kept in the clear. Once one is remembered, secrets in the clear are nobody's: they would let
    /// whoever can write to the store make keys.
    ///
    /// # Errors
    /// [`VaultError::OtherKey`] when the store remembers another, or secrets are sealed under it.
    pub fn adopt(&self) -> Result<Adopted, KeyError> {
        self.decide(|keys| {
            let vault = self.sealing(keys)?;
            if self.store.sealed_under()?.is_some() {
                let strays = keys.iter().filter(|key| !is_under(vault, key));
                let strays = strays.map(|key| key.access_key_id.clone()).collect();
                return Ok((Vec::new(), own::SEAL_KEYS, Adopted { sealed: 0, strays }));
            }
            let mut changes = vec![KeyChange::SealUnder(vault.id().to_owned())];
            for key in keys {
                if let StoredSecret::Plain(text) = &key.secret {
                    changes.push(self.seal(vault, key, text)?);
                }
            }
            let sealed = changes.len().saturating_sub(1);
            Ok((changes, own::SEAL_KEYS, Adopted { sealed, strays: Vec::new() }))
        })
    }

    /// Seals every secret under `new`'s sealing key instead, which the store remembers from then on.
    /// With `forget_lost`, keys whose secrets cannot be opened go; otherwise they stop it.
    ///
    /// # Errors
    /// Those of [`Vault::open`], and [`KeyError::NoSealingKey`]; neither with `forget_lost`.
    pub fn reseal_under(&self, new: &Vault, forget_lost: bool) -> Result<Resealed, KeyError> {
        self.decide(|keys| {
            if !forget_lost {
                self.sealing(keys)?;
            }
            let is_sealing = self.store.sealed_under()?.is_some();
            let mut told = Resealed::default();
            let mut changes = vec![KeyChange::SealUnder(new.id().to_owned())];
            for key in keys {
                let opened = match (&key.secret, self.vault) {
                    (StoredSecret::Plain(text), _) if !is_sealing => Ok(text.clone()),
                    (_, Some(vault)) => vault.open_text(key).map_err(KeyError::from),
                    (_, None) => Err(KeyError::NoSealingKey),
                };
                match opened {
                    Ok(text) => {
                        changes.push(self.seal(new, key, &text)?);
                        told.sealed = told.sealed.saturating_add(1);
                    }
                    Err(_) if forget_lost => {
                        changes.push(KeyChange::Remove(key.access_key_id.clone()));
                        told.forgotten.push(key.access_key_id.clone());
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok((changes, own::RESEAL_KEYS, told))
        })
    }

    /// What the secrets of these keys are sealed with, if it is what the store seals under. Decided
    /// with every key that is made: two processes over one store may have been given different ones.
    fn sealing(&self, keys: &[KeyRecord]) -> Result<&Vault, KeyError> {
        let vault = self.vault.ok_or(KeyError::NoSealingKey)?;
        if let Some(under) = self.store.sealed_under()? {
            vault.is_named(&under)?;
            return Ok(vault);
        }
        for key in keys {
            if let StoredSecret::Sealed { under, .. } = &key.secret {
                vault.is_named(under)?;
            }
        }
        Ok(vault)
    }

    fn seal(&self, vault: &Vault, key: &KeyRecord, text: &str) -> Result<KeyChange, KeyError> {
        let secret = vault.seal(self.entropy, Holder::of(key), text)?;
        Ok(KeyChange::Seal { access_key_id: key.access_key_id.clone(), secret })
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
        vault: &Vault,
        wanted: &Wanted,
        replaces: Option<String>,
    ) -> Result<NewKey, KeyError> {
        let (access_key_id, secret) = mint::access_key(self.entropy)?;
        let Wanted { account, name, role, expires_ms } = wanted.clone();
        let holder =
            Holder { access_key_id: &access_key_id, account: account.as_ref(), role, expires_ms };
        let sealed = vault.seal(self.entropy, holder, &secret)?;
        let record = KeyRecord {
            access_key_id,
            secret: sealed,
            account,
            enabled: true,
            replaces,
            created_ms: self.actor.at_ms,
            last_used_ms: None,
            name,
            role,
            expires_ms,
            signed_out_ms: None,
        };
        Ok(NewKey { record, secret })
    }

    /// Whether the server can be operated without this key.
    fn operators_left(&self, keys: &[KeyRecord], without: &str) -> Result<(), KeyError> {
        // Nobody can call with a key that does not open.
        let opens = |key: &KeyRecord| self.vault.is_none_or(|vault| vault.open(key).is_ok());
        let works =
            |key: &KeyRecord| key.enabled && !key.has_expired(self.actor.at_ms) && opens(key);
        let operates =
            |key: &KeyRecord| key.account.is_none() && key.role == KeyRole::Full && works(key);
        let goes = keys.iter().any(|key| key.access_key_id == without && operates(key));
        let stays = keys.iter().any(|key| key.access_key_id != without && operates(key));
        if !self.keeps_an_operator || !goes || stays {
            return Ok(());
        }
        Err(KeyError::LastOperator(without.to_owned()))
    }
}

/// Whether a key that is made at `now_ms` may end at a moment.
///
/// # Errors
/// [`KeyError::NoEnd`]
pub fn is_end(expires_ms: Option<i64>, now_ms: i64) -> Result<(), KeyError> {
    let Some(end) = expires_ms else { return Ok(()) };
    let lasts_ms = end.saturating_sub(now_ms);
    match lasts_ms > 0 && lasts_ms <= KEY_LASTS_MS_MAX {
        true => Ok(()),
        false => Err(KeyError::NoEnd { at: moment(end) }),
    }
}

/// What stands against the use of a key: its account is not in the organization, once there is one.
pub fn outside(key: &KeyRecord, organization: Option<&Organization>) -> Option<String> {
    let account = key.account.as_ref()?;
    let is_known = organization.is_none_or(|known| known.accounts.contains_key(account));
    (!is_known).then(|| {
        format!(
            "account `{account}` is not in the organization: calls signed with this key are refused until it is"
        )
    })
}

/// Whether a text can be the name of a key.
///
/// # Errors
/// [`KeyError::NoName`]
pub fn is_name(name: &str) -> Result<(), KeyError> {
    let length = name.chars().count();
    if name.trim().is_empty() {
        Err(KeyError::NoName("is empty".to_owned()))
    } else if length > KEY_NAME_LEN_MAX {
        Err(KeyError::NoName(format!("is {length} characters")))
    } else if name.chars().any(is_hidden) {
        Err(KeyError::NoName("has a character that nobody sees".to_owned()))
    } else {
        Ok(())
    }
}

/// Whether an account id is one that AWS gives.
///
/// # Errors
/// [`KeyError::NoAccount`]
pub fn is_account(account: &AccountId) -> Result<(), KeyError> {
    match account.as_str().len() {
        ACCOUNT_ID_LEN => Ok(()),
        _ => Err(KeyError::NoAccount(account.clone())),
    }
}

fn is_under(vault: &Vault, key: &KeyRecord) -> bool {
    match &key.secret {
        StoredSecret::Plain(_) => false,
        StoredSecret::Sealed { under, .. } => vault.is_named(under).is_ok(),
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
        KeyChange::SignOut { access_key_id: id, at_ms } => {
            let signed_out_ms = Some(*at_ms);
            let after = |key: &KeyRecord| state(&KeyRecord { signed_out_ms, ..key.clone() });
            (id, known(id).map(after))
        }
        KeyChange::Remove(id) => (id, None),
        KeyChange::SealUnder(name) => {
            return audit::change("sealing-key", name.as_str(), None, Some(json!({ "id": name })));
        }
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
        "name": key.name,
        "role": key.role.word(),
        "expires": key.expires_ms.map(moment),
        "replaces": key.replaces,
        "sealedUnder": sealed_under,
        "signedOut": key.signed_out_ms.map(moment),
    })
}
