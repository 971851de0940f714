//! Who changed what, newest first.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Count, Moment, Words};

/// A part of the audit log.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "audit.html")]
pub struct Audit {
    #[serde(skip)]
    pub frame: Frame,
    /// Those of this account alone; empty is everybody's.
    pub account: String,
    /// Those of this operation alone; empty is every one.
    pub operation: String,
    pub events: Vec<Event>,
    #[serde(skip)]
    pub newest: Option<String>,
    #[serde(skip)]
    pub next: Option<String>,
    #[serde(skip)]
    pub hidden: Vec<(&'static str, String)>,
}

/// One call that changed something.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub sequence: u64,
    pub at: Moment,
    pub operation: Words,
    pub caller: String,
    pub account: Option<String>,
    pub access_key_id: Option<Words>,
    /// What that key was called then.
    pub key_name: Option<Words>,
    pub region: Words,
    pub request_id: Words,
    pub changes: Vec<Change>,
    /// Changes that are left out.
    pub more: Count,
}

/// What it did to one object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// `+` made, `-` gone, `~` changed.
    pub mark: &'static str,
    pub object_type: Words,
    pub object: Words,
    /// Members that are others now.
    pub lines: Vec<Line>,
    /// Lines that are left out.
    pub more: Count,
}

/// One member, before or after.
#[derive(Debug, Serialize)]
pub struct Line {
    pub mark: &'static str,
    pub member: Words,
    pub value: Words,
}

impl Change {
    /// The mark in a word.
    pub fn word(&self) -> &'static str {
        match self.mark {
            "+" => "made",
            "-" => "removed",
            _ => "changed",
        }
    }
}

impl View for Audit {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "Sequence",
            "At",
            "Operation",
            "Caller",
            "Account",
            "AccessKeyId",
            "Region",
            "RequestId",
            "Objects",
            "KeyName",
        ]);
        for event in &self.events {
            let objects: Vec<String> = (event.changes.iter())
                .map(|change| format!("{} {}", change.object_type.0, change.object.0))
                .collect();
            sheet.row([
                event.sequence.to_string(),
                event.at.iso(),
                event.operation.0.clone(),
                event.caller.clone(),
                event.account.clone().unwrap_or_default(),
                event.access_key_id.as_ref().map(|key| key.0.clone()).unwrap_or_default(),
                event.region.0.clone(),
                event.request_id.0.clone(),
                objects.join("; "),
                event.key_name.as_ref().map(|name| name.0.clone()).unwrap_or_default(),
            ]);
        }
        Some(sheet)
    }
}
