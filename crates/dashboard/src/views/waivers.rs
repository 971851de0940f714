//! Who accepted what until when, and the forms that make, renew and end it.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::{Frame, Link};
use crate::sheet::Sheet;
use crate::shown::{Ago, Count, Moment, Words};
use crate::views::Paging;

/// Waivers: those in force first, ending soonest first.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "waivers.html")]
pub struct Waivers {
    #[serde(skip)]
    pub frame: Frame,
    pub waivers: Vec<WaiverRow>,
    pub paging: Paging,
    /// How many there are of each state, with the way to them.
    #[serde(skip)]
    pub states: Vec<(Link, Count)>,
    /// How many there are.
    pub count: Count,
    /// The page of all.
    #[serde(skip)]
    pub all: String,
    /// Whether the caller reads policies at all.
    pub reads_policies: bool,
    /// Whether one state alone is shown.
    pub is_filtered: bool,
    #[serde(skip)]
    pub new: String,
    #[serde(skip)]
    pub next: Option<String>,
}

/// One waiver.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WaiverRow {
    pub id: String,
    pub state: WaiverState,
    pub policy: String,
    pub policy_name: Words,
    #[serde(skip)]
    pub policy_page: String,
    /// Accounts and units in words.
    pub whose: Words,
    /// Which resources, in words.
    pub what: Words,
    pub reason: Words,
    pub owner: Words,
    pub ticket: Words,
    pub from: Moment,
    pub until: Moment,
    pub ended: Option<Moment>,
    pub created: Moment,
    /// How long it lasts yet.
    pub left_seconds: Option<Ago>,
    /// Violators that it covers, where it is in force.
    pub covers: Option<Count>,
    /// The policy has more violators than were looked at.
    pub covers_more: bool,
    #[serde(skip)]
    pub href: String,
}

/// How a waiver stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaiverState {
    /// It is in force and covers something.
    Covers,
    /// It is in force and nothing fits it.
    MatchesNothing,
    /// Its time has not come.
    Planned,
    /// Its time is over, or somebody ended it.
    Ended,
}

impl WaiverState {
    /// All of them.
    pub const ALL: [WaiverState; 4] = [
        WaiverState::Covers,
        WaiverState::MatchesNothing,
        WaiverState::Planned,
        WaiverState::Ended,
    ];

    /// For addresses and style sheets.
    pub fn name(self) -> &'static str {
        match self {
            WaiverState::Covers => "covers",
            WaiverState::MatchesNothing => "matches-nothing",
            WaiverState::Planned => "planned",
            WaiverState::Ended => "ended",
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            WaiverState::Covers => "in force",
            WaiverState::MatchesNothing => "matches nothing",
            WaiverState::Planned => "planned",
            WaiverState::Ended => "ended",
        }
    }

    /// The mark, which tells states apart without colour.
    pub fn mark(self) -> &'static str {
        match self {
            WaiverState::Covers => "▲",
            WaiverState::MatchesNothing => "◌",
            WaiverState::Planned => "…",
            WaiverState::Ended => "–",
        }
    }
}

impl WaiverRow {
    /// What it covers, in words.
    pub fn covered(&self) -> String {
        match (self.covers, self.covers_more) {
            (None, _) => "–".to_owned(),
            (Some(count), false) => count.of("violator"),
            (Some(count), true) => format!("{count} violators and more"),
        }
    }
}

impl View for Waivers {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "Id",
            "State",
            "PolicyName",
            "PolicyId",
            "Accounts",
            "Resources",
            "Reason",
            "Owner",
            "Ticket",
            "From",
            "Until",
            "Ended",
            "Covers",
        ]);
        for row in &self.waivers {
            sheet.row([
                row.id.clone(),
                row.state.words().to_owned(),
                row.policy_name.0.clone(),
                row.policy.clone(),
                row.whose.0.clone(),
                row.what.0.clone(),
                row.reason.0.clone(),
                row.owner.0.clone(),
                row.ticket.0.clone(),
                row.from.iso(),
                row.until.iso(),
                row.ended.map(Moment::iso).unwrap_or_default(),
                row.covers.map(|count| count.0.to_string()).unwrap_or_default(),
            ]);
        }
        Some(sheet)
    }
}

/// One waiver, and the forms that renew and end it.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "waiver.html")]
pub struct Waiver {
    #[serde(skip)]
    pub frame: Frame,
    pub waiver: WaiverRow,
    /// Why the last form did nothing; empty where there was none.
    pub error: String,
    /// A new end as its field has it.
    #[serde(skip)]
    pub until: String,
    #[serde(skip)]
    pub action: String,
}

impl View for Waiver {
    fn sheet(&self) -> Option<Sheet> {
        None
    }
}

/// The form that makes one.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "waiver_new.html")]
pub struct NewWaiver {
    #[serde(skip)]
    pub frame: Frame,
    /// Why the last form did nothing; empty where there was none.
    pub error: String,
    /// The field that the error is about.
    #[serde(skip)]
    pub wrong: &'static str,
    /// It is for every resource, which is to be confirmed.
    pub is_to_be_confirmed: bool,
    /// Id, name, and whether it is chosen.
    #[serde(skip)]
    pub policies: Vec<(String, Words, bool)>,
    #[serde(skip)]
    pub typed: Typed,
    #[serde(skip)]
    pub action: String,
}

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub accounts: String,
    pub units: String,
    pub resource_type: String,
    pub resource: String,
    pub reason: String,
    pub owner: String,
    pub ticket: String,
    pub from: String,
    pub until: String,
}

impl View for NewWaiver {
    fn sheet(&self) -> Option<Sheet> {
        None
    }
}
