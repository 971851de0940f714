//! Access keys as stored. Their secrets are sealed by who hands them over; the store cannot read them.

use palisade_core::ident::AccountId;
use serde::{Deserialize, Serialize};

/// An access key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRecord {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret: StoredSecret,
    /// The account it acts as; `None` is an operator key.
    pub account: Option<AccountId>,
    /// Whether calls signed with it are believed.
    pub enabled: bool,
    /// The key that this one is to take the place of, whether that is still there or not.
    pub replaces: Option<String>,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// When a call signed with it was last believed, within a minute or so, milliseconds since the
    /// epoch; `None` is never.
    pub last_used_ms: Option<i64>,
    /// What people call it.
    pub name: Option<String>,
    /// What its holder may do.
    pub role: KeyRole,
    /// From then on calls signed with it are refused, milliseconds since the epoch; `None` is never.
    pub expires_ms: Option<i64>,
    /// Sessions of people with this key that began up to then have ended, milliseconds since the epoch.
    pub signed_out_ms: Option<i64>,
}

/// What the holder of a key may do of what its account, or the operator, may.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeyRole {
    /// Everything.
    #[default]
    Full,
    /// See everything and change nothing.
    Reader,
}

impl KeyRole {
    /// Every role.
    pub const ALL: [KeyRole; 2] = [KeyRole::Full, KeyRole::Reader];

    /// Its name, as it is stored and told.
    pub const fn word(self) -> &'static str {
        match self {
            KeyRole::Full => "full",
            KeyRole::Reader => "reader",
        }
    }

    /// The role of this name.
    pub fn named(word: &str) -> Option<KeyRole> {
        KeyRole::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl KeyRecord {
    /// Whether calls signed with it are refused at `now_ms` because its time is over.
    pub fn has_expired(&self, now_ms: i64) -> bool {
        self.expires_ms.is_some_and(|end| end <= now_ms)
    }
}

/// A secret access key at rest.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
pub enum StoredSecret {
    /// As a Palisade before schema version 3 kept it.
    Plain(String),
    /// Encrypted.
    Sealed {
        /// Which key it is sealed under.
        under: String,
        /// What only that key opens.
        text: String,
    },
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoredSecret::Plain(_) => f.write_str("Plain(…)"),
            StoredSecret::Sealed { under, .. } => write!(f, "Sealed under {under}"),
        }
    }
}

/// One change of the access keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyChange {
    /// Keep a new key. Its access key id must be free.
    Create(KeyRecord),
    /// Believe calls signed with a key, or no longer.
    Enable {
        /// Which key.
        access_key_id: String,
        /// Whether it is believed from now on.
        enabled: bool,
    },
    /// Replace what is stored of a secret, as under another sealing key.
    Seal {
        /// Which key.
        access_key_id: String,
        /// What is stored from now on.
        secret: StoredSecret,
    },
    /// Ends the sessions of people with a key that began up to a moment. A later one that is known stays.
    SignOut {
        /// Which key.
        access_key_id: String,
        /// Milliseconds since the epoch.
        at_ms: i64,
    },
    /// Forget a key.
    Remove(String),
    /// Remember the name of the sealing key that secrets are sealed under from now on.
    SealUnder(String),
}
