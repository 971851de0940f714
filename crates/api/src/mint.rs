//! New ids, tokens, keys and names: made of random bytes in the forms that AWS uses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_core::ident::{AccountId, ListId, PolicyId, Region, ResourceSetId};
use uuid::Builder;

use crate::entropy::Entropy;

/// What stands before the id in the ARN of an applications list.
pub const APPS_ARN: &str = "applications-list";
/// What stands before the id in the ARN of a protocols list.
pub const PROTOCOLS_ARN: &str = "protocols-list";

/// A random UUID (version 4) in lower case, 36 characters.
///
/// # Errors
/// When no random bytes can be had.
pub fn uuid(entropy: &dyn Entropy) -> std::io::Result<String> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes)?;
    Ok(Builder::from_random_bytes(bytes).into_uuid().to_string())
}

/// An update token in the form seen in AWS's answers: `1:` and 16 bytes in base64 (semantics §0.3).
///
/// # Errors
/// When no random bytes can be had.
pub fn update_token(entropy: &dyn Entropy) -> std::io::Result<String> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes)?;
    Ok(format!("1:{}", STANDARD.encode(bytes)))
}

/// An access key id and its secret: `AKIA` with 16 letters or digits, and 40 characters of base64.
///
/// # Errors
/// When no random bytes can be had.
pub fn access_key(entropy: &dyn Entropy) -> std::io::Result<(String, String)> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 46];
    entropy.fill(&mut bytes)?;
    let (name, secret) = bytes.split_at(16);
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter));
    let id = "AKIA".chars().chain(name.iter().filter_map(letter)).collect();
    Ok((id, STANDARD.encode(secret)))
}

/// The id of a resource set: 22 characters of base-62, all equally likely (model `Base62Id`).
///
/// # Errors
/// When no random bytes can be had.
pub fn base62(entropy: &dyn Entropy) -> std::io::Result<String> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // 22 digits hold 130 bits: two halves of 11 digits, each drawn of 128 random bits.
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes)?;
    let (left, right) = bytes.split_at(16);
    let mut text = String::with_capacity(22);
    for half in [left, right] {
        let mut number = half.iter().fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
        for _ in 0..11 {
            let digit = usize::try_from(number % 62).unwrap_or_default();
            text.extend(DIGITS.get(digit).map(|digit| char::from(*digit)));
            number /= 62;
        }
    }
    Ok(text)
}

/// `arn:<partition>:fms:<region>:<owner>:resource-set/<id>`
pub fn resource_set_arn(
    partition: &str,
    region: &Region,
    owner: &AccountId,
    id: &ResourceSetId,
) -> String {
    format!("arn:{partition}:fms:{region}:{owner}:resource-set/{id}")
}

/// `arn:<partition>:fms:<region>:<owner>:policy/<id>`
pub fn policy_arn(partition: &str, region: &Region, owner: &AccountId, id: &PolicyId) -> String {
    format!("arn:{partition}:fms:{region}:{owner}:policy/{id}")
}

/// `arn:<partition>:fms:<region>:<owner>:<kind>/<id>`, the kind being `applications-list` or
/// `protocols-list`.
pub fn list_arn(
    partition: &str,
    region: &Region,
    owner: &AccountId,
    kind: &str,
    id: &ListId,
) -> String {
    format!("arn:{partition}:fms:{region}:{owner}:{kind}/{id}")
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

    #[test]
    fn ids_tokens_and_keys_have_the_forms_of_aws() {
        assert_eq!(uuid(&Fixed(0)).unwrap(), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid(&Fixed(0xff)).unwrap(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(update_token(&Fixed(0)).unwrap(), "1:AAAAAAAAAAAAAAAAAAAAAA==");
        assert_eq!(base62(&Fixed(0)).unwrap(), "0".repeat(22));
        let drawn = base62(&Fixed(0xff)).unwrap();
        assert_eq!(drawn.len(), 22);
        assert!(drawn.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{drawn}");
        let (id, secret) = access_key(&Fixed(0xff)).unwrap();
        assert_eq!(id, "AKIA7777777777777777");
        assert_eq!(secret.len(), 40);
    }
}
