//! The audit log as stored: who changed what, written in the transaction of the change.

use palisade_core::ident::AccountId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One call that changed, or was let in to change, something. Holds no secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// The id that the caller was answered.
    pub request_id: String,
    /// Access key id that signed the call; `None` when no key did.
    pub access_key_id: Option<String>,
    /// What that key was called then.
    pub key_name: Option<String>,
    /// What the caller was.
    pub caller: CallerKind,
    /// The account that was acted as; `None` for what is done to Palisade itself.
    pub account: Option<AccountId>,
    /// The Region of the call.
    pub region: String,
    /// The operation's name.
    pub operation: String,
    /// What became of which object, the one that the call is about first. Empty when the call
    /// changed nothing.
    pub changes: Vec<AuditChange>,
}

/// What an event did to one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditChange {
    /// What kind of object.
    pub object_type: String,
    /// Its ARN, or its id where it has none.
    pub object: String,
    /// Its state before; `None` when it was not there.
    pub before: Option<Value>,
    /// Its state after; `None` when it is gone.
    pub after: Option<Value>,
}

/// What a caller was at the moment of its call.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// A command that opened the store itself.
    Local,
    /// An operator key.
    Operator,
    /// The management account, when it is no administrator.
    Management,
    /// The default administrator.
    DefaultAdministrator,
    /// An additional administrator.
    Administrator,
    /// Another account of the organization.
    Member,
    /// An account outside the organization.
    Stranger,
}

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Grows with every event, not always by one.
    pub sequence: u64,
    /// What happened.
    pub event: AuditEvent,
}

/// Which events are asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuditFilter {
    /// Those of callers that acted as this account.
    pub account: Option<AccountId>,
    /// Those of this operation.
    pub operation: Option<String>,
    /// Those before this place in the log.
    pub before: Option<u64>,
}
