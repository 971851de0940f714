//! Secrets of access keys at rest: sealed with AES-256-GCM under a key that the store does not hold.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_core::ident::AccountId;
use palisade_store::{KeyRecord, KeyRole, StoredSecret};
use palisade_wire::sigv4::Secret;
use sha2::{Digest as _, Sha256};

use crate::entropy::Entropy;
use crate::pages::Sealer;

const NONCE_LEN: usize = 12;

/// Seals secrets under one sealing key, and opens what was sealed under it.
pub struct Vault {
    cipher: Aes256Gcm,
    /// Seals sessions: who reads the store, which does not hold this key, cannot make one.
    sessions: Sealer,
    id: String,
}

/// Why a secret cannot be opened, or a sealing key not be read.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum VaultError {
    /// It was sealed under another sealing key.
    #[error(
        "the secrets of access keys were sealed under key `{under}` and the one given is `{ours}`; give the key file or the PALISADE_KEY that they were sealed with, or, if it is lost, say `palisade keys reseal --forget-lost`"
    )]
    OtherKey {
        /// Names the key it was sealed under.
        under: String,
        /// Names ours.
        ours: String,
    },
    /// It is in the clear: nothing vouches for it but that somebody could write to the store.
    #[error(
        "the secret of access key `{0}` is in the clear in a store that seals secrets, so somebody else wrote it; delete that key and make another"
    )]
    Clear(String),
    /// What is stored was altered, or belongs to another access key.
    #[error(
        "the secret of access key `{0}` was altered in the store; delete that key and make another"
    )]
    Altered(String),
    /// The text of a sealing key is none.
    #[error(
        "a sealing key is 32 random bytes, as 64 hexadecimal digits or in base64; `openssl rand -hex 32` makes one"
    )]
    Unreadable,
}

impl Vault {
    /// A vault under a sealing key.
    pub fn new(key: &[u8; 32]) -> Self {
        // What names a key must not help to open anything: each value is derived from it for one purpose.
        let secrets = derived(key, "palisade secrets of access keys");
        let name = derived(key, "palisade name of a sealing key");
        let id = name.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let sessions = Sealer::new(derived(key, "palisade sessions of the dashboard"));
        Vault { cipher: Aes256Gcm::new(&secrets.into()), sessions, id }
    }

    /// The sealing key in a text: 64 hexadecimal digits or 32 bytes in base64, blanks around it ignored.
    ///
    /// # Errors
    /// [`VaultError::Unreadable`]
    pub fn key(text: &str) -> Result<[u8; 32], VaultError> {
        let text = text.trim();
        let bytes = match text.len() {
            64 => hexadecimal(text),
            _ => STANDARD.decode(text).ok(),
        };
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(VaultError::Unreadable)
    }

    /// What seals the sessions of people who look at pages.
    pub(crate) fn sessions(&self) -> &Sealer {
        &self.sessions
    }

    /// Names the sealing key and tells nothing of it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Seals the secret of one access key. It opens for the same id, account, role and end alone, so
    /// that nobody who can write to the store gives a key's secret to another caller, or its holder
    /// more rights or time.
    ///
    /// # Errors
    /// When no random bytes can be had.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        holder: Holder<'_>,
        secret: &str,
    ) -> std::io::Result<StoredSecret> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce)?;
        let payload = Payload { msg: secret.as_bytes(), aad: &holder.binding() };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| std::io::Error::other("a secret could not be sealed"))?;
        let text = STANDARD.encode([nonce.as_slice(), &sealed].concat());
        Ok(StoredSecret::Sealed { under: self.id.clone(), text })
    }

    /// The secret of an access key.
    ///
    /// # Errors
    /// [`VaultError::OtherKey`], [`VaultError::Clear`] and [`VaultError::Altered`].
    pub fn open(&self, key: &KeyRecord) -> Result<Secret, VaultError> {
        self.open_text(key).map(Secret::new)
    }

    pub(crate) fn open_text(&self, key: &KeyRecord) -> Result<String, VaultError> {
        let text = match &key.secret {
            StoredSecret::Plain(_) => return Err(VaultError::Clear(key.access_key_id.clone())),
            StoredSecret::Sealed { under, text } => {
                self.is_named(under)?;
                text
            }
        };
        let opened = STANDARD.decode(text).ok().and_then(|bytes| {
            let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
            let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
            let payload = Payload { msg: sealed, aad: &Holder::of(key).binding() };
            let opened = self.cipher.decrypt(&Nonce::from(nonce), payload).ok()?;
            String::from_utf8(opened).ok()
        });
        opened.ok_or_else(|| VaultError::Altered(key.access_key_id.clone()))
    }
}

impl Vault {
    /// Whether this sealing key is the one of that name.
    ///
    /// # Errors
    /// [`VaultError::OtherKey`]
    pub fn is_named(&self, under: &str) -> Result<(), VaultError> {
        if under == self.id {
            return Ok(());
        }
        Err(VaultError::OtherKey { under: under.to_owned(), ours: self.id.clone() })
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A value for one purpose. The key is 32 random bytes, so one hash is enough.
fn derived(key: &[u8; 32], purpose: &str) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update([0]).chain_update(key).finalize().into()
}

/// Whose a secret is, and what it is good for: what it is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// Access key id.
    pub access_key_id: &'a str,
    /// The account it acts as; `None` is the operator.
    pub account: Option<&'a AccountId>,
    /// What it may do.
    pub role: KeyRole,
    /// When it ends, milliseconds since the epoch.
    pub expires_ms: Option<i64>,
}

impl<'a> Holder<'a> {
    /// The holder of a key.
    pub fn of(key: &'a KeyRecord) -> Holder<'a> {
        let (account, role, expires_ms) = (key.account.as_ref(), key.role, key.expires_ms);
        Holder { access_key_id: &key.access_key_id, account, role, expires_ms }
    }

    /// Each part with its length in front, so that no two read alike. Keys of full rights and without an
    /// end are bound as those of older stores, which had no others.
    fn binding(&self) -> Vec<u8> {
        let who = self.account.map_or("operator", AccountId::as_str);
        let end = self.expires_ms.map(|end| end.to_string()).unwrap_or_default();
        let (version, parts): (u8, Vec<&str>) = match (self.role, self.expires_ms) {
            (KeyRole::Full, None) => (1, vec![self.access_key_id, who]),
            _ => (2, vec![self.access_key_id, who, self.role.word(), &end]),
        };
        let mut bytes = vec![version];
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    digits?
        .chunks(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |n, d| n * 16 + d)).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    fn sealed(vault: &Vault, name: &str, account: Option<&str>) -> KeyRecord {
        let key = KeyRecord {
            access_key_id: name.to_owned(),
            secret: StoredSecret::Plain(String::new()),
            account: account.map(|id| AccountId::try_from(id).unwrap()),
            enabled: true,
            replaces: None,
            created_ms: 1,
            last_used_ms: None,
            name: None,
            role: KeyRole::Full,
            expires_ms: None,
            signed_out_ms: None,
        };
        sealed_as(vault, key)
    }

    /// The key with a secret that is bound to it.
    fn sealed_as(vault: &Vault, key: KeyRecord) -> KeyRecord {
        let secret = vault.seal(&Fixed(5), Holder::of(&key), "the secret").unwrap();
        KeyRecord { secret, ..key }
    }

    fn opened(vault: &Vault, key: &KeyRecord) -> Result<String, VaultError> {
        vault.open_text(key)
    }

    #[test]
    fn a_secret_opens_for_its_own_key_alone() {
        let vault = Vault::new(&[1; 32]);
        let key = sealed(&vault, "AKIA1", Some("111122223333"));
        assert_eq!(opened(&vault, &key).as_deref(), Ok("the secret"));
        let altered = Err(VaultError::Altered("AKIA1".to_owned()));
        let operator = KeyRecord { account: None, ..key.clone() };
        assert_eq!(opened(&vault, &operator), altered, "an account's key made an operator's");
        let other = sealed(&vault, "AKIA2", Some("111122223333"));
        assert_eq!(opened(&vault, &KeyRecord { secret: other.secret, ..key }), altered);
    }

    #[test]
    fn nobody_who_can_write_to_the_store_gives_a_key_more_rights_or_time() {
        let vault = Vault::new(&[1; 32]);
        let plain = sealed(&vault, "AKIA1", None);
        let (role, end) = (KeyRole::Reader, Some(50));
        let all = [
            plain.clone(),
            sealed_as(&vault, KeyRecord { role, ..plain.clone() }),
            sealed_as(&vault, KeyRecord { expires_ms: end, ..plain.clone() }),
            sealed_as(&vault, KeyRecord { expires_ms: Some(51), ..plain.clone() }),
            sealed_as(&vault, KeyRecord { role, expires_ms: end, ..plain.clone() }),
        ];
        for (at, key) in all.iter().enumerate() {
            for (other_at, other) in all.iter().enumerate() {
                let swapped = KeyRecord { secret: other.secret.clone(), ..key.clone() };
                assert_eq!(opened(&vault, &swapped).is_ok(), at == other_at, "{at} {other_at}");
            }
            let renamed = KeyRecord { name: Some("other".to_owned()), ..key.clone() };
            assert!(opened(&vault, &renamed).is_ok(), "a name decides nothing");
        }
    }

    #[test]
    fn no_bit_of_a_sealed_secret_can_be_changed() {
        let vault = Vault::new(&[1; 32]);
        let key = sealed(&vault, "AKIA1", None);
        let StoredSecret::Sealed { under, text } = &key.secret else { panic!("not sealed") };
        assert!(!text.contains("secret"));
        let bytes = STANDARD.decode(text).unwrap();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let text = STANDARD.encode(changed);
            let secret = StoredSecret::Sealed { under: under.clone(), text };
            assert!(opened(&vault, &KeyRecord { secret, ..key.clone() }).is_err(), "bit {at}");
        }
        for text in ["", "AAAA", "!", &text[..20]] {
            let secret = StoredSecret::Sealed { under: under.clone(), text: text.to_owned() };
            assert!(opened(&vault, &KeyRecord { secret, ..key.clone() }).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_in_the_clear_is_nobodys() {
        let vault = Vault::new(&[1; 32]);
        let secret = StoredSecret::Plain("the secret".to_owned());
        let key = KeyRecord { secret, ..sealed(&vault, "AKIA1", None) };
        assert_eq!(opened(&vault, &key), Err(VaultError::Clear("AKIA1".to_owned())));
    }

    #[test]
    fn another_sealing_key_is_told_by_name() {
        let (ours, other) = (Vault::new(&[1; 32]), Vault::new(&[2; 32]));
        let error = opened(&ours, &sealed(&other, "AKIA1", None)).unwrap_err();
        let (under, ours) = (other.id().to_owned(), ours.id().to_owned());
        assert_ne!(under, ours);
        assert_eq!(error, VaultError::OtherKey { under, ours });
    }

    #[test]
    fn a_sealing_key_is_32_bytes_in_hexadecimal_or_base64() {
        let hex = "0f".repeat(32);
        for text in
            [hex.clone(), hex.to_uppercase(), format!(" {hex}\n"), STANDARD.encode([15; 32])]
        {
            assert_eq!(Vault::key(&text), Ok([15; 32]), "{text}");
        }
        let wrong = ["", &hex[..62], &hex[..63], &"xy".repeat(32), &"0f".repeat(33), "password"];
        for text in wrong.map(str::to_owned).into_iter().chain([STANDARD.encode([15; 31])]) {
            assert_eq!(Vault::key(&text), Err(VaultError::Unreadable), "{text}");
        }
    }

    #[test]
    fn nothing_prints_a_secret() {
        let key = KeyRecord {
            secret: StoredSecret::Plain("hush".to_owned()),
            ..sealed(&Vault::new(&[1; 32]), "AKIA1", None)
        };
        let printed = format!("{key:?} {:?}", Vault::new(&[7; 32]));
        assert!(!printed.contains("hush") && !printed.contains("7, 7"), "{printed}");
    }
}
