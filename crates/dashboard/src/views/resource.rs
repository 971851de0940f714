//! Why a resource breaks a policy, since when, and what would end it.

use askama::Template;
use serde::Serialize;
use serde_json::Value;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Ago, Moment, Words};

/// A resource under a policy.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "resource.html")]
pub struct Resource {
    #[serde(skip)]
    pub frame: Frame,
    pub policy: Words,
    #[serde(skip)]
    pub policy_page: String,
    pub account: String,
    pub account_name: Words,
    #[serde(skip)]
    pub account_page: String,
    pub resource_type: Words,
    pub resource: Words,
    pub region: String,
    pub since: Moment,
    pub age_seconds: Option<Ago>,
    pub judged: Option<Moment>,
    pub violations: Vec<Violation>,
    /// Other policies that it breaks.
    pub also: Vec<Also>,
}

/// One way in which it breaks the policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Violation {
    pub reason: String,
    /// In a sentence.
    pub summary: Words,
    /// What was found, member by member.
    #[serde(skip)]
    pub members: Vec<(String, Words)>,
    pub finding: Value,
    /// What would end it, the default first.
    pub remedies: Vec<Remedy>,
}

/// What would end a violation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remedy {
    pub text: Words,
    pub is_default: bool,
}

/// Another policy that the resource breaks.
#[derive(Debug, Serialize)]
pub struct Also {
    pub policy: Words,
    #[serde(skip)]
    pub href: String,
    pub since: Moment,
}

impl View for Resource {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "PolicyName",
            "MemberAccount",
            "ResourceType",
            "ResourceId",
            "ViolationReason",
            "Since",
            "Evidence",
            "Remedies",
        ]);
        for violation in &self.violations {
            let remedies: Vec<&str> =
                violation.remedies.iter().map(|remedy| remedy.text.0.as_str()).collect();
            sheet.row([
                self.policy.0.clone(),
                self.account.clone(),
                self.resource_type.0.clone(),
                self.resource.0.clone(),
                violation.reason.clone(),
                self.since.iso(),
                violation.summary.0.clone(),
                remedies.join("; "),
            ]);
        }
        Some(sheet)
    }
}
