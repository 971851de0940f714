//! Page tokens: a position in a list, sealed so that nobody can read, alter or carry it elsewhere.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::entropy::Entropy;

/// Entries of a page when the caller names no number, and at most (model `PaginationMaxResults`).
pub const PAGE_SIZE_MAX: usize = 100;

const NONCE_LEN: usize = 12;

/// What a token is bound to: it opens for the same caller, operation and filter alone.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The account that asks.
    pub caller: &'a str,
    /// The operation's name.
    pub operation: &'a str,
    /// What the list was narrowed by: Region, policy id and the like.
    pub filter: &'a [&'a str],
}

impl Binding<'_> {
    /// All parts, each with its length in front, so that no two bindings read alike.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1];
        for part in [self.caller, self.operation].iter().chain(self.filter) {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// Seals and opens page tokens under the store's key with AES-256-GCM.
pub struct Sealer {
    cipher: Aes256Gcm,
}

impl Sealer {
    /// A sealer under the key of [`palisade_store::Keys::sealing_key`].
    pub fn new(key: [u8; 32]) -> Self {
        Sealer { cipher: Aes256Gcm::new(&key.into()) }
    }

    /// A token for `position`, within the characters of the model's `PaginationToken`.
    ///
    /// # Errors
    /// When no random bytes can be had.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        binding: Binding<'_>,
        position: &str,
    ) -> std::io::Result<String> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce)?;
        let payload = Payload { msg: position.as_bytes(), aad: &binding.bytes() };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| std::io::Error::other("a page token could not be sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The position in a token, or `None` when it is not one that was sealed for this binding.
    pub fn open(&self, binding: Binding<'_>, token: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
        let payload = Payload { msg: sealed, aad: &binding.bytes() };
        let position = self.cipher.decrypt(&Nonce::from(nonce), payload).ok()?;
        String::from_utf8(position).ok()
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) -> std::io::Result<()> {
            bytes.fill(7);
            Ok(())
        }
    }

    const BINDING: Binding<'_> =
        Binding { caller: "111122223333", operation: "ListPolicies", filter: &["eu-west-1"] };

    #[test]
    fn a_token_opens_for_what_it_was_sealed_for_alone() {
        let sealer = Sealer::new([3; 32]);
        let token = sealer.seal(&Counting, BINDING, "12 abc").unwrap();
        assert_eq!(sealer.open(BINDING, &token).as_deref(), Some("12 abc"));
        for other in [
            Binding { caller: "111122223334", ..BINDING },
            Binding { operation: "ListAppsLists", ..BINDING },
            Binding { filter: &["eu-west-2"], ..BINDING },
            Binding { filter: &[], ..BINDING },
            Binding { filter: &["eu-west-1", ""], ..BINDING },
        ] {
            assert_eq!(sealer.open(other, &token), None, "{other:?}");
        }
        assert_eq!(Sealer::new([4; 32]).open(BINDING, &token), None, "another key");
    }

    #[test]
    fn no_bit_of_a_token_can_be_changed() {
        let sealer = Sealer::new([3; 32]);
        let token = sealer.seal(&Counting, BINDING, "position").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert_eq!(sealer.open(BINDING, &URL_SAFE_NO_PAD.encode(changed)), None, "bit {at}");
        }
        for text in ["", "a", "ä", "!!!!", &token[..20], &format!("{token}A")] {
            assert_eq!(sealer.open(BINDING, text), None, "{text}");
        }
    }

    #[test]
    fn tokens_fit_the_models_pattern_and_length() {
        let sealer = Sealer::new([3; 32]);
        let token = sealer.seal(&Counting, BINDING, &"9".repeat(1024)).unwrap();
        assert!(token.len() <= 4096);
        assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    }
}
