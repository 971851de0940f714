//! One account under one policy: what stands in the way of knowing, and every violator.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Ago, Count, Moment, Words};
use crate::state::AccountState;
use crate::views::Paging;

/// An account under a policy.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "standing.html")]
pub struct Standing {
    #[serde(skip)]
    pub frame: Frame,
    pub policy: Words,
    pub account: String,
    pub account_name: Words,
    pub state: AccountState,
    /// Why nothing is known, or no more.
    pub issues: Vec<Issue>,
    /// When it was last judged.
    pub judged: Option<Moment>,
    /// Since when it stands as it does.
    pub since: Option<Moment>,
    pub age_seconds: Option<Ago>,
    pub violators: Vec<ViolatorRow>,
    pub paging: Paging,
    #[serde(skip)]
    pub account_page: String,
    #[serde(skip)]
    pub history: String,
    /// The policy as it is in force, for paper.
    #[serde(skip)]
    pub definition: String,
}

/// What stood in the way of knowing.
#[derive(Debug, Serialize)]
pub struct Issue {
    /// The service that it is of.
    pub service: String,
    pub text: Words,
}

/// A violator.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ViolatorRow {
    pub policy: Words,
    pub account: String,
    pub account_name: Words,
    pub resource_type: Words,
    pub resource: Words,
    #[serde(skip)]
    pub href: String,
    /// Why, in the model's word.
    pub reason: String,
    /// The evidence in sentences.
    pub evidence: Vec<Words>,
    pub since: Moment,
    /// Who accepted it until when: it is a violator all the same.
    pub waived: Option<Waived>,
}

/// Sentences of evidence that a row shows; a resource's own page has all of them.
pub const EVIDENCE_SHOWN_MAX: usize = 3;

impl ViolatorRow {
    /// The evidence that the row shows.
    pub fn first_evidence(&self) -> &[Words] {
        self.evidence.get(..EVIDENCE_SHOWN_MAX).unwrap_or(&self.evidence)
    }

    /// How much more there is.
    pub fn more_evidence(&self) -> Count {
        self.evidence.len().saturating_sub(EVIDENCE_SHOWN_MAX).into()
    }
}

/// The waiver that covers a violator.
#[derive(Debug, Serialize)]
pub struct Waived {
    pub waiver: String,
    pub reason: Words,
    pub until: Moment,
    #[serde(skip)]
    pub href: String,
}

/// Violators as rows.
pub fn sheet(violators: &[ViolatorRow]) -> Sheet {
    let mut sheet = Sheet::new([
        "PolicyName",
        "MemberAccount",
        "AccountName",
        "ResourceType",
        "ResourceId",
        "ViolationReason",
        "Since",
        "Evidence",
        "Waiver",
    ]);
    for row in violators {
        let evidence: Vec<&str> = row.evidence.iter().map(|words| words.0.as_str()).collect();
        sheet.row([
            row.policy.0.clone(),
            row.account.clone(),
            row.account_name.0.clone(),
            row.resource_type.0.clone(),
            row.resource.0.clone(),
            row.reason.clone(),
            row.since.iso(),
            evidence.join("; "),
            row.waived.as_ref().map(|waived| waived.waiver.clone()).unwrap_or_default(),
        ]);
    }
    sheet
}

impl View for Standing {
    fn sheet(&self) -> Option<Sheet> {
        Some(sheet(&self.violators))
    }
}
