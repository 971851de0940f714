//! What is known of an account, as these endpoints show it.

use std::collections::BTreeMap;

use palisade_core::evaluate::Status;
use palisade_core::ident::AccountId;
use palisade_wire::shapes::DependentServiceName;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::answer::moment;
use super::schema::one_of_or_null;
use crate::known::{Known, Reason};
use crate::view::ControlView;
use crate::wire_names::service_name;

/// An account as Palisade's own endpoints show it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Known)]
pub(crate) struct Shown {
    account: String,
    /// As the organization names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    account_name: Option<String>,
    /// The organizational units above it, from the root down.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    unit_path: Option<String>,
    #[schema(schema_with = status, required = true)]
    status: Option<Status>,
    reason: Reason,
    /// The same in words, where there is no status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    why: Option<String>,
    violator_count: u64,
    /// Those of them that a waiver covers.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(required = false)]
    waived: u64,
    #[schema(value_type = BTreeMap<String, String>)]
    issues: BTreeMap<DependentServiceName, String>,
    /// Since when status, count and issues are these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    since: Option<String>,
    /// When the account was last judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    last_updated: Option<String>,
    /// The newest moment that AWS Config told of the account in the policy's Region.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    as_of: Option<String>,
    /// How long ago that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false)]
    age_seconds: Option<i64>,
}

fn status() -> RefOr<Schema> {
    one_of_or_null(&[Status::Compliant, Status::NonCompliant])
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// An account's name, where the organization holds it.
pub(super) fn account_name(view: &ControlView, account: &AccountId) -> Option<String> {
    let known = view.organization()?.accounts.get(account)?;
    Some(known.name.to_string()).filter(|name| !name.is_empty())
}

/// The units above an account, from the root down, where the organization holds it.
pub(super) fn unit_path(view: &ControlView, account: &AccountId) -> Option<String> {
    view.organization()?.unit_path(account)
}

impl Shown {
    /// With the number of violators that a waiver covers.
    pub fn waiving(self, waived: u64) -> Shown {
        Shown { waived, ..self }
    }

    /// Without what is not kept of the past.
    pub fn of_the_past(self) -> Shown {
        Shown { last_updated: None, as_of: None, age_seconds: None, ..self }
    }

    /// `newest_ms` is the moment of which the account's inventory tells; one that has not come by the
    /// clock counts as now.
    pub fn of(
        view: &ControlView,
        account: &AccountId,
        known: &Known<'_>,
        newest_ms: Option<i64>,
        now_ms: i64,
    ) -> Shown {
        let newest_ms = newest_ms.map(|newest_ms| newest_ms.min(now_ms));
        let issues = known.issues.iter();
        Shown {
            account: account.to_string(),
            account_name: account_name(view, account),
            unit_path: unit_path(view, account),
            status: known.status,
            reason: known.reason,
            why: known.why(),
            violator_count: known.result().map_or(0, |(_, entry)| entry.violator_count),
            waived: 0,
            issues: issues.map(|(service, text)| (service_name(*service), text.clone())).collect(),
            since: known.row.map(|row| moment(row.entry.since_ms)),
            last_updated: known.row.map(|row| moment(row.last_updated_ms)),
            as_of: newest_ms.map(moment),
            age_seconds: newest_ms.map(|newest_ms| now_ms.saturating_sub(newest_ms) / 1_000),
        }
    }
}
