//! What a typed body is read from, and what all readers of bodies need.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::inventory::Item;

use super::shape::{Group, Many, TWICE, TextIn};

/// What a typed body is read from.
pub(super) struct Source<'a> {
    /// Key, name and ARN are set.
    pub item: &'a Item,
    pub configuration: &'a str,
    pub supplementary: &'a str,
    /// `None` when the item does not tell them.
    pub relationships: Option<&'a str>,
    /// Configuration and supplement are JSON: they were values of the item. What was told as text
    /// may be anything.
    pub is_json: bool,
    /// It is a row of a query result, which tells what was selected.
    pub is_row: bool,
}

impl Source<'_> {
    /// Reads `configuration`.
    pub fn body<'t, T: Deserialize<'t>>(&'t self) -> Result<T, String> {
        parse("configuration", self.configuration)
    }
}

/// Reads JSON; what is wrong is told with `what` it is.
pub(in crate::inventory) fn parse<'t, T: Deserialize<'t>>(
    what: &str,
    text: &'t str,
) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("`{what}`: {}", reason(&error)))
}

/// The error without serde's line and column, which count in a slice nobody sees.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = match text.rfind(" at line ") {
        Some(at) if error.line() > 0 => text.get(..at).unwrap_or(&text),
        _ => &text,
    };
    if error.is_data() {
        what.to_owned()
    } else {
        format!("not valid JSON: {what} at column {} of line {}", error.column(), error.line())
    }
}

/// A value that may also be given as text that holds JSON (formats §2).
pub(in crate::inventory) enum Embedded<'t> {
    /// The value itself.
    Value(&'t str),
    /// What the text held, without white space around it.
    Text(String),
}

/// Whether the value was given as text.
pub(super) fn is_text(embedded: &Option<Embedded<'_>>) -> bool {
    matches!(embedded, Some(Embedded::Text(_)))
}

impl Embedded<'_> {
    /// The JSON of the value.
    pub fn json(&self) -> &str {
        match self {
            Embedded::Value(json) => json,
            Embedded::Text(json) => json,
        }
    }
}

/// `None` for null, empty text and text that says `null` (formats §10 row 1).
pub(in crate::inventory) fn embedded<'t>(
    what: &str,
    raw: &'t str,
) -> Result<Option<Embedded<'t>>, String> {
    let embedded = if raw.starts_with('"') {
        let text: String = parse(what, raw)?;
        Embedded::Text(text.trim().to_owned())
    } else {
        Embedded::Value(raw)
    };
    Ok((!matches!(embedded.json(), "" | "null")).then_some(embedded))
}

/// Sorted, without repeats: bodies that say the same encode the same.
pub(super) fn sorted<T: Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut all: Vec<T> = all.into_iter().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Refuses a list in which two have one priority: AWS keeps none (semantics §11 row 69).
pub(super) fn apart(list: &str, priorities: impl Iterator<Item = i64>) -> Result<(), String> {
    let mut known = BTreeSet::new();
    for priority in priorities {
        if !known.insert(priority) {
            return Err(format!("`{list}`: the priority `{priority}` {TWICE}"));
        }
    }
    Ok(())
}

/// The group ids of a list of groups, sorted.
pub(super) fn group_ids(groups: Option<Many<TextIn<'_, Group>>>) -> Vec<Box<str>> {
    sorted(groups.into_iter().flat_map(|groups| groups.0).map(TextIn::into_box))
}
