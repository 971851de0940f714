//! Who may call, and what a key lets its holder see.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Moment, Words};
use crate::views::Paging;

/// Access keys.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "keys.html")]
pub struct Keys {
    #[serde(skip)]
    pub frame: Frame,
    /// The key of the session; none where nobody signs in.
    pub own: Option<String>,
    /// What the caller may see and do.
    pub may: &'static str,
    /// All keys, where the caller is told of them.
    pub keys: Option<Vec<KeyRow>>,
    pub paging: Option<Paging>,
    /// A key that was just made, with its secret; shown this once.
    #[serde(skip)]
    pub made: Option<Made>,
    /// What the last form did not do, and does when it is confirmed.
    #[serde(skip)]
    pub to_confirm: Option<ToConfirm>,
    /// Why the last form did nothing; empty where there was none.
    pub error: String,
    /// What was typed.
    #[serde(skip)]
    pub account: String,
    /// The same.
    #[serde(skip)]
    pub name: String,
    #[serde(skip)]
    pub action: String,
}

/// One key.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRow {
    pub id: Words,
    pub account: Option<String>,
    pub account_name: Words,
    pub is_active: bool,
    /// Its time is over.
    pub is_expired: bool,
    pub name: Words,
    /// Its holder changes nothing.
    pub is_reader: bool,
    /// From then on it is refused.
    pub expires: Option<Moment>,
    pub created: Moment,
    pub last_used: Option<Moment>,
    pub replaces: Option<Words>,
    pub is_own: bool,
}

impl KeyRow {
    /// Whether calls signed with it are believed, as the endpoint says it.
    fn status(&self) -> &'static str {
        match self.is_active {
            true => "Active",
            false if self.is_expired => "Expired",
            false => "Inactive",
        }
    }
}

/// A key that was just made.
pub struct Made {
    pub name: Words,
    /// What stands against its use.
    pub warning: Option<Words>,
    pub id: String,
    pub secret: String,
    pub acts_as: String,
}

/// What is done to a key when somebody confirms it.
pub struct ToConfirm {
    pub act: &'static str,
    pub name: &'static str,
    pub key: Words,
}

impl View for Keys {
    fn sheet(&self) -> Option<Sheet> {
        let mut sheet = Sheet::new([
            "AccessKeyId",
            "ActsAs",
            "AccountName",
            "Status",
            "Created",
            "LastUsed",
            "Name",
            "Role",
            "Expires",
        ]);
        for row in self.keys.as_ref()? {
            sheet.row([
                row.id.0.clone(),
                row.account.clone().unwrap_or_else(|| "operator".to_owned()),
                row.account_name.0.clone(),
                row.status().to_owned(),
                row.created.iso(),
                row.last_used.map(Moment::iso).unwrap_or_default(),
                row.name.0.clone(),
                if row.is_reader { "reader" } else { "full" }.to_owned(),
                row.expires.map(Moment::iso).unwrap_or_default(),
            ]);
        }
        Some(sheet)
    }
}
