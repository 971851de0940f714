//! What is known of one account under one policy, and of one violator.

use std::collections::BTreeMap;

use palisade_core::evaluate::Status;
use serde_json::{Value, json};

use super::known::{Age, Reason};
use super::table::Color;

/// One `PolicyComplianceStatus`: a policy over an account in a Region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusRow {
    /// `PolicyOwner`
    pub owner: String,
    /// `PolicyId`, when the policy has one.
    pub policy_id: Option<String>,
    /// `PolicyName`
    pub policy: String,
    /// The policy's Region.
    pub region: String,
    /// `MemberAccount`
    pub account: String,
    /// The account's name, when it is known here.
    pub account_name: Option<String>,
    /// The organizational units above it, from the root down, where a server tells them.
    pub unit_path: Option<String>,
    /// `None`: in scope, and nothing can be claimed.
    pub status: Option<Status>,
    /// Why that is.
    pub reason: Reason,
    /// How old what is known of the account is; `None`: nothing was told of it.
    pub age: Option<Age>,
    /// True count of violators.
    pub violator_count: u64,
    /// More than 100.
    pub limit_exceeded: bool,
    /// Text by service.
    pub issues: BTreeMap<String, String>,
    /// When a server last judged it, RFC 3339.
    pub last_updated: Option<String>,
    /// Violators, when they were asked for.
    pub violators: Option<Vec<ViolatorLine>>,
    /// Violators that a waiver covers.
    pub waived: u64,
    /// The moment at which it was told so, RFC 3339; `None` is now.
    pub at: Option<String>,
    /// Since when it was told so, RFC 3339, of a moment.
    pub since: Option<String>,
}

/// One violator with its first reason.
#[derive(Clone, Debug, PartialEq)]
pub struct ViolatorLine {
    /// `ResourceType`
    pub resource_type: String,
    /// `ResourceId`
    pub id: String,
    /// `ViolationReason`
    pub reason: String,
    /// Since when, RFC 3339: the capture time of the state by which it was first found.
    pub since: Option<String>,
    /// When it was first found, RFC 3339; `None` without a ledger.
    pub judged: Option<String>,
    /// What was found and what it was held against, one sentence for each violation.
    pub evidence: Vec<String>,
    /// The waiver that covers it, in words.
    pub waiver: Option<String>,
}

impl StatusRow {
    /// AWS's word for the status, or why there is none.
    pub fn status_text(&self) -> &'static str {
        match self.status {
            Some(Status::Compliant) => "COMPLIANT",
            Some(Status::NonCompliant) => "NON_COMPLIANT",
            None => self.reason.text(),
        }
    }

    /// How the account stands, in words: `complies`, `3 violators`, or why nothing is known.
    pub fn standing(&self) -> String {
        match self.status {
            Some(Status::Compliant) => "complies".to_owned(),
            Some(Status::NonCompliant) if self.waived > 0 => {
                format!("{}, {} waived", counted(self.violator_count, "violator"), self.waived)
            }
            Some(Status::NonCompliant) => counted(self.violator_count, "violator"),
            None => self.status_text().to_owned(),
        }
    }

    /// The row with AWS's member names, and `Region`, `AccountName`, `Reason`, `AsOf` and `AgeSeconds`.
    pub fn json(&self) -> Value {
        let results: Vec<Value> = self
            .status
            .iter()
            .map(|_| {
                json!({
                    "ComplianceStatus": self.status_text(),
                    "ViolatorCount": self.violator_count,
                    "EvaluationLimitExceeded": self.limit_exceeded,
                })
            })
            .collect();
        let mut row = json!({
            "PolicyOwner": self.owner,
            "PolicyName": self.policy,
            "Region": self.region,
            "MemberAccount": self.account,
            "EvaluationResults": results,
            "IssueInfoMap": self.issues,
            "Reason": self.reason.name(),
        });
        if let Some(row) = row.as_object_mut() {
            Age::put(self.age.as_ref(), row);
            if let Some(name) = &self.account_name {
                row.insert("AccountName".to_owned(), Value::from(name.as_str()));
            }
            if let Some(path) = &self.unit_path {
                row.insert("UnitPath".to_owned(), Value::from(path.as_str()));
            }
            if let Some(id) = &self.policy_id {
                row.insert("PolicyId".to_owned(), Value::from(id.as_str()));
            }
            if let Some(last_updated) = &self.last_updated {
                row.insert("LastUpdated".to_owned(), Value::from(last_updated.as_str()));
            }
            if self.waived > 0 {
                row.insert("Waived".to_owned(), Value::from(self.waived));
            }
            if let Some(at) = &self.at {
                row.insert("At".to_owned(), Value::from(at.as_str()));
            }
            if let Some(since) = &self.since {
                row.insert("ToldSince".to_owned(), Value::from(since.as_str()));
            }
            if let Some(violators) = &self.violators {
                let violators = violators.iter().map(ViolatorLine::json).collect();
                row.insert("Violators".to_owned(), Value::Array(violators));
            }
        }
        row
    }

    pub(super) fn issue_text(&self) -> String {
        let texts: Vec<String> =
            self.issues.iter().map(|(service, text)| format!("{service}: {text}")).collect();
        texts.join(" ")
    }
}

impl ViolatorLine {
    /// The violator with AWS's member names, and `Evidence`, `Since` and `FirstJudged`.
    pub fn json(&self) -> Value {
        let mut line = json!({
            "ResourceType": self.resource_type,
            "ResourceId": self.id,
            "ViolationReason": self.reason,
            "Evidence": self.evidence,
        });
        let moments = [("Since", &self.since), ("FirstJudged", &self.judged)];
        if let Some(line) = line.as_object_mut() {
            for (name, moment) in moments {
                if let Some(moment) = moment {
                    line.insert(name.to_owned(), Value::from(moment.as_str()));
                }
            }
        }
        if let (Some(line), Some(waiver)) = (line.as_object_mut(), &self.waiver) {
            line.insert("Waiver".to_owned(), Value::from(waiver.as_str()));
        }
        line
    }
}

/// The color that goes with a status; shown on terminals alone.
pub fn color(status: Option<Status>) -> Color {
    match status {
        Some(Status::Compliant) => Color::Green,
        Some(Status::NonCompliant) => Color::Red,
        None => Color::Yellow,
    }
}

/// A number with its noun, which takes an `s` unless there is one.
pub fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
