//! Why a resource breaks a policy, since when, and what would end it.

use askama::Template;
use serde::Serialize;
use serde_json::Value;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Ago, Moment, Words};
use crate::state::AccountState;

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
    /// Where it can be accepted; none for what violates nothing.
    #[serde(skip)]
    pub waive: Option<String>,
    #[serde(skip)]
    pub history: String,
    pub resource_type: Words,
    pub resource: Words,
    pub region: String,
    /// How it stands by what is held now; a violator of the ledger's is one until it is judged again.
    pub state: AccountState,
    /// Since when it violates.
    pub since: Option<Moment>,
    /// The verdict by what is held now, in a sentence.
    pub sentence: Words,
    pub age_seconds: Option<Ago>,
    pub judged: Option<Moment>,
    pub violations: Vec<Violation>,
    /// What it was held against, member by member.
    pub held_against: Vec<HeldAgainst>,
    /// What is missing, where something is.
    pub missing: Vec<Words>,
    /// What would make it known.
    pub known_by: Vec<Words>,
    /// The versions of the items that it was judged by, its own first.
    pub items: Vec<JudgedBy>,
    /// Other policies that it breaks.
    pub also: Vec<Also>,
    /// The policy as it is in force, for paper.
    #[serde(skip)]
    pub definition: String,
}

/// One member of what it was held against.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldAgainst {
    pub what: Words,
    pub wanted: Words,
    pub found: Words,
    /// Whether that is as wanted; none: it was not told.
    pub fits: Option<bool>,
}

impl HeldAgainst {
    /// The mark and the word of a state.
    pub fn told(&self) -> (&'static str, &'static str, &'static str) {
        match self.fits {
            Some(true) => ("complies", "●", "as wanted"),
            Some(false) => ("violates", "▲", "not as wanted"),
            None => ("not-known", "◌", "not known"),
        }
    }
}

/// A version of an item that the resource was judged by.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgedBy {
    pub resource_type: Words,
    pub resource: Words,
    pub state_id: String,
    pub captured: Moment,
    /// When a later version came that tells nothing of the configuration.
    pub later: Option<Moment>,
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
                self.since.map(|since| since.iso()).unwrap_or_default(),
                violation.summary.0.clone(),
                remedies.join("; "),
            ]);
        }
        Some(sheet)
    }
}
