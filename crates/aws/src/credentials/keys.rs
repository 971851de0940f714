//! What a request is signed with.

use std::fmt;

use palisade_wire::sigv4::Secret;

use crate::error::Failure;

/// A key to sign with. Its secrets are not printed.
#[derive(Clone)]
pub struct Keys {
    /// The key's public id.
    pub access_key_id: Box<str>,
    /// Its secret.
    pub secret: Secret,
    /// The token of a temporary key.
    pub session_token: Option<Secret>,
    /// When a temporary key ends, in epoch milliseconds.
    pub expires_ms: Option<i64>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("access_key_id", &self.access_key_id)
            .field("expires_ms", &self.expires_ms)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// The keys in an answer of STS.
    pub(crate) fn of_sts(answer: &serde_json::Value) -> Result<Self, Failure> {
        let text = |name: &str| {
            answer
                .get("Credentials")
                .and_then(|credentials| credentials.get(name))
                .and_then(serde_json::Value::as_str)
                .filter(|text| !text.is_empty())
                .ok_or_else(|| {
                    Failure::malformed(format!("the answer has no `Credentials/{name}`"))
                })
        };
        let expires: jiff::Timestamp = text("Expiration")?
            .parse()
            .map_err(|error| Failure::malformed(format!("`Credentials/Expiration`: {error}")))?;
        Ok(Self {
            access_key_id: text("AccessKeyId")?.into(),
            secret: Secret::new(text("SecretAccessKey")?),
            session_token: Some(Secret::new(text("SessionToken")?)),
            expires_ms: Some(expires.as_millisecond()),
        })
    }
}
