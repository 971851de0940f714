//! A policy's draft: its text, the fields beside it, what it would change and find.

use askama::Template;
use serde::Serialize;

use crate::answer::View;
use crate::frame::Frame;
use crate::sheet::Sheet;
use crate::shown::{Count, Moment, Words};
use crate::views::audit::Line;

/// The editor.
#[derive(Serialize, Template)]
#[serde(rename_all = "camelCase")]
#[template(path = "editor.html")]
pub struct Editor {
    #[serde(skip)]
    pub frame: Frame,
    /// The text, one line a member.
    pub text: String,
    /// Whether it makes a policy; else it changes one.
    pub is_new: bool,
    /// What is wrong, each with the field that it is about.
    #[serde(skip)]
    pub errors: Vec<EditError>,
    /// The place in the text that cannot be read.
    #[serde(skip)]
    pub excerpt: String,
    /// The types that a new policy may have: name, address, whether it is this.
    #[serde(skip)]
    pub types: Vec<(&'static str, String, bool)>,
    pub policy_type: String,
    /// Fields that every policy has, and those of the type; none while the text cannot be read.
    #[serde(skip)]
    pub sections: Vec<(String, Vec<FieldShown>)>,
    /// The policy was put by somebody else since the text was loaded.
    pub is_overtaken: bool,
    /// What the text has otherwise than the version in force.
    pub difference: Vec<Line>,
    /// What it would find; none before it was asked.
    pub preview: Option<PreviewShown>,
    /// What its button carries: that just this text was previewed.
    #[serde(skip)]
    pub previewed: String,
    #[serde(skip)]
    pub action: String,
}

/// Something that is wrong.
#[derive(Debug)]
pub struct EditError {
    /// Where it belongs: the id of a field.
    pub field: String,
    pub words: Words,
}

/// A field as the page has it.
#[derive(Debug)]
pub struct FieldShown {
    pub id: String,
    pub label: &'static str,
    pub help: &'static str,
    /// `text`, `number`, `flag`, `choice` or `lines`.
    pub kind: &'static str,
    pub typed: String,
    pub choices: &'static [&'static str],
    pub is_wrong: bool,
}

/// What would change.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewShown {
    pub judged: Moment,
    /// Whether anything would be other than now.
    pub changes: bool,
    pub policies: Vec<PolicyPreview>,
    /// The draft is about no resource at all.
    pub nothing_in_scope: bool,
    /// Accounts of which nothing is told.
    pub unread: Count,
}

/// What would become of one policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyPreview {
    pub name: Words,
    pub becomes: &'static str,
    /// What is counted, now and then; of a policy that is not there nothing is counted now.
    pub figures: Vec<(&'static str, Option<Count>, Count)>,
    pub lists: Vec<PreviewList>,
}

/// The first of a list.
#[derive(Debug, Serialize)]
pub struct PreviewList {
    pub mark: &'static str,
    pub class: &'static str,
    pub name: &'static str,
    pub count: Count,
    pub first: Vec<(Words, Words, Words)>,
    pub more: Count,
}

impl View for Editor {
    fn sheet(&self) -> Option<Sheet> {
        None
    }
}

impl FieldShown {
    /// The number in its id.
    pub fn number(&self) -> &str {
        self.id.strip_prefix("f-").unwrap_or_default()
    }

    /// Lines that it is high.
    pub fn rows(&self) -> usize {
        self.typed.lines().count().clamp(2, 6)
    }

    /// Whether it holds something that is none of its choices.
    pub fn is_other(&self) -> bool {
        !self.choices.iter().any(|choice| *choice == self.typed)
    }
}
