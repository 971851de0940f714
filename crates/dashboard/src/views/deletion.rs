//! What goes with a policy, before its button is pressed.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Count, Words};
use crate::state::Tally;

/// A policy that may be deleted.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "deletion.html")]
pub struct Deletion {
    #[serde(skip)]
    pub frame: Frame,
    pub name: Words,
    /// Accounts in its scope, by their states.
    pub tally: Tally,
    /// Waivers of it that are in force or to come.
    pub waivers: Count,
    /// Why it was not deleted; empty before anybody asked.
    #[serde(skip)]
    pub error: String,
    #[serde(skip)]
    pub action: String,
}

impl View for Deletion {
    fn sheet(&self) -> Option<Sheet> {
        None
    }
}
