//! What is known of one account under a policy, or why nothing is: the same for every reader.

use std::borrow::Cow;
use std::collections::BTreeMap;

use palisade_core::evaluate::{DependentService, Status};
use palisade_core::ledger::{Entry, ISSUE_TEXT_MAX};
use palisade_store::{EntryRow, PolicyRecord};
use palisade_wire::shapes::DependentServiceName;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::compliance::service_name;
use crate::own::{moment, one_of_or_null};

/// The issue of an account that no judgement was settled of yet (semantics §11 row 43).
const NOT_JUDGED: &str = "The account has not been judged yet.";
/// The issue of one whose judgement is of the policy as it was before.
const JUDGED_BEFORE: &str = "The account has not been judged yet since the policy was changed.";

/// Why what is told of an account is what it is, for programs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reason {
    /// There is a result.
    Judged,
    /// It was judged, and nothing can be claimed: the issues say why.
    NoResult,
    /// It is in scope, and was not judged under this policy, or not since that was changed.
    NotJudgedYet,
    /// The policy is not about it.
    OutOfScope,
}

/// One account under one policy.
#[derive(Debug)]
pub(crate) struct Known<'r> {
    /// Why the rest is what it is.
    pub reason: Reason,
    /// `None`: nothing can be claimed.
    pub status: Option<Status>,
    /// What stood in the way of knowing more.
    pub issues: Cow<'r, BTreeMap<DependentService, String>>,
    /// What the ledger holds.
    pub row: Option<&'r EntryRow>,
}

impl<'r> Known<'r> {
    /// An account in the policy's scope, of which the ledger holds this. What was judged by the policy
    /// as it was before claims no compliance with it as it is.
    pub fn in_scope(record: &PolicyRecord, row: Option<&'r EntryRow>) -> Known<'r> {
        let Some(entry) = row.map(|row| &row.entry) else {
            let issues = Cow::Owned(BTreeMap::from([not_judged(None, NOT_JUDGED)]));
            return Known { reason: Reason::NotJudgedYet, status: None, issues, row };
        };
        if entry.policy_revision == record.revision {
            let reason = entry.status.map_or(Reason::NoResult, |_| Reason::Judged);
            return Known {
                reason,
                status: entry.status,
                issues: Cow::Borrowed(&entry.issues),
                row,
            };
        }
        let mut issues = entry.issues.clone();
        issues.extend([not_judged(issues.get(&DependentService::Config), JUDGED_BEFORE)]);
        let status = entry.status.filter(|status| *status == Status::NonCompliant);
        Known { reason: Reason::NotJudgedYet, status, issues: Cow::Owned(issues), row }
    }

    /// An account that the policy is not about.
    pub fn out_of_scope() -> Known<'r> {
        let issues = Cow::Owned(BTreeMap::new());
        Known { reason: Reason::OutOfScope, status: None, issues, row: None }
    }

    /// The entry, where its numbers are claimed.
    pub fn result(&self) -> Option<(Status, &'r Entry)> {
        Some((self.status?, &self.row?.entry))
    }

    /// Why there is no result, in words; `None` where there is one.
    pub fn why(&self) -> Option<String> {
        match self.reason {
            Reason::OutOfScope => {
                Some("the account is out of the policy's scope: the policy is not about it".into())
            }
            _ if self.status.is_some() => None,
            Reason::Judged | Reason::NoResult | Reason::NotJudgedYet => {
                Some(self.issues.values().map(String::as_str).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

/// The issue, before what there was; what is too long together is left out.
fn not_judged(rest: Option<&String>, text: &str) -> (DependentService, String) {
    let both = rest.map(|rest| format!("{text} {rest}"));
    let issue = both.filter(|both| both.len() <= ISSUE_TEXT_MAX).unwrap_or_else(|| text.to_owned());
    (DependentService::Config, issue)
}

/// An account as Palisade's own endpoints show it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Known)]
pub(crate) struct Shown {
    account: String,
    #[schema(schema_with = status, required = true)]
    status: Option<Status>,
    reason: Reason,
    /// The same in words, where there is no status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    why: Option<String>,
    violator_count: u64,
    #[schema(value_type = BTreeMap<String, String>)]
    issues: BTreeMap<DependentServiceName, String>,
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

impl Shown {
    /// `newest_ms` is the moment of which the account's inventory tells; one that has not come by the
    /// clock counts as now.
    pub fn of(account: &str, known: &Known<'_>, newest_ms: Option<i64>, now_ms: i64) -> Shown {
        let newest_ms = newest_ms.map(|newest_ms| newest_ms.min(now_ms));
        let issues = known.issues.iter();
        Shown {
            account: account.to_owned(),
            status: known.status,
            reason: known.reason,
            why: known.why(),
            violator_count: known.result().map_or(0, |(_, entry)| entry.violator_count),
            issues: issues.map(|(service, text)| (service_name(*service), text.clone())).collect(),
            last_updated: known.row.map(|row| moment(row.last_updated_ms)),
            as_of: newest_ms.map(moment),
            age_seconds: newest_ms.map(|newest_ms| now_ms.saturating_sub(newest_ms) / 1_000),
        }
    }
}
