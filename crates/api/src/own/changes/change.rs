//! One change, and where a page of changes begins.

use palisade_core::ident::{AccountId, PolicyId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::own::accounts::Policy;
use crate::own::history::Cause;

/// What was told of something at the one moment and at the other.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChangeBetween)]
pub(in crate::own) struct Change {
    pub policy: Policy,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub account_name: Option<String>,
    pub what: What,
    /// As `/policies`, `/compliance` or `/violators` told it; null: it was not there.
    #[schema(value_type = Option<Object>)]
    pub before: Value,
    /// The same of the later moment.
    #[schema(value_type = Option<Object>)]
    pub after: Value,
    /// When it last became another, where that is noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    pub at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Cause, required = false)]
    pub cause: Option<Cause>,
}

/// Of what something is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ChangeOf)]
pub(in crate::own) enum What {
    /// Of the policy.
    Policy,
    /// Of an account under it.
    Account,
    /// Of a violator of the account.
    Violator,
}

/// Behind what a page begins: within one (policy, account), or in front of all, behind so many changes.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(in crate::own) struct Position {
    pub to_ms: i64,
    pub policy: PolicyId,
    /// `None`: the policy itself is told of next.
    pub account: Option<AccountId>,
    pub told: usize,
}
