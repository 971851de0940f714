//! What is known of one account under a policy, or why nothing is: the same for every reader.

use std::borrow::Cow;
use std::collections::BTreeMap;

use palisade_core::evaluate::{DependentService, Status};
use palisade_core::ledger::{Entry, ISSUE_TEXT_MAX};
use palisade_store::{EntryRow, PolicyRecord};
use serde::Serialize;
use utoipa::ToSchema;

/// The issue of an account that no judgement was settled of yet (semantics §11 row 43).
const NOT_JUDGED: &str = "The account has not been judged yet.";
/// The issue of one whose judgement is of the policy as it was before.
const JUDGED_BEFORE: &str = "The account has not been judged yet since the policy was changed.";

/// Why what is told of an account is what it is, for programs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
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
pub struct Known<'r> {
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
